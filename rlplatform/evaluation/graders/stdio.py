"""The program reads stdin and writes stdout; without an expected output, its exit status alone counts."""

from __future__ import annotations

from rlplatform.evaluation.checkers import compare_output
from rlplatform.evaluation.models import Checker, TestCase
from rlplatform.sandbox.models import Execution, Limits, Outcome


class StdioGrading:
    """The ``stdio`` grader."""

    needs_value = False

    def __init__(self, checker: Checker, limits: Limits) -> None:
        self._checker = checker
        self._limits = limits

    def execution(self, test: TestCase) -> Execution:
        return Execution(self._limits, stdin=(test.stdin or "").encode())

    def mismatch(self, test: TestCase, outcome: Outcome) -> str | None:
        if test.expected_stdout is None:
            return None
        return compare_output(self._checker, test.expected_stdout, outcome.stdout)

    def value(self, outcome: Outcome) -> None:  # noqa: ARG002 - the port's name
        return None
