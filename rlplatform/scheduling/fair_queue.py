"""Queue that serves tenants in turn."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable

from rlplatform.scheduling.priorities import PRIORITIES, Priority


class _TenantQueue:
    """Queue of one tenant: by priority, first come, first served within one."""

    def __init__(self) -> None:
        self.items: dict[Priority, deque[str]] = {priority: deque() for priority in PRIORITIES}
        self.size = 0

    def __len__(self) -> int:
        return self.size

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
        self._shapes: Counter[tuple[int, int]] = Counter()  # lines by length and weight: few, however many tenants
        self._served = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, item: str) -> bool:
        return item in self._entries

    def weigh(self, tenant: str, weight: int) -> None:
        """Set a tenant's weight."""
        self._count(tenant, -1)
        self._weights[tenant] = weight
        self._count(tenant, 1)

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
        line = self._lines.setdefault(tenant, _TenantQueue())
        items = line.items[priority]
        (items.appendleft if front else items.append)(item)
        self._resize(tenant, line.size + 1)
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
        self._take(tenant, item, priority)
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
        self._take(tenant, item, priority)
        if not self._lines[tenant]:
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
        line = self._lines.get(tenant)
        return self._before(tenant, line.ahead(priority) if line is not None else 0)

    def _weight(self, tenant: str) -> int:
        return self._weights.get(tenant, 1)

    def _take(self, tenant: str, item: str, priority: Priority) -> None:
        line = self._lines[tenant]
        line.items[priority].remove(item)
        self._resize(tenant, line.size - 1)

    def _resize(self, tenant: str, size: int) -> None:
        self._count(tenant, -1)
        self._lines[tenant].size = size
        self._count(tenant, 1)

    def _count(self, tenant: str, change: int) -> None:
        """Count the tenant's line among the lines of its shape, or no longer."""
        if waiting := self.waiting(tenant):
            shape = waiting, self._weight(tenant)
            self._shapes[shape] += change
            if not self._shapes[shape]:
                del self._shapes[shape]

    def _before(self, tenant: str, own: int) -> int:
        """Return how many are served before the tenant's item that has ``own`` of its line ahead of it.

        Those are the ``own`` items, and the items of others that are served in the rounds until then. Tenants ahead of
        this one in the rotation have one turn more than those behind it, and the first may be in the middle of its
        turn. Lines of one shape are counted together; only the tenants ahead, or those behind, are looked at singly.
        """
        weight, waiting = self._weight(tenant), self.waiting(tenant)
        rotation = list(self._lines)
        mine = rotation.index(tenant) if waiting else len(rotation)
        left = self._left(tenant) if mine == 0 else weight
        turn = 0 if own < left else 1 + (own - left) // weight
        behind = rotation[mine + 1 :]
        few, turns = (rotation[:mine], turn) if mine < len(behind) else (behind, turn + 1)
        before = own - min(waiting, turns * weight)
        before += sum(number * min(size, turns * w) for (size, w), number in self._shapes.items())
        change = self._served_in_turn(few, turn + 1)
        before += change if turns == turn else -change
        if mine > 0 and self._served:
            first = rotation[0]
            size, w = len(self._lines[first]), self._weight(first)
            before += min(size, turn * w + self._left(first)) - min(size, (turn + 1) * w)
        return before

    def _served_in_turn(self, tenants: Iterable[str], turn: int) -> int:
        """Return how many items of ``tenants`` are served in this turn of each, the first being 1."""
        lines, weights = self._lines, self._weights
        found = 0
        for tenant in tenants:
            weight = weights.get(tenant, 1)
            found += max(0, min(weight, lines[tenant].size - (turn - 1) * weight))
        return found

    def _left(self, tenant: str) -> int:
        """Return how many items of the first tenant are still served in its turn."""
        return max(1, self._weight(tenant) - self._served)
