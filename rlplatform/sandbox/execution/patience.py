"""The time that an execution may take on a busy machine: waiting for a core does not count as wall time.

One rule for both sides: the host stops an execution after :func:`longest_s` at the latest, and the guest's lease for it
is :func:`lease_s`, which is longer.
"""

from __future__ import annotations

from collections.abc import Mapping

from rlplatform.sandbox.execution.cgroups import Task
from rlplatform.sandbox.models import Limits

STOP_GRACE_S = 10.0
"""Seconds that a sandbox has to stop an execution after it was told to."""

_LEASE_MARGIN_S = 20.0
_EXTENSION_FACTOR = 9.0
_LEAST_EXTENSION_S = 10.0
_MOST_EXTENSION_S = 300.0


def longest_s(limits: Limits) -> float:
    """Return the seconds after which the host gives up on an execution, however busy the machine is."""
    extension_s = max(_LEAST_EXTENSION_S, _EXTENSION_FACTOR * limits.wall_time_s)
    return limits.wall_time_s + min(extension_s, _MOST_EXTENSION_S)


def lease_s(limits: Limits) -> float:
    """Return the seconds that the guest waits for the host during one execution."""
    return longest_s(limits) + STOP_GRACE_S + _LEASE_MARGIN_S


class Patience:
    """Measure how long an execution waited for a core, and decide when it has had its time.

    The measure is the wait of the task that waited longest between two samples, at most the wall time in which the
    sandbox used no core. A program whose own threads compete for its one core gains at most its CPU limit. As the
    scheduler reports a wait only when it is over, nothing is decided while a task waits.
    """

    def __init__(self, limits: Limits) -> None:
        self._wall_limit_s, self._longest_s = limits.wall_time_s, longest_s(limits)
        self._tasks: Mapping[str, Task] = {}
        self._waited_s = 0.0
        self._sampled = False
        self.starved_s = 0.0
        self.is_waiting = False

    def sample(self, wall_s: float, cpu_s: float, tasks: Mapping[str, Task]) -> None:
        """Take a sample: ``wall_s`` after the beginning, after ``cpu_s`` seconds of CPU time, these tasks live."""
        gained_s = 0.0
        self.is_waiting = False
        for name, task in tasks.items():
            before = self._tasks.get(name)
            gained_s = max(gained_s, task.waited_s - (before.waited_s if before else 0.0))
            self.is_waiting |= task.is_runnable and (before is None or before.ran_s == task.ran_s)
        if not self._sampled:  # the runner and its kernel are older than the execution
            gained_s = min(gained_s, wall_s)
            self._sampled = True
        self._tasks = tasks
        self._waited_s += gained_s
        self.starved_s = max(self.starved_s, min(self._waited_s, wall_s - cpu_s))

    def has_ended(self, wall_s: float) -> bool:
        """Return True if the execution has had its wall time, without the time that it waited for a core."""
        return wall_s - self.starved_s > self._wall_limit_s and not self.is_waiting

    def is_exhausted(self, wall_s: float) -> bool:
        """Return True if the machine is too busy to say whether the program is too slow."""
        return wall_s > self._longest_s
