"""Graders: how a test is put to a program, and what of its outcome is compared."""

from __future__ import annotations

from typing import Any, Protocol

from rlplatform.evaluation.graders.function import FunctionGrading
from rlplatform.evaluation.graders.stdio import StdioGrading
from rlplatform.evaluation.models import EvaluationRequest, TestCase
from rlplatform.sandbox.models import Execution, Outcome


class Grading(Protocol):
    """One kind of test. Expected values stay on this side of the sandbox."""

    @property
    def needs_value(self) -> bool:
        """Whether a program that ends without returning a value has failed."""

    def execution(self, test: TestCase) -> Execution:
        """What to run for ``test``."""

    def mismatch(self, test: TestCase, outcome: Outcome) -> str | None:
        """Why the answer of a program that ended well is wrong; None if it is right."""

    def value(self, outcome: Outcome) -> Any:
        """What was returned, as a JSON value to show; None where nothing was."""


def grading_of(request: EvaluationRequest) -> Grading:
    """The grading that ``request.grader`` asks for."""
    if request.grader.kind == "function":
        return FunctionGrading(request.grader, request.checker, request.limits)
    return StdioGrading(request.checker, request.limits)
