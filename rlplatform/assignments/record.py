"""Records of assignments, of members' work on them, and of regrades: folds of their events."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from rlplatform.assignments.attempts import attempts_state
from rlplatform.assignments.definitions import AttemptsPolicy
from rlplatform.assignments.events import (
    AssignmentEvent,
    AssignmentExtended,
    AssignmentPublished,
    AssignmentRegraded,
    RegradeCommitted,
    RegradeDiscarded,
    RegradeEvent,
    RegradeFinished,
    RegradeProgressed,
    RegradeStarted,
    WorkAdjusted,
    WorkCommented,
    WorkEvent,
    WorkFailed,
    WorkGraded,
    WorkSubmitted,
)
from rlplatform.assignments.grading.documents import Regrade
from rlplatform.assignments.models import AssignmentState
from rlplatform.assignments.work import SubmissionRecord, Work
from rlplatform.errors import Conflict
from rlplatform.runs.events import Event
from rlplatform.runs.records import Run, RunSummary


class AssignmentRun(Run):
    """Record of an assignment."""

    event: ClassVar[type[Event]] = AssignmentEvent

    kind: Literal["assignment"] = "assignment"
    document: AssignmentState

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return False

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return the assignment after ``event``.

        Raises:
            Conflict: a version does not follow the newest one.
        """
        document = self.document
        match event:
            case AssignmentPublished():
                versions = document.versions
                if event.version.number != len(versions) + 1:
                    raise Conflict(f"version {len(versions)} of {document.name} was published meanwhile; try again")
                document = document.model_copy(update={"versions": [*versions, event.version]})
            case AssignmentExtended():
                extensions = {**document.extensions}
                extensions.pop(event.member_id, None)
                if event.extension is not None:
                    extensions[event.member_id] = event.extension
                document = document.model_copy(update={"extensions": extensions})
            case AssignmentRegraded():
                document = document.model_copy(update={"regrade": event.regrade_id, "regrade_version": event.version})
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted})


class WorkRun(Run):
    """Record of a member's work on an assignment.

    Its state, by which stores find it, is ``pending``, or the id of the assignment if nothing waits to be judged.
    """

    event: ClassVar[type[Event]] = WorkEvent

    kind: Literal["work"] = "work"
    document: Work

    @property
    def state(self) -> str:
        return "pending" if self.document.state == "pending" else self.document.assignment_id

    @property
    def final(self) -> bool:
        return False

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return the work after ``event``. An attempt is spent here, in the transaction of the append.

        Raises:
            NoAttempt: a submission comes when no attempt is possible.
        """
        document = self.document
        match event:
            case WorkSubmitted():
                document = _submitted(document, event)
            case WorkGraded():
                document = _settled(document, event.submission_id, {"state": "graded", "marks": event.marks})
            case WorkFailed():
                document = _settled(document, event.submission_id, {"state": "failed", "message": event.reason})
            case WorkAdjusted():
                document = document.model_copy(update={"adjustments": [*document.adjustments, event.adjustment]})
            case WorkCommented():
                document = document.model_copy(update={"comments": [*document.comments, event.comment]})
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted})


def spent(submissions: list[SubmissionRecord]) -> list[SubmissionRecord]:
    """Return the submissions that count as attempts: all but those that the platform failed to judge."""
    return [submission for submission in submissions if submission.state != "failed"]


def _submitted(work: Work, event: WorkSubmitted) -> Work:
    before = [submission.submitted_at for submission in spent(work.submissions)]
    at = max([event.submission.submitted_at, *before])
    policy: AttemptsPolicy = event.attempts
    attempts_state(policy, before, at).require()
    submission = event.submission.model_copy(update={"number": len(work.submissions) + 1})
    return work.model_copy(update={"submissions": [*work.submissions, submission], "state": "pending"})


def _settled(work: Work, submission_id: str, update: dict[str, object]) -> Work:
    """Return ``work`` with the result of one submission. The first result holds: a later one changes nothing."""
    submissions = [
        submission.model_copy(update=update)
        if submission.id == submission_id and submission.state == "pending"
        else submission
        for submission in work.submissions
    ]
    pending = any(submission.state == "pending" for submission in submissions)
    return work.model_copy(update={"submissions": submissions, "state": "pending" if pending else "idle"})


class RegradeRun(Run):
    """Record of a regrade."""

    event: ClassVar[type[Event]] = RegradeEvent

    kind: Literal["regrade"] = "regrade"
    document: Regrade

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return self.document.state in ("committed", "discarded")

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return the regrade after ``event``."""
        update: dict[str, object] = {}
        match event:
            case RegradeProgressed():
                update = {"done": max(self.document.done, event.done), "total": event.total}
            case RegradeFinished():
                update = {"state": "ready", "done": event.total, "total": event.total, "finished_at": event.time}
            case RegradeCommitted():
                update = {"state": "committed"}
            case RegradeDiscarded():
                update = {"state": "discarded"}
            case RegradeStarted():
                pass
        document = self.document.model_copy(update=update)
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted})


class AssignmentSummary(RunSummary):
    kind: Literal["assignment"] = "assignment"
    document: AssignmentState


class WorkSummary(RunSummary):
    kind: Literal["work"] = "work"
    document: Work


class RegradeSummary(RunSummary):
    kind: Literal["regrade"] = "regrade"
    document: Regrade
