"""The program reads stdin and writes stdout; without an expected output, its exit status alone counts."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from rlplatform.evaluation.checkers.base import Answer, Checker, Finding, SecondSandbox
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields
from rlplatform.evaluation.sources import Stream
from rlplatform.files.models import FileRef, LocalFile, content_of
from rlplatform.sandbox.models import Execution, Limits, Outcome


class StdioTest(TestFields):
    """A test of ``stdio``."""

    stdin: Stream | None = None
    """Standard input of the program (stdio): text, or an uploaded file."""
    expected_stdout: Stream | None = None
    """Standard output to expect (stdio): text, or an uploaded file; null: only the exit status counts."""


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
        self._given = b"" if test.stdin is None else _local(test.stdin)
        super().__init__(Execution(limits, stdin=self._given))
        self._expected = None if test.expected_stdout is None else _local(test.expected_stdout)
        self._checker, self._points = checker, test.points

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:
        answer = Answer(self._given, self._expected, outcome.stdout_file or outcome.stdout, self._points)
        return self._checker.check_answer(answer, sandbox)


def _local(value: str | FileRef) -> bytes | Path:
    return value.path if isinstance(value, LocalFile) else content_of(value)
