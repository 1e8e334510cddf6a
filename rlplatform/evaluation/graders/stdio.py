"""The program reads stdin and writes stdout; without an expected output, its exit status alone counts."""

from __future__ import annotations

from rlplatform.evaluation.checkers import compare_output
from rlplatform.evaluation.models import Checker, TestCase
from rlplatform.sandbox.models import Execution, Limits, Outcome


class StdioAttempt:
    """An attempt at a test of the ``stdio`` grader."""

    needs_value = False
    interactor = None
    fault = None

    def __init__(self, test: TestCase, checker: Checker, limits: Limits) -> None:
        self.execution = Execution(limits, stdin=(test.stdin or "").encode())
        self._expected = test.expected_stdout
        self._checker = checker

    def mismatch(self, outcome: Outcome) -> str | None:
        if self._expected is None:
            return None
        return compare_output(self._checker, self._expected, outcome.stdout)

    def value(self, outcome: Outcome) -> None:  # noqa: ARG002 - a program has no value
        return None

    def close(self) -> None:
        pass
