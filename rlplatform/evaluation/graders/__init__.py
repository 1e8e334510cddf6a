"""Graders: how a test is put to a program, and what of its outcome is compared. Expected values stay on this side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from rlplatform.evaluation.graders.dialogue import dialogue_of
from rlplatform.evaluation.graders.function import FunctionAttempt
from rlplatform.evaluation.graders.stdio import StdioAttempt
from rlplatform.evaluation.models import EvaluationRequest, TestCase
from rlplatform.sandbox.models import Execution, Outcome
from rlplatform.sandbox.ports import Interactor


class Attempt(Protocol):
    """One test put to a program once."""

    @property
    def needs_value(self) -> bool:
        """Whether a program that ends without returning a value has failed."""

    @property
    def execution(self) -> Execution:
        """What to run."""

    @property
    def interactor(self) -> Interactor | None:
        """Who talks to the program while it runs."""

    @property
    def fault(self) -> str | None:
        """Why the program is wrong however it ends: what was known before it ended."""

    def mismatch(self, outcome: Outcome) -> str | None:
        """Why the answer of a program that ended well is wrong; None if it is right."""

    def value(self, outcome: Outcome) -> Any:
        """What came of it, as a JSON value to show; None where there is none."""

    def close(self) -> None:
        """Free what it holds. Idempotent."""


def grader_of(request: EvaluationRequest) -> Callable[[TestCase], Attempt]:
    """What makes the attempts at ``request``'s tests."""
    limits, checker, grader = request.limits, request.checker, request.grader
    match grader.kind:
        case "stdio":
            return lambda test: StdioAttempt(test, checker, limits)
        case "function":
            entry = grader.entry
            return lambda test: FunctionAttempt(test, entry, checker, limits)
        case "episode":
            from rlplatform.evaluation.graders.episode import EpisodeAttempt  # needs Gymnasium

            agent = grader
            return lambda test: EpisodeAttempt(test, agent, limits)
        case "dialogue":
            dialogue = grader
            return lambda test: dialogue_of(test, dialogue, checker, limits)
