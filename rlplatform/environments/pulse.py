"""Progress callback of an engine: reports how far a rollout or an evaluation has come, and can interrupt it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Pulse = Callable[[int], None]
"""Called with the environment steps taken so far in this rollout or evaluation. It raises :class:`CutShort` to end it.
"""


class CutShort(Exception):
    """A rollout or an evaluation was interrupted.

    ``report`` is the ``EvaluationReport`` of the episodes that had ended, if it was an evaluation.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.report: Any = None


def silent(env_steps: int) -> None:
    """Ignore the progress."""
