"""Queue that serves tenants in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from rlplatform.scheduling.priorities import PRIORITIES, Priority


class _TenantQueue:
    """Queue of one tenant: by priority, first come, first served within one."""

    def __init__(self) -> None:
        self.items: dict[Priority, deque[str]] = {priority: deque() for priority in PRIORITIES}

    def __len__(self) -> int:
        return sum(map(len, self.items.values()))

    def next(self, fits: Callable[[str], bool]) -> str | None:
        """Return the first that ``fits``; None if there is none."""
        return next((item for items in self.items.values() for item in items if fits(item)), None)

    def ahead(self, priority: Priority) -> int:
        """Return how many go before a new one of ``priority``."""
        return sum(len(self.items[other]) for other in PRIORITIES[: PRIORITIES.index(priority) + 1])


class FairQueue:
    """Queue of ids, weighted round robin over tenants. Not thread-safe.

    A tenant of weight ``w`` is served ``w`` times a round (default 1).
    """

    def __init__(self) -> None:
        self._weights: dict[str, int] = {}
        self._lines: OrderedDict[str, _TenantQueue] = OrderedDict()
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

    def items(self) -> Iterable[str]:
        """Return all waiting items, in no order."""
        return self._entries

    def push(self, tenant: str, item: str, priority: Priority = "normal", *, front: bool = False) -> None:
        """Queue ``item``; at the ``front`` of its line if it has waited before. A waiting item keeps its place."""
        if item in self._entries:
            return
        items = self._lines.setdefault(tenant, _TenantQueue()).items[priority]
        (items.appendleft if front else items.append)(item)
        self._entries[item] = (tenant, priority)

    def pop(self, fits: Callable[[str], bool] = lambda item: True) -> tuple[str, str] | None:  # noqa: ARG005
        """Return the tenant and the id of the next item that ``fits``; None when none waits.

        A tenant that is served while those before it have nothing that fits has had its turn; theirs is still to come.
        """
        for index, (tenant, line) in enumerate(self._lines.items()):
            if (item := line.next(fits)) is not None:
                self._serve(tenant, item, in_turn=index == 0)
                return tenant, item
        return None

    def _serve(self, tenant: str, item: str, in_turn: bool) -> None:
        priority = self._entries.pop(item)[1]
        line = self._lines[tenant]
        line.items[priority].remove(item)
        self._served += in_turn
        over = not in_turn or self._served >= self._weight(tenant)
        if not line:
            del self._lines[tenant]
        elif over:
            self._lines.move_to_end(tenant)
        if in_turn and (over or not line):
            self._served = 0

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
