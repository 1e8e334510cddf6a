"""Documents of assignments: what learners and staff read of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from rlplatform.assignments.attempts import AttemptsState
from rlplatform.assignments.deadlines import DateState, Extension
from rlplatform.assignments.definitions import AttemptsPolicy, LatePolicy
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.models import FileRef
from rlplatform.json_models import StrictModel, Text

SubmissionState = Literal["pending", "graded", "failed"]


class VersionInfo(StrictModel):
    """One version of an assignment."""

    number: int
    """Number of the version, from 1."""
    sha256: str
    """SHA-256 of its definition."""
    created_at: datetime
    """Time when it was made."""
    created_by: str
    """Id of the principal that made it."""


class TestMark(StrictModel):
    """Result of one test, as a grade keeps it."""

    __test__ = False

    id: str
    """Id of the test."""
    verdict: Verdict
    """Verdict of the test."""
    points: float
    """Points earned."""


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


class AssignmentState(StrictModel):
    """An assignment's versions, extensions and regrades, as its record keeps them."""

    id: str
    """Id of the assignment: `asgn_…`."""
    state: Literal["published"] = "published"
    """State of the assignment."""
    name: str
    """Name of the assignment."""
    versions: list[VersionInfo]
    """All versions, oldest first."""
    extensions: dict[str, Extension] = Field(default_factory=dict)
    """Extensions by the ids of members."""
    regrade: str | None = None
    """Id of the regrade whose results hold; null: each submission's own."""
    regrade_version: int | None = None
    """Version that this regrade judged by; null: none."""
    created_at: datetime
    """Time of the first version."""

    @property
    def newest(self) -> VersionInfo:
        """The newest version."""
        return self.versions[-1]


class MyStatus(StrictModel):
    """An assignment from the point of view of the calling member."""

    date_state: DateState
    """`upcoming`, `open`, `late` or `closed`, with the member's own dates."""
    due_at: datetime | None = None
    """Time until which the member is in time; null: none is late."""
    closes_at: datetime | None = None
    """Time from which nothing is accepted; null: never."""
    attempts: AttemptsState
    """Attempts of the member."""
    points: float | None = None
    """Points of the member's grade, with penalty and adjustments; null: nothing is graded yet."""
    counted_submission: str | None = None
    """Id of the submission that counts; null: none yet."""


class AssignmentCard(StrictModel):
    """An assignment in a list."""

    name: str
    """Name of the assignment."""
    title: str
    """Title for people."""
    version: int
    """Newest version."""
    max_points: float
    """Points of a submission that passes everything."""
    opens_at: datetime | None = None
    """Time from which learners see it; null: at once."""
    due_at: datetime | None = None
    """Time until which a submission is in time; null: none is late."""
    closes_at: datetime | None = None
    """Time from which nothing is accepted; null: never."""
    leaderboard: bool
    """True if there is a leaderboard."""
    mine: MyStatus | None = None
    """Dates, attempts and points of the caller; null for a caller who is not a member."""


class AssignmentList(StrictModel):
    """Assignments of a course."""

    items: list[AssignmentCard]
    """The assignments, by due date and name."""


class AssignmentStaffView(StrictModel):
    """Part of an assignment that only staff see."""

    id: str
    """Id of the assignment: `asgn_…`. Its events are in the stream `assignments/asgn_…`."""
    definition: dict[str, JsonValue]
    """Definition of the newest version, with its tests, as an `AssignmentRequest`."""
    versions: list[VersionInfo]
    """All versions, oldest first."""
    extensions: dict[str, Extension]
    """Extensions by the ids of members."""
    regrade: str | None = None
    """Id of the regrade whose results hold; null: each submission's own."""


class AssignmentView(AssignmentCard):
    """An assignment."""

    statement: str
    """Text of the assignment, in Markdown."""
    starter: list[SourceFile]
    """Files to start from."""
    provided: list[SourceFile]
    """Files that are put beside each submission."""
    required_files: list[str]
    """Paths that a submission must have."""
    language: str
    """Programming language of the submissions."""
    image: str | None = None
    """Image that submissions run in; null: the platform's default."""
    attempts: AttemptsPolicy
    """Limits on the attempts of a member."""
    late: LatePolicy
    """Penalty for submissions after `due_at`."""
    counts: str
    """The submission that counts: `best` or `last`."""
    tests: int
    """Number of tests."""
    staff: AssignmentStaffView | None = None
    """Definition, versions and extensions; null for learners."""


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
    queue_position: int | None = None
    """Evaluations served before this one; null unless it waits, or if unknown."""


class CourseSettings(StrictModel):
    """Settings of a tenant as a course."""

    learners_evaluate_freely: bool = True
    """True: learners may also send evaluations with tests of their own. False: they only submit to assignments."""
