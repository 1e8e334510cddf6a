"""Fair admission: the order of waiting runs, how long each waits, and refusals.

Tenants share by weighted round robin, so that nobody's backlog is another's wait. ``priority`` orders the runs of one
tenant among themselves: it takes nothing from others.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rlplatform.errors import QueueFull, QuotaExceeded, WaitTooLong
from rlplatform.ports import Place
from rlplatform.priorities import PRIORITIES, Priority

COME_AGAIN_S = 5.0
_FRESH = 0.1  # how much the newest service time weighs in the mean


class _Line:
    """Queue of one tenant: by priority, first come, first served within one."""

    def __init__(self) -> None:
        self.items: dict[Priority, deque[str]] = {priority: deque() for priority in PRIORITIES}

    def __len__(self) -> int:
        return sum(map(len, self.items.values()))

    def pop(self) -> str:
        return next(items for items in self.items.values() if items).popleft()

    def ahead(self, priority: Priority) -> int:
        """Return how many go before a new one of ``priority``."""
        return sum(len(self.items[other]) for other in PRIORITIES[: PRIORITIES.index(priority) + 1])


class FairQueue:
    """Queue of ids, weighted round robin over tenants. Not thread-safe.

    A tenant of weight ``w`` is served ``w`` times a round (default 1).
    """

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self._entries: dict[str, tuple[str, Priority]] = {}
        self._served = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: str) -> bool:
        return item in self._entries

    def weigh(self, tenant: str, weight: int) -> None:
        """Set a tenant's weight."""
        self._weights[tenant] = weight

    def tenants(self) -> list[str]:
        """Return the tenants with waiting items, in the order of their turns."""
        return list(self._lines)

    def waiting(self, tenant: str) -> int:
        """Return how many items of a tenant wait."""
        return len(self._lines.get(tenant, ()))

    def push(self, tenant: str, item: str, priority: Priority = "normal", *, front: bool = False) -> None:
        """Queue ``item``; at the ``front`` of its line if it has waited before. A waiting item keeps its place."""
        if item in self._entries:
            return
        items = self._lines.setdefault(tenant, _Line()).items[priority]
        (items.appendleft if front else items.append)(item)
        self._entries[item] = (tenant, priority)

    def pop(self) -> tuple[str, str] | None:
        """Return the tenant and the id of the next item; None when nothing waits."""
        if not self._lines:
            return None
        tenant, line = next(iter(self._lines.items()))
        item = line.pop()
        del self._entries[item]
        self._served += 1
        if not line:
            del self._lines[tenant]
            self._served = 0
        elif self._served >= self._weight(tenant):
            self._lines.move_to_end(tenant)
            self._served = 0
        return tenant, item

    def remove(self, item: str) -> bool:
        """Take ``item`` out; return True if it was waiting."""
        tenant, priority = self._entries.pop(item, (None, None))
        if tenant is None or priority is None:
            return False
        line = self._lines[tenant]
        line.items[priority].remove(item)
        if not line:
            if next(iter(self._lines)) == tenant:
                self._served = 0
            del self._lines[tenant]
        return True

    def position(self, item: str) -> int | None:
        """Return how many are served before ``item`` if nothing else comes; None if it is not queued."""
        tenant, priority = self._entries.get(item, (None, None))
        if tenant is None or priority is None:
            return None
        line = self._lines[tenant]
        index = line.items[priority].index(item)
        return self._before(tenant, line.ahead(priority) - len(line.items[priority]) + index)

    def place(self, tenant: str, priority: Priority) -> int:
        """Return how many would be served before a new item."""
        return self._before(tenant, self._lines[tenant].ahead(priority) if tenant in self._lines else 0)

    def _weight(self, tenant: str) -> int:
        return self._weights.get(tenant, 1)

    def _before(self, tenant: str, own: int) -> int:
        """Return how many are served before the tenant's item that has ``own`` of its line ahead of it.

        Those are the ``own`` items, and the items of others that are served in the rounds until then.
        """
        rotation = list(self._lines)
        mine = rotation.index(tenant) if tenant in self._lines else len(rotation)
        first, weight = self._first_turn(tenant, mine), self._weight(tenant)
        turn = 0 if own < first else 1 + (own - first) // weight
        before = own
        for index, other in enumerate(rotation):
            if other != tenant and (turns := turn + (index < mine)):
                served = self._first_turn(other, index) + (turns - 1) * self._weight(other)
                before += min(len(self._lines[other]), served)
        return before

    def _first_turn(self, tenant: str, index: int) -> int:
        """Return how many items the tenant at ``index`` of the rotation is still served in its next turn."""
        return max(1, self._weight(tenant) - (self._served if index == 0 else 0))


class Admission:
    """Admission to a queue.

    An admitted run holds its place until it is queued, so that many at once never overfill the queue.

    :param active: number of runs of a tenant at work.
    """

    def __init__(self, queue: FairQueue, max_queued: int, active: Callable[[str], int]) -> None:
        self._queue = queue
        self._max_queued = max_queued
        self._active = active
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(
        self,
        tenant: str,
        priority: Priority,
        expected_wait_s: Callable[[int], float | None],
        *,
        free: int = 0,
        max_wait_s: float | None = None,
        quota: tuple[str, int | None] = ("", None),
    ) -> Iterator[Place]:
        """Return the place that a new run would get, and hold it while the run is being stored and queued.

        Args:
            expected_wait_s: the seconds until a run with so many before it is served, if that is known.
            free: how many can be served at once.
            quota: a name, and how many of the tenant may wait and be at work together.

        Raises:
            QuotaExceeded, QueueFull, WaitTooLong: it is not admitted.
        """
        name, limit = quota
        unfinished = self._active(tenant) + self._queue.waiting(tenant) + self._held[tenant]
        if limit is not None and unfinished >= limit:
            raise QuotaExceeded(name, used=unfinished, limit=limit, retry_after_s=COME_AGAIN_S)
        position = self._queue.place(tenant, priority) + self._held.total()
        wait_s = expected_wait_s(position)
        if len(self._queue) + self._held.total() >= self._max_queued + free:
            one_s = (wait_s or COME_AGAIN_S) / (position + 1)
            raise QueueFull(f"the queue is full ({self._max_queued} waiting)", retry_after_s=max(1.0, one_s))
        if wait_s is not None and max_wait_s is not None and wait_s > max_wait_s:
            raise WaitTooLong(
                f"it would wait about {wait_s:.0f} s, and {max_wait_s:g} s is the most",
                retry_after_s=max(1.0, wait_s - max_wait_s),
                expected_wait_s=round(wait_s, 1),
                max_wait_s=max_wait_s,
                queue_position=position,
            )
        self._held[tenant] += 1
        try:
            yield Place(position, wait_s)
        finally:
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]


class ServiceTime:
    """Mean time that a run occupies a slot; newer runs weigh more."""

    def __init__(self) -> None:
        self.mean_s: float | None = None

    def note(self, seconds: float) -> None:
        """Record the time of one run."""
        self.mean_s = seconds if self.mean_s is None else self.mean_s + _FRESH * (seconds - self.mean_s)

    def expected_wait_s(self, position: int, slots: int, free: int) -> float | None:
        """Return the seconds until a run with ``position`` before it gets one of ``slots``; None: unknown."""
        if position < free:
            return 0.0
        if not slots or self.mean_s is None:
            return None
        return (position - free + 1) * self.mean_s / slots
