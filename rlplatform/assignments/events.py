"""Events of an assignment, of a member's work on it, and of a regrade. All are on ``assignments/…`` streams."""

from __future__ import annotations

from typing import Literal

from rlplatform.assignments.deadlines import Extension
from rlplatform.assignments.definitions import AttemptsPolicy
from rlplatform.assignments.models import VersionInfo
from rlplatform.assignments.work import AdjustmentRecord, Comment, Marks, SubmissionRecord
from rlplatform.runs.events import Event


class AssignmentEvent(Event):
    """Base of all events of an assignment."""


class AssignmentPublished(AssignmentEvent):
    """A version of the assignment was published."""

    type: Literal["assignment.published"] = "assignment.published"
    """Type of the event."""
    version: VersionInfo
    """The version."""


class AssignmentExtended(AssignmentEvent):
    """A member got later dates or further attempts."""

    type: Literal["assignment.extended"] = "assignment.extended"
    """Type of the event."""
    member_id: str
    """Id of the member."""
    extension: Extension | None
    """The extension; null: it was taken back."""
    by: str
    """Id of the principal that granted it."""


class AssignmentRegraded(AssignmentEvent):
    """A regrade was committed: from now on, its results hold."""

    type: Literal["assignment.regraded"] = "assignment.regraded"
    """Type of the event."""
    regrade_id: str
    """Id of the regrade."""
    version: int
    """Version that it judged by."""
    by: str
    """Id of the principal that committed it."""


class WorkEvent(Event):
    """Base of all events of a member's work on an assignment."""


class WorkOpened(WorkEvent):
    """The member began to work on the assignment."""

    type: Literal["work.opened"] = "work.opened"
    """Type of the event."""
    assignment: str
    """Name of the assignment."""
    member_id: str
    """Id of the member."""


class WorkSubmitted(WorkEvent):
    """A submission was accepted, and an attempt spent."""

    type: Literal["work.submitted"] = "work.submitted"
    """Type of the event."""
    submission: SubmissionRecord
    """The submission."""
    attempts: AttemptsPolicy
    """Limits on attempts that it was accepted under."""


class WorkGraded(WorkEvent):
    """A submission was judged."""

    type: Literal["work.graded"] = "work.graded"
    """Type of the event."""
    submission_id: str
    """Id of the submission."""
    marks: Marks
    """Result."""


class WorkFailed(WorkEvent):
    """The platform could not judge a submission. The attempt is given back."""

    type: Literal["work.failed"] = "work.failed"
    """Type of the event."""
    submission_id: str
    """Id of the submission."""
    reason: str
    """Reason of the failure."""


class WorkAdjusted(WorkEvent):
    """Staff adjusted the member's grade."""

    type: Literal["work.adjusted"] = "work.adjusted"
    """Type of the event."""
    adjustment: AdjustmentRecord
    """The adjustment."""


class WorkCommented(WorkEvent):
    """Staff commented on a submission."""

    type: Literal["work.commented"] = "work.commented"
    """Type of the event."""
    comment: Comment
    """The comment."""


class RegradeEvent(Event):
    """Base of all events of a regrade."""


class RegradeStarted(RegradeEvent):
    """A regrade began."""

    type: Literal["regrade.started"] = "regrade.started"
    """Type of the event."""
    assignment: str
    """Name of the assignment."""
    version: int
    """Version that it judges by."""
    total: int
    """Number of submissions to judge."""
    dry_run: bool
    """True if it waits to be committed."""


class RegradeProgressed(RegradeEvent):
    """Further submissions were judged."""

    type: Literal["regrade.progressed"] = "regrade.progressed"
    """Type of the event."""
    done: int
    """Number of submissions judged so far."""
    total: int
    """Number of submissions to judge."""


class RegradeFinished(RegradeEvent):
    """All submissions were judged; the regrade can be committed."""

    type: Literal["regrade.finished"] = "regrade.finished"
    """Type of the event."""
    total: int
    """Number of submissions judged."""


class RegradeCommitted(RegradeEvent):
    """The regrade's results hold."""

    type: Literal["regrade.committed"] = "regrade.committed"
    """Type of the event."""
    by: str
    """Id of the principal that committed it."""


class RegradeDiscarded(RegradeEvent):
    """The regrade was abandoned; it changes no grade."""

    type: Literal["regrade.discarded"] = "regrade.discarded"
    """Type of the event."""
    by: str
    """Id of the principal that abandoned it."""
