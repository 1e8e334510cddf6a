"""When a call is worth repeating, and how long to wait before it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from rlplatform.errors import CapacityExhausted, PlatformError, ServiceError, TooManyRequests, Unavailable


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with jitter. A wait that the server asks for is kept, unless it is longer than ``cap_s``."""

    attempts: int = 4
    first_s: float = 0.25
    cap_s: float = 10.0

    def delay_s(self, attempt: int, error: PlatformError) -> float | None:
        """Seconds to wait after the failed ``attempt`` (from 1); None: give up."""
        if attempt >= self.attempts or not _passing(error):
            return None
        asked = float(error.extra.get("retry_after_s", 0.0))
        if asked > self.cap_s:
            return None
        backoff: float = min(self.cap_s, self.first_s * 2.0 ** (attempt - 1))
        return max(asked, backoff * random.uniform(0.5, 1.0))


def _passing(error: PlatformError) -> bool:
    """Return True if the same call may well succeed in a moment. A missing sandbox does not appear by asking again."""
    if isinstance(error, TooManyRequests | CapacityExhausted | Unavailable):
        return True
    return type(error) is ServiceError and error.extra.get("status_code") in (500, 502, 503, 504)
