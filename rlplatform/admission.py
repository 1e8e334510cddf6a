"""Fair admission: who is next, across tenants."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping

from rlplatform.errors import TooManyRequests


class FairQueue:
    """A bounded queue of ids, round robin over tenants and first come, first served within one.

    A tenant of weight ``w`` is served ``w`` times a round (default 1). Not thread-safe.
    """

    def __init__(self, max_length: int, weights: Mapping[str, int] | None = None) -> None:
        self._max_length = max_length
        self._weights = dict(weights or {})
        self._waiting: OrderedDict[str, deque[str]] = OrderedDict()
        self._tenant: dict[str, str] = {}
        self._served = 0

    def __len__(self) -> int:
        return len(self._tenant)

    def __contains__(self, item: str) -> bool:
        return item in self._tenant

    def check(self) -> None:
        """:raises TooManyRequests: the queue is full."""
        if len(self) >= self._max_length:
            raise TooManyRequests(f"the queue is full ({self._max_length} waiting)", retry_after_s=5.0)

    def push(self, tenant: str, item: str, *, front: bool = False) -> None:
        """Queue ``item``; at the tenant's ``front`` when it has waited before. One that waits stays where it is."""
        if item in self._tenant:
            return
        line = self._waiting.setdefault(tenant, deque())
        (line.appendleft if front else line.append)(item)
        self._tenant[item] = tenant

    def pop(self) -> str | None:
        """The next item, or None when nothing waits."""
        if not self._waiting:
            return None
        tenant, line = next(iter(self._waiting.items()))
        item = line.popleft()
        del self._tenant[item]
        self._served += 1
        if not line:
            del self._waiting[tenant]
            self._served = 0
        elif self._served >= self._weights.get(tenant, 1):
            self._waiting.move_to_end(tenant)
            self._served = 0
        return item

    def remove(self, item: str) -> bool:
        """Take ``item`` out; whether it was waiting."""
        tenant = self._tenant.pop(item, None)
        if tenant is None:
            return False
        line = self._waiting[tenant]
        line.remove(item)
        if not line:
            if next(iter(self._waiting)) == tenant:
                self._served = 0
            del self._waiting[tenant]
        return True

    def order(self) -> list[str]:
        """All items in the order in which they will be served if nothing else comes."""
        copy = FairQueue(self._max_length, self._weights)
        copy._waiting = OrderedDict((tenant, deque(line)) for tenant, line in self._waiting.items())
        copy._tenant = dict(self._tenant)
        copy._served = self._served
        return list(iter(copy.pop, None))
