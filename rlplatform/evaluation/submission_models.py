"""Submission of an evaluation as its submitter reads it back: without hidden tests."""

from __future__ import annotations

from pydantic import Field, JsonValue

from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.files.models import DataFile, FileRef
from rlplatform.json_models import StrictModel


class SubmittedFile(StrictModel):
    """A further file of a submission."""

    path: str
    """Relative POSIX path."""
    content: str | FileRef
    """Text of the file, or the uploaded file that it is."""


class SubmittedTest(StrictModel):
    """A test as it was submitted. Of a hidden one, only id, points and group."""

    id: str
    """Its name among the tests."""
    points: float
    """Points that it gives."""
    hidden: bool
    """True if learners see nothing but its verdict and points."""
    group: str | None = None
    """Group that it is scored with."""
    given: dict[str, JsonValue] = Field(default_factory=dict)
    """Input and expectation, by the names of the request: `stdin`, `expected_stdout`, `args`, …."""

    @classmethod
    def of(cls, test: TestCase) -> SubmittedTest:
        """``test`` as its submitter may see it."""
        about = {"id", "points", "hidden", "group"}
        given = {} if test.hidden else test.model_dump(mode="json", exclude=about, exclude_unset=True)
        return cls(id=test.id, points=test.points, hidden=test.hidden, group=test.group, given=given)


class Submission(StrictModel):
    """Program and tests of an evaluation, as they were submitted."""

    id: str
    """Id of the evaluation."""
    source: str | FileRef
    """The program: its text, or the uploaded file that it is."""
    files: list[SubmittedFile]
    """Further files of the program."""
    data: list[DataFile] = Field(default_factory=list)
    """Uploaded files that the program can read."""
    grader: dict[str, JsonValue]
    """Grader of the request."""
    checker: dict[str, JsonValue]
    """Checker of the request; without its source, if it is a program."""
    limits: dict[str, JsonValue]
    """Limits of each test."""
    tests: list[SubmittedTest]
    """In the order of the request."""

    @classmethod
    def of(cls, evaluation_id: str, request: EvaluationRequest) -> Submission:
        """The submission of ``request``, as its submitter may see it."""
        return cls(
            id=evaluation_id,
            source=request.source,
            files=[SubmittedFile(path=file.path, content=file.content) for file in request.files],
            data=request.data,
            grader=request.grader.model_dump(mode="json"),
            checker=request.checker.public(),
            limits=request.limits.model_dump(mode="json"),
            tests=[SubmittedTest.of(test) for test in request.tests],
        )
