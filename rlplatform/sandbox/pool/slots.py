"""Slots: the number of sandboxes that may be open at once, and the core on which each one runs."""

from __future__ import annotations

import os
import threading
from collections import Counter

from rlplatform.errors import SandboxUnavailable


class Slots:
    """``count`` slots over ``cores`` (cpuset notation; None: all cores that this process may use). Thread-safe."""

    def __init__(self, count: int, cores: str | None = None) -> None:
        self.count = count
        self._cores = parse_cores(cores) if cores is not None else sorted(os.sched_getaffinity(0))
        self._used: Counter[int] = Counter()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def cpus(self) -> str:
        """All cores, in cpuset notation."""
        return ",".join(map(str, self._cores))

    @property
    def in_use(self) -> int:
        return self._used.total()

    def acquire(self, timeout_s: float) -> int:
        """Take a slot; return its core, the one with the fewest slots in use.

        Raises:
            SandboxUnavailable: no slot became free in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self.in_use < self.count, timeout_s):
                raise SandboxUnavailable(f"all {self.count} sandbox slots of this node were in use for {timeout_s:g} s")
            if self._closed:
                raise SandboxUnavailable("the sandbox pool is closed")
            core = min(self._cores, key=lambda core: self._used[core])
            self._used[core] += 1
            return core

    def release(self, core: int) -> None:
        with self._changed:
            self._used[core] -= 1
            self._changed.notify()

    def close(self) -> None:
        """Refuse all waiting and later calls of :meth:`acquire`."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def parse_cores(text: str) -> list[int]:
    """Parse cpuset notation: ``0-2,5`` is ``[0, 1, 2, 5]``.

    Raises:
        SandboxUnavailable: ``text`` is not in this notation.
    """
    cores: set[int] = set()
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            cores |= set(range(int(first), int(last if dash else first) + 1))
    except ValueError:
        cores = set()
    if not cores:
        raise SandboxUnavailable(f"RLP_SANDBOX__CORES is {text!r}; accepted is a list such as 0-2,5")
    return sorted(cores)
