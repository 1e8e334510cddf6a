"""Files that a program writes in a test: compared with expected ones, and kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from rlplatform.evaluation.checkers.base import Answer, Checker, Finding, SecondSandbox
from rlplatform.evaluation.graders.base import TestFields
from rlplatform.evaluation.sources import Stream
from rlplatform.files.models import FileRef, LocalFile, content_of
from rlplatform.json_models import StrictModel
from rlplatform.sandbox.models import FileFault, Outcome
from rlplatform.sandbox.programs import path_fault

MOST = 16


def _check_path(path: str) -> str:
    if (fault := path_fault(path)) is not None:
        raise ValueError(f"the path {path[:80]!r} {fault}; give one like 'plots/curve.png'")
    return path


OutputPath = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_check_path)]


class ExpectedFile(StrictModel):
    """A file that a program must write, and its content."""

    path: OutputPath
    """Relative POSIX path, for example `result.csv`."""
    content: Stream
    """Content to expect, compared by the checker: text, or an uploaded file."""


class OutputTest(TestFields):
    """Fields of tests in which a program may write files."""

    expect_files: list[ExpectedFile] | None = Field(default=None, min_length=1, max_length=MOST, fail_fast=True)
    """Files that the program must write (stdio, function), each compared as stdout is."""
    collect: list[OutputPath] | None = Field(default=None, min_length=1, max_length=MOST, fail_fast=True)
    """Paths of files that are kept if the program writes them (stdio, function): `files` of the
    evaluation."""

    @field_validator("expect_files", "collect")
    @classmethod
    def _unique_paths(cls, given: list[ExpectedFile] | list[str] | None) -> list[ExpectedFile] | list[str] | None:
        paths = [one.path if isinstance(one, ExpectedFile) else one for one in given or ()]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise ValueError(f"the path {twice!r} is there twice")
        return given

    @property
    def output_paths(self) -> tuple[str, ...]:
        """Paths to read once the program has ended."""
        expected = [one.path for one in self.expect_files or ()]
        return tuple(dict.fromkeys([*expected, *(self.collect or ())]))


def check_files(
    expected: Sequence[ExpectedFile] | None,
    outcome: Outcome,
    given: bytes | Path,
    points: float,
    checker: Checker,
    sandbox: SecondSandbox,
) -> Finding:
    """Compare the files that a program wrote with those expected; return the finding with the least score.

    Args:
        given: input of the program, for checkers that are programs.

    Raises:
        CheckerFailed: the checker gave no answer.
    """
    worst = Finding(1.0)
    for one in expected or ():
        content = outcome.files.get(one.path, FileFault.MISSING)
        if isinstance(content, FileFault):
            return Finding(0.0, f"{one.path} {content.value}")
        found = checker.check_answer(Answer(given, local(one.content), content, points), sandbox)
        if found.score < worst.score:
            worst = Finding(found.score, f"{one.path}: {found.message or 'wrong'}")
    return worst


def local(value: str | FileRef) -> bytes | Path:
    """Return text as bytes, and an uploaded file as its path on this node."""
    return value.path if isinstance(value, LocalFile) else content_of(value)
