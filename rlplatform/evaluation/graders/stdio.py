"""The program reads stdin and writes stdout; without an expected output, its exit status alone counts."""

from __future__ import annotations

from rlplatform.evaluation.large_outputs import compare_large
from rlplatform.evaluation.models import Checker, TestCase
from rlplatform.files.models import LocalFile, content_of
from rlplatform.sandbox.models import Execution, Limits, Outcome


class StdioAttempt:
    """An attempt at a test of the ``stdio`` grader."""

    needs_value = False
    interactor = None
    fault = None

    def __init__(self, test: TestCase, checker: Checker, limits: Limits) -> None:
        self._expected = test.expected_stdout
        self._checker = checker
        stdin = test.stdin.path if isinstance(test.stdin, LocalFile) else content_of(test.stdin or "")
        self.execution = Execution(limits, stdin=stdin)

    def mismatch(self, outcome: Outcome) -> str | None:
        if self._expected is None:
            return None
        expected = self._expected.path if isinstance(self._expected, LocalFile) else content_of(self._expected)
        return compare_large(self._checker, expected, outcome)

    def value(self, outcome: Outcome) -> None:  # noqa: ARG002 - a program has no value
        return None

    def close(self) -> None:
        pass
