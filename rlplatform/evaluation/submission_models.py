"""Submission of an evaluation as it is read back: learners do not see the content of hidden tests."""

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
    """A test as it was submitted. Of a hidden one, learners see only id, points and group."""

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
    def of(cls, test: TestCase, *, staff: bool) -> SubmittedTest:
        """``test`` as a learner may see it, or all of it for ``staff``."""
        about = {"id", "points", "hidden", "group"}
        visible = staff or not test.hidden
        given = test.model_dump(mode="json", exclude=about, exclude_unset=True) if visible else {}
        return cls(id=test.id, points=test.points, hidden=test.hidden, group=test.group, given=given)


class Submission(StrictModel):
    """Program and tests of an evaluation, as they were submitted."""

    id: str
    """Id of the evaluation."""
    source: str | FileRef
    """The program: its text, or the uploaded file that it is."""
    source_name: str
    """Name of the program's file."""
    files: list[SubmittedFile]
    """Further files of the program."""
    data: list[DataFile] = Field(default_factory=list)
    """Uploaded files that the program can read."""
    grader: dict[str, JsonValue]
    """Grader of the request."""
    checker: dict[str, JsonValue]
    """Checker of the request; if it is a program, learners see it without its source."""
    limits: dict[str, JsonValue]
    """Limits of each test."""
    image: str | None = None
    """Image of the request; null: the platform's default."""
    tests: list[SubmittedTest]
    """In the order of the request."""

    @classmethod
    def of(cls, evaluation_id: str, request: EvaluationRequest, *, staff: bool) -> Submission:
        """The submission of ``request``, as a learner may see it, or all of it for ``staff``."""
        checker = request.checker
        return cls(
            id=evaluation_id,
            source=request.source,
            source_name=request.entry,
            files=[SubmittedFile(path=file.path, content=file.content) for file in request.files],
            data=request.data,
            grader=request.grader.model_dump(mode="json") if staff else request.grader.public(),
            checker=checker.model_dump(mode="json") if staff else checker.public(),
            limits=request.limits.model_dump(mode="json"),
            image=request.image,
            tests=[SubmittedTest.of(test, staff=staff) for test in request.tests],
        )
