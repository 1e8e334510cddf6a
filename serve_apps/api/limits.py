"""Rate limits: so many requests, and so many creations, of one principal; and that a ticket is used once.

In memory the counts are of one replica; in Redis they are of all.
"""

from __future__ import annotations

import time
from typing import Literal

from limits import RateLimitItem, parse
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string
from starlette.types import Scope

from rlplatform.errors import NotAuthenticated, TooManyRequests
from rlplatform.settings import ApiSettings

Kind = Literal["requests", "creations"]


class RateLimiter:
    """Counts what principals do. What is left goes into the answer's ``RateLimit`` and ``RateLimit-Policy`` headers."""

    def __init__(self, settings: ApiSettings, ticket_life_s: float) -> None:
        url = settings.rate_limit_store
        options = {} if url.startswith("memory") else {"implementation": "redispy"}
        storage = storage_from_string(f"async+{url}", **options)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._once = MovingWindowRateLimiter(storage)
        self._one = parse(f"1/{int(2 * ticket_life_s) + 1} seconds")
        self._limits: dict[Kind, RateLimitItem] = {
            "requests": parse(settings.rate_limit),
            "creations": parse(settings.creation_limit),
        }

    async def spend(self, scope: Scope, principal_id: str, kind: Kind, cost: int = 1) -> None:
        """Count ``cost`` of ``kind``.

        :raises TooManyRequests: that is too many; says when to come again.
        """
        limit = self._limits[kind]
        allowed = await self._limiter.hit(limit, kind, principal_id, cost=cost)
        reset_at, remaining = await self._limiter.get_window_stats(limit, kind, principal_id)
        left_s = max(1, round(reset_at - time.time()))
        policies = scope.setdefault("state", {}).setdefault("rate_limit", {})
        policies[kind] = (f'"{kind}";q={limit.amount};w={limit.get_expiry()}', f'"{kind}";r={remaining};t={left_s}')
        if not allowed:
            raise TooManyRequests(
                f"more than {limit.amount} {kind} in {limit.get_expiry()} s; come again in {left_s} s",
                retry_after_s=float(left_s),
            )

    async def use_once(self, ticket_id: str) -> None:
        """:raises NotAuthenticated: the ticket has been used."""
        if not await self._once.hit(self._one, "ticket", ticket_id):
            raise NotAuthenticated("the ticket has been used")


def headers(scope: Scope) -> dict[str, str]:
    """The rate limit headers of an answer."""
    policies = scope.get("state", {}).get("rate_limit", {}).values()
    if not policies:
        return {}
    return {
        "RateLimit-Policy": ", ".join(policy for policy, _ in policies),
        "RateLimit": ", ".join(left for _, left in policies),
    }
