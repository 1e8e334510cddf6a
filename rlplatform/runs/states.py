"""States of runs that take a while: trainings and studies."""

from __future__ import annotations

from enum import StrEnum

_FINAL = frozenset({"succeeded", "stopped", "failed"})


class RunState(StrEnum):
    """Base of the states of a kind of run. Each kind ends in ``succeeded``, ``stopped`` or ``failed``."""

    @property
    def final(self) -> bool:
        """True if no other state follows."""
        return self.value in _FINAL

    @classmethod
    def ended(cls) -> tuple[str, ...]:
        """Return the final states, as the store has them."""
        return tuple(state.value for state in cls if state.final)

    @classmethod
    def unfinished(cls) -> tuple[str, ...]:
        """Return the states that another one follows, as the store has them."""
        return tuple(state.value for state in cls if not state.final)
