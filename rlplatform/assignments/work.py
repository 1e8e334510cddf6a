"""Work of one member on an assignment, as its record keeps it: submissions, their results, remarks of staff."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from rlplatform.evaluation.models import Verdict
from rlplatform.json_models import StrictModel, Text

SubmissionState = Literal["pending", "graded", "failed"]


class TestMark(StrictModel):
    """Result of one test, as a grade keeps it."""

    __test__ = False

    id: str
    """Id of the test."""
    verdict: Verdict
    """Verdict of the test."""
    points: float
    """Points earned."""
    hidden: bool = False
    """True if learners see its verdict and points only."""


class Measure(StrictModel):
    """Value that a leaderboard ranks, with its interval."""

    value: float
    """The value."""
    low: float | None = None
    """Lower end of its interval; null: none."""
    high: float | None = None
    """Upper end of its interval; null: none."""


class Marks(StrictModel):
    """Result of judging a submission once."""

    verdict: Verdict
    """First verdict that is not `accepted`, in test order."""
    score: float
    """Points of the tests that were earned."""
    max_score: float
    """Points of the tests together."""
    tests: list[TestMark]
    """Results of the tests."""
    measure: Measure | None = None
    """Value that the leaderboard ranks; null: none."""


class SubmittedPath(StrictModel):
    """One file of a submission, without its content."""

    path: str
    """Path of the file."""
    size_bytes: int | None = None
    """Size of its text, in bytes; null: an uploaded file."""


class SubmissionRecord(StrictModel):
    """A submission, as the member's record keeps it."""

    id: str
    """Id of the submission: `sub_…`."""
    number: int = 0
    """Number of the submission among the member's own, from 1."""
    version: int
    """Version of the assignment that it was accepted under."""
    evaluation_id: str
    """Id of the evaluation that judges it."""
    event_id: str
    """Id of the event that accepted it."""
    body_sha256: str
    """SHA-256 of what was sent."""
    content_sha256: str
    """SHA-256 of its files: equal submissions have equal ones."""
    files: list[SubmittedPath]
    """Its files, without their content."""
    submitted_at: datetime
    """Time when it was accepted."""
    state: SubmissionState = "pending"
    """`pending` until it is judged; `failed`: the platform could not, and the attempt was given back."""
    marks: Marks | None = None
    """Result; null until it is graded."""
    message: str | None = None
    """Reason of the failure; null: none."""


class Adjustment(StrictModel):
    """Points that staff add to a member's grade, or take away."""

    points: float = Field(ge=-1e6, le=1e6)
    """Points to add; negative to take away."""
    reason: Text = Field(min_length=1, max_length=1000)
    """Reason, which the learner sees."""


class AdjustmentRecord(Adjustment):
    """An adjustment that was made. The newest one holds; earlier ones are the audit trail."""

    by: str
    """Id of the principal that made it."""
    at: datetime
    """Time when it was made."""


class CommentRequest(StrictModel):
    """A comment of staff on a line of a submission."""

    path: str = Field(min_length=1, max_length=128)
    """Path of the file."""
    line: int | None = Field(default=None, ge=1, le=1_000_000)
    """Number of the line; null: the whole file."""
    text: Text = Field(min_length=1, max_length=10_000)
    """The comment."""


class Comment(CommentRequest):
    """A comment of staff on a line of a submission."""

    submission_id: str
    """Id of the submission."""
    by: str
    """Id of the principal that wrote it."""
    at: datetime
    """Time when it was written."""


class Work(StrictModel):
    """All that one member has submitted to an assignment."""

    id: str
    """Id of the work: `work_…`."""
    state: Literal["pending", "idle"] = "idle"
    """`pending` while a submission is not judged."""
    assignment_id: str
    """Id of the assignment."""
    assignment: str
    """Name of the assignment."""
    member_id: str
    """Id of the member."""
    submissions: list[SubmissionRecord] = Field(default_factory=list)
    """The submissions, oldest first."""
    adjustments: list[AdjustmentRecord] = Field(default_factory=list)
    """Adjustments of staff, oldest first."""
    comments: list[Comment] = Field(default_factory=list)
    """Comments of staff, oldest first."""
    created_at: datetime
    """Time of the first submission."""
