"""Time limits of an execution on a busy machine: waiting for a core does not count as wall time.

Both sides use one rule. The host stops an execution after :func:`longest_s` at the latest. The guest's lease for it,
:func:`lease_s`, is longer.
"""

from __future__ import annotations

from collections.abc import Mapping

from rlplatform.sandbox.execution.cgroups import Task
from rlplatform.sandbox.models import Limits

STOP_GRACE_S = 10.0
"""Seconds within which a sandbox has to stop an execution on command."""

_LEASE_MARGIN_S = 20.0
_EXTENSION_FACTOR = 9.0
_LEAST_EXTENSION_S = 10.0
_MOST_EXTENSION_S = 300.0


def longest_s(limits: Limits) -> float:
    """Return the seconds after which the host stops an execution, however busy the machine is."""
    extension_s = max(_LEAST_EXTENSION_S, _EXTENSION_FACTOR * limits.wall_time_s)
    return limits.wall_time_s + min(extension_s, _MOST_EXTENSION_S)


def lease_s(limits: Limits) -> float:
    """Return the seconds that the guest waits for the host during one execution."""
    return longest_s(limits) + STOP_GRACE_S + _LEASE_MARGIN_S


class Patience:
    """Measures how long an execution waited for a core, and decides when its time is used up.

    The measure is the wait of the task that waited longest between two samples. It is at most the wall time in which
    the sandbox used no core. A program whose own threads compete for its one core gains at most its CPU limit. The
    scheduler reports a wait only after it has ended, so nothing is decided while a task waits.
    """

    def __init__(self, limits: Limits) -> None:
        self._wall_limit_s, self._longest_s = limits.wall_time_s, longest_s(limits)
        self._tasks: Mapping[str, Task] = {}
        self._waited_s = 0.0
        self._sampled = False
        self.starved_s = 0.0
        self.is_waiting = False

    def sample(self, wall_s: float, cpu_s: float, tasks: Mapping[str, Task]) -> None:
        """Take a sample, ``wall_s`` seconds after the start and after ``cpu_s`` seconds of CPU time, of the living
        ``tasks``."""
        gained_s = 0.0
        self.is_waiting = False
        for name, task in tasks.items():
            before = self._tasks.get(name)
            gained_s = max(gained_s, task.waited_s - (before.waited_s if before else 0.0))
            self.is_waiting |= task.is_runnable and (before is None or before.ran_s == task.ran_s)
        if not self._sampled:  # the runner and its kernel started before the execution
            gained_s = min(gained_s, wall_s)
            self._sampled = True
        self._tasks = tasks
        self._waited_s += gained_s
        self.starved_s = max(self.starved_s, min(self._waited_s, wall_s - cpu_s))

    def has_ended(self, wall_s: float) -> bool:
        """Return True if the execution has used its wall time, not counting the time that it waited for a core."""
        return wall_s - self.starved_s > self._wall_limit_s and not self.is_waiting

    def is_exhausted(self, wall_s: float) -> bool:
        """Return True if the machine is too busy to decide whether the program is too slow."""
        return wall_s > self._longest_s
