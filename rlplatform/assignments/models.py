"""Documents of assignments and courses: what learners and staff read of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from rlplatform.assignments.attempts import AttemptsState
from rlplatform.assignments.deadlines import DateState, Extension
from rlplatform.assignments.definitions import AttemptsPolicy, LatePolicy
from rlplatform.assignments.work import AdjustmentRecord
from rlplatform.evaluation.sources import SourceFile
from rlplatform.json_models import StrictModel


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
    seed_secret: str | None = None
    """Secret that seeds of its hidden episodes follow from; null: each submission draws its own."""


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
    late_share: float = 0.0
    """Share of the score that a submission made now loses because it is late, from 0 to 1."""
    adjustment: AdjustmentRecord | None = None
    """Adjustment of the member's grade that holds, with its reason; null: none."""


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


class CourseSettings(StrictModel):
    """Settings of a tenant as a course."""

    learners_evaluate_freely: bool = True
    """True: learners may also send evaluations with tests of their own. False: they only submit to assignments."""
