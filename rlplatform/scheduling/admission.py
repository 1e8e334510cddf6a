"""Fair admission: the order of waiting runs, how long each waits, and refusals.

Tenants share by weighted round robin, so that nobody's backlog is another's wait. ``priority`` orders the runs of one
tenant among themselves: it takes nothing from others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rlplatform.errors import QueueFull, QuotaExceeded, WaitTooLong
from rlplatform.scheduling.fair_queue import FairQueue
from rlplatform.scheduling.priorities import Priority

COME_AGAIN_S = 5.0
_FRESH = 0.1  # how much the newest service time weighs in the mean


class Admission:
    """Admission to a queue.

    An admitted run holds its place until it is queued, so that many at once never overfill the queue.

    Args:
        active: number of runs of a tenant at work.
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
    ) -> Iterator[QueuePlace]:
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
            yield QueuePlace(position, wait_s)
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


class QueuePlace(NamedTuple):
    """Number of runs that are served before a run, and the expected seconds until it begins; None: unknown."""

    position: int
    expected_wait_s: float | None = None
