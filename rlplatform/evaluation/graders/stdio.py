"""The program reads stdin and writes stdout, and files perhaps; without anything to expect, its exit status alone
counts."""

from __future__ import annotations

from typing import ClassVar, Literal

from rlplatform.evaluation.checkers.base import Answer, Checker, Finding, SecondSandbox
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields
from rlplatform.evaluation.graders.output_files import OutputTest, check_files, local
from rlplatform.evaluation.sources import Stream
from rlplatform.sandbox.models import Execution, Limits, Outcome


class StdioTest(OutputTest):
    """A test of ``stdio``."""

    stdin: Stream | None = None
    """Standard input of the program (stdio): text, or an uploaded file."""
    expected_stdout: Stream | None = None
    """Standard output to expect (stdio): text, or an uploaded file; null: only the exit status counts, and
    `expect_files`."""


class StdioGrader(Grader):
    """The program reads stdin and writes stdout."""

    test_model: ClassVar[type[TestFields]] = StdioTest

    kind: Literal["stdio"] = "stdio"
    """Selects this grader."""

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> StdioAttempt:
        assert isinstance(test, StdioTest)
        return StdioAttempt(test, checker, limits)


class StdioAttempt(TestAttempt):
    """Attempt at a test of ``stdio``."""

    def __init__(self, test: StdioTest, checker: Checker, limits: Limits) -> None:
        self._given = b"" if test.stdin is None else local(test.stdin)
        super().__init__(Execution(limits, stdin=self._given, collect=test.output_paths))
        self._expected = None if test.expected_stdout is None else local(test.expected_stdout)
        self._checker, self._test = checker, test

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:
        test, checker = self._test, self._checker
        found = Finding(1.0)
        if self._expected is not None or not test.expect_files:
            answer = Answer(self._given, self._expected, outcome.stdout_file or outcome.stdout, test.points)
            found = checker.check_answer(answer, sandbox)
        if found.score == 0:
            return found
        files = check_files(test.expect_files, outcome, self._given, test.points, checker, sandbox)
        return files if files.score < found.score else found
