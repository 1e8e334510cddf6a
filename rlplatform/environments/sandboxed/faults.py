"""Faults of users' code: what happened, and how many a training may have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from rlplatform.errors import EngineError

FaultKind = Literal["exception", "malformed", "invalid", "crash", "hang", "memory"]
MAX_REPORTED = 20
"""Faults that are reported one by one between two looks; of more, the number alone."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``count`` faults of one kind at ``source``, an environment or a reward function, in one step."""

    source: str
    kind: FaultKind
    count: int
    message: str

    def fields(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


class FaultLog:
    """Faults of one training in this process since the last look, and those of its life."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._recent: list[Fault] = []
        self.total = 0

    def add(self, fault: Fault) -> None:
        """Note a fault.

        Raises:
            EngineError: there were more than the training may have.
        """
        self.total += fault.count
        last = self._recent[-1] if self._recent else None
        if last is not None and (last.source, last.kind) == (fault.source, fault.kind):
            self._recent[-1] = replace(last, count=last.count + fault.count)
        elif len(self._recent) < MAX_REPORTED:
            self._recent.append(fault)
        self.check(fault)

    def start_at(self, total: int) -> None:
        """Continue a training that has had ``total`` faults."""
        self.total = total

    def check(self, last: Fault) -> None:
        """Raise ``EngineError`` if there were more faults than the training may have."""
        if self.total > self.budget:
            raise EngineError(
                f"{last.source} failed {self.total} times; max_environment_faults is {self.budget}. "
                f"The last failure ({last.kind}): {last.message}"
            )

    def pop(self) -> Sequence[Fault]:
        """Return the faults since the last call."""
        found, self._recent = self._recent, []
        return found
