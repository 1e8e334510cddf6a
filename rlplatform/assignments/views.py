"""Views of assignments and submissions, for learners and for staff. Pure functions over records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rlplatform.assignments.attempts import attempts_state
from rlplatform.assignments.deadlines import attempts_of, deadlines_of, late_share
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.evaluations import rejudged_id
from rlplatform.assignments.grading.grades import Overlay, counted, grade_of, scored_submissions
from rlplatform.assignments.grading.regrading import TRIES
from rlplatform.assignments.models import AssignmentCard, AssignmentStaffView, AssignmentState, AssignmentView, MyStatus
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.record import spent
from rlplatform.assignments.submissions.documents import SubmissionInfo
from rlplatform.assignments.work import SubmissionRecord, Work


def status(
    definition: AssignmentRequest,
    state: AssignmentState,
    member: Member,
    work: Work | None,
    overlay: Overlay,
    now: datetime,
) -> MyStatus:
    """Return what an assignment is to a member."""
    extension = state.extensions.get(member.id)
    dates = deadlines_of(definition, extension)
    grade = grade_of(definition, state, member, work, overlay)
    times = [one.submitted_at for one in spent(work.submissions)] if work is not None else []
    return MyStatus(
        date_state=dates.state(now),
        due_at=dates.due_at,
        closes_at=dates.closes_at,
        attempts=attempts_state(attempts_of(definition, extension), times, now),
        points=grade.points,
        counted_submission=grade.submission_id,
        late_share=late_share(definition.late, dates.due_at, now),
        adjustment=work.adjustments[-1] if work is not None and work.adjustments else None,
    )


def card(state: AssignmentState, definition: AssignmentRequest, mine: MyStatus | None) -> AssignmentCard:
    """Return an assignment as lists show it."""
    return AssignmentCard(
        name=state.name,
        title=definition.title,
        version=state.newest.number,
        max_points=definition.max_points,
        opens_at=definition.opens_at,
        due_at=definition.due_at,
        closes_at=definition.closes_at,
        leaderboard=definition.leaderboard is not None,
        mine=mine,
    )


def view(state: AssignmentState, definition: AssignmentRequest, mine: MyStatus | None) -> AssignmentView:
    """Return an assignment as learners see it: without its tests, grader and checker."""
    return AssignmentView(
        **dict(card(state, definition, mine)),
        statement=definition.statement,
        starter=definition.starter,
        provided=definition.provided,
        required_files=definition.required_files,
        language=definition.language,
        image=definition.image,
        attempts=definition.attempts,
        late=definition.late,
        counts=definition.counts,
        tests=len(definition.tests),
    )


def detail(state: AssignmentState, definition: AssignmentRequest, mine: MyStatus | None) -> AssignmentView:
    """Return an assignment as staff see it."""
    staff = AssignmentStaffView(
        id=state.id,
        definition=definition.model_dump(mode="json"),
        versions=state.versions,
        extensions=state.extensions,
        regrade=state.regrade,
    )
    return view(state, definition, mine).model_copy(update={"staff": staff})


def submission(
    definition: AssignmentRequest,
    state: AssignmentState,
    member: Member,
    work: Work,
    record: SubmissionRecord,
    overlay: Overlay,
    *,
    staff: bool,
) -> SubmissionInfo:
    """Return a submission as learners, or as staff, see it."""
    scored = scored_submissions(definition, state, work, overlay)
    best = counted(definition, scored)
    own = next((one for one in scored if one.submission.id == record.id), None)
    due_at = deadlines_of(definition, state.extensions.get(member.id)).due_at
    marks = own.marks if own is not None else None
    return SubmissionInfo(
        id=record.id,
        assignment=state.name,
        member_id=member.id,
        member=(member.name or member.external_id) if staff else None,
        number=record.number,
        version=record.version,
        state="graded" if own is not None else record.state,
        submitted_at=record.submitted_at,
        late_share=late_share(definition.late, due_at, record.submitted_at),
        counts=best is not None and best.submission.id == record.id,
        points=round(own.points, 6) if own is not None else None,
        max_points=definition.max_points,
        verdict=marks.verdict if marks is not None else None,
        tests=marks.tests if marks is not None else [],
        files=record.files,
        message=record.message,
        evaluation_id=record.evaluation_id if staff else None,
    )


def evaluation_ids(state: AssignmentState, record: SubmissionRecord, overlay: Overlay) -> Iterator[str]:
    """Yield the ids of the evaluations that may have the result that holds, the likeliest first."""
    if state.regrade is not None and record.id in overlay:
        for tried in reversed(range(TRIES)):
            yield rejudged_id(state.regrade, record.id, tried)
    yield record.evaluation_id
