"""Rate limits of requests and creations per principal, and single use of tickets.

In memory, counts belong to one replica; in Redis they are shared by all. Used tickets are noted in the Redis of the
platform's store if it has one, so that a ticket opens one connection on all replicas together. While Redis does not
answer, rates are not limited and tickets are refused.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from redis.asyncio import ConnectionPool
from starlette.types import Scope

from rlplatform.errors import InvalidRequest, NotAuthenticated, TooManyRequests, Unavailable
from rlplatform.settings import ApiSettings, StoreSettings

_LOG = logging.getLogger("rlplatform.api")
Kind = Literal["requests", "creations"]


class RateLimiter:
    """Counts the requests of principals. ``RateLimit`` and ``RateLimit-Policy`` headers report the rest.

    Args:
        settings: limits, and the store of their counts.
        store: the platform's store. Used tickets are noted there if it is Redis and the counts are in memory.
        ticket_life_s: seconds that a ticket is good.
    """

    def __init__(self, settings: ApiSettings, store: StoreSettings, ticket_life_s: float) -> None:
        self._pools: list[ConnectionPool] = []
        storage = self._open(settings.rate_limit_store)
        apart = isinstance(storage, MemoryStorage) and not store.embedded
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._once = MovingWindowRateLimiter(self._open(store.url) if apart else storage)
        self._one = parse(f"1/{int(2 * ticket_life_s) + 1} seconds")
        self._connections: Counter[str] = Counter()
        self._max_connections = settings.max_connections
        self._strangers = 0
        self._max_strangers = settings.max_unauthenticated
        self._limits: dict[Kind, RateLimitItem] = {
            "requests": parse(settings.rate_limit),
            "creations": parse(settings.creation_limit),
        }

    async def spend(self, scope: Scope, principal_id: str, kind: Kind, cost: int = 1) -> None:
        """Count ``cost`` requests of ``kind``.

        Raises:
            TooManyRequests: the limit is reached; says when to retry.
            InvalidRequest: ``cost`` is larger than the limit.
        """
        limit = self._limits[kind]
        if cost > limit.amount:
            raise InvalidRequest(f"{cost} {kind} at once, and {limit.amount} in {limit.get_expiry()} s are allowed")
        try:
            allowed = await self._limiter.hit(limit, kind, principal_id, cost=cost)
            reset_at, remaining = await self._limiter.get_window_stats(limit, kind, principal_id)
        except StorageError as error:
            _LOG.warning("rates are not limited, for their store does not answer: %s", error)
            return
        left_s = max(1, math.ceil(reset_at - time.time()))
        policies = scope.setdefault("state", {}).setdefault("rate_limit", {})
        policies[kind] = (f'"{kind}";q={limit.amount};w={limit.get_expiry()}', f'"{kind}";r={remaining};t={left_s}')
        if not allowed:
            raise TooManyRequests(
                f"more than {limit.amount} {kind} in {limit.get_expiry()} s; come again in {left_s} s",
                retry_after_s=float(left_s),
            )

    @contextmanager
    def connection(self, principal_id: str) -> Iterator[None]:
        """Hold one of the principal's streams and sockets.

        Raises:
            TooManyRequests: the principal has too many.
        """
        if self._connections[principal_id] >= self._max_connections:
            raise TooManyRequests(
                f"at most {self._max_connections} streams at once; close one, or use /v1/live for many",
                retry_after_s=5.0,
            )
        self._connections[principal_id] += 1
        try:
            yield
        finally:
            self._connections[principal_id] -= 1
            if not self._connections[principal_id]:
                del self._connections[principal_id]

    @contextmanager
    def stranger(self) -> Iterator[None]:
        """Hold one of the connections that are not authenticated yet.

        Raises:
            TooManyRequests: there are too many.
        """
        if self._strangers >= self._max_strangers:
            raise TooManyRequests("too many connections wait to be authenticated", retry_after_s=5.0)
        self._strangers += 1
        try:
            yield
        finally:
            self._strangers -= 1

    async def use_once(self, ticket_id: str) -> None:
        """Mark a ticket as used.

        Raises:
            NotAuthenticated: it was used already.
            Unavailable: the store of used tickets does not answer.
        """
        try:
            unused = await self._once.hit(self._one, "ticket", ticket_id)
        except StorageError:
            raise Unavailable("tickets cannot be checked; use a key") from None
        if not unused:
            raise NotAuthenticated("the ticket has been used")

    async def close(self) -> None:
        """Disconnect from the store. Idempotent."""
        for pool in self._pools:
            await pool.disconnect()

    def _open(self, url: str) -> MemoryStorage | RedisStorage:
        if url.startswith("memory://"):
            return MemoryStorage()
        self._pools.append(ConnectionPool.from_url(url))
        options: dict[str, Any] = {"connection_pool": self._pools[-1]}
        return RedisStorage(f"async+{url}", implementation="redispy", wrap_exceptions=True, **options)


def headers(scope: Scope) -> dict[str, str]:
    """Return the rate limit headers of an answer."""
    policies = scope.get("state", {}).get("rate_limit", {}).values()
    if not policies:
        return {}
    return {
        "RateLimit-Policy": ", ".join(policy for policy, _ in policies),
        "RateLimit": ", ".join(left for _, left in policies),
    }
