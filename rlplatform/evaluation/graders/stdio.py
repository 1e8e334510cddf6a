"""The program reads stdin and writes stdout; without an expected output, its exit status alone counts."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields
from rlplatform.files.models import FileRef, LocalFile, content_of, text_or_file
from rlplatform.json_models import check_text
from rlplatform.sandbox.models import Execution, Limits, Outcome

_Text = Annotated[str, Field(max_length=1_048_576), AfterValidator(check_text), Tag("text")]
Stream = Annotated[_Text | Annotated[FileRef, Tag("upload")], Discriminator(text_or_file)]


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
        super().__init__(Execution(limits, stdin=b"" if test.stdin is None else _local(test.stdin)))
        self._expected = None if test.expected_stdout is None else _local(test.expected_stdout)
        self._checker = checker

    def mismatch(self, outcome: Outcome) -> str | None:
        return None if self._expected is None else compare_stdout(self._checker, self._expected, outcome)


def compare_stdout(checker: Checker, expected: bytes | Path, outcome: Outcome) -> str | None:
    """Return the reason why a stdout is not what ``expected`` asks for; None if it is."""
    if outcome.stdout_file is None and isinstance(expected, bytes):
        return checker.compare_output(expected, outcome.stdout)
    actual = outcome.stdout_file or io.BytesIO(outcome.stdout)
    with expected.open("rb") if isinstance(expected, Path) else io.BytesIO(expected) as wanted:
        return checker.compare_streams(wanted, actual)


def _local(value: str | FileRef) -> bytes | Path:
    return value.path if isinstance(value, LocalFile) else content_of(value)
