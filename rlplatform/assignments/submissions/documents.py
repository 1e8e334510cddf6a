"""Documents of submissions: what members send, and what they and staff read."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from rlplatform.assignments.work import AdjustmentRecord, Comment, SubmissionState, SubmittedPath, TestMark
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import FileRef
from rlplatform.json_models import StrictModel


class SubmissionRequest(StrictModel):
    """Files to submit to an assignment."""

    files: list[SourceFile] = Field(default_factory=list, max_length=64, fail_fast=True)
    """The files; `main.py` is the one that is run. Leave them out if `archive` is given."""
    archive: FileRef | None = None
    """An uploaded ZIP archive that is the whole submission; null if `files` are given."""
    version: int | None = Field(default=None, ge=1)
    """Version that you have read: the submission is refused if there is a newer one; null: any."""


class SubmissionInfo(StrictModel):
    """A submission to an assignment."""

    id: str
    """Id of the submission: `sub_…`."""
    assignment: str
    """Name of the assignment."""
    member_id: str
    """Id of the member who submitted it."""
    member: str | None = None
    """Name of that member; null for learners, who see their own submissions only."""
    number: int
    """Number of the submission among the member's own, from 1."""
    version: int
    """Version of the assignment that it was accepted under."""
    state: SubmissionState
    """`pending` until it is judged; `failed`: the platform could not, and the attempt was given back."""
    submitted_at: datetime
    """Time when it was accepted."""
    late_share: float
    """Share of the score that is lost because it is late, from 0 to 1."""
    counts: bool
    """True if it is the one that counts now."""
    points: float | None = None
    """Points, with the penalty; null until it is graded."""
    max_points: float
    """Points of a submission that passes everything."""
    verdict: Verdict | None = None
    """First verdict that is not `accepted`; null until it is graded."""
    tests: list[TestMark] = Field(default_factory=list)
    """Verdicts and points of the tests; empty until it is graded."""
    files: list[SubmittedPath]
    """Its files, without their content."""
    message: str | None = None
    """Reason of a failure; null: none."""
    evaluation_id: str | None = None
    """Id of the evaluation that judges it; null for learners."""


class SubmissionList(StrictModel):
    """Submissions to an assignment, newest first."""

    items: list[SubmissionInfo]
    """The submissions."""


class SubmissionDetail(SubmissionInfo):
    """A submission with its files and its results."""

    content: list[SourceFile]
    """Its files with their content."""
    results: list[TestResult] = Field(default_factory=list)
    """Results of the tests so far; of hidden tests, learners see verdicts and points only."""
    comments: list[Comment] = Field(default_factory=list)
    """Comments of staff, oldest first."""
    adjustments: list[AdjustmentRecord] = Field(default_factory=list)
    """Adjustments of the member's grade, oldest first; the newest one holds."""
    queue_position: int | None = None
    """Evaluations served before this one; null unless it waits, or if unknown."""
