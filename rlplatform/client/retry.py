"""Decides if a failed call is repeated, and how long to wait before that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rlplatform.errors import CapacityExhausted, PlatformError, ServiceError, TooManyRequests, Unavailable
from rlplatform.retries import backoff_s

Sleep = Callable[[float], None]
AsyncSleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Retry:
    """Exponential back-off with jitter. A wait that the server asks for is kept, unless it exceeds ``cap_s``.

    Args:
        attempts: how often a call is sent at most.
        first_s: seconds before the second attempt, at most.
        cap_s: longest wait in seconds; a server that asks for more makes the call fail.
    """

    attempts: int = 4
    first_s: float = 0.25
    cap_s: float = 10.0

    def delay_s(self, attempt: int, error: PlatformError) -> float | None:
        """Return the seconds to wait after the failed ``attempt`` (from 1); None to give up."""
        if attempt >= self.attempts or not _passing(error):
            return None
        asked = float(error.extra.get("retry_after_s", 0.0))
        if asked > self.cap_s:
            return None
        return max(asked, backoff_s(attempt, self.first_s, self.cap_s))


def _passing(error: PlatformError) -> bool:
    """Return True if the same call may well succeed in a moment. A missing sandbox does not appear by asking again."""
    if isinstance(error, TooManyRequests | CapacityExhausted | Unavailable):
        return True
    return type(error) is ServiceError and error.extra.get("status_code") in (500, 502, 503, 504)
