"""Grades: which submission of a member counts, and its points. Pure functions over records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rlplatform.assignments.deadlines import deadlines_of, late_share
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import Grade, TestRate
from rlplatform.assignments.models import AssignmentState
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.work import Marks, SubmissionRecord, TestMark, Work
from rlplatform.evaluation.models import Verdict

Overlay = Mapping[str, Marks]
"""Results of a committed regrade, by the ids of submissions."""


class Scored(NamedTuple):
    """A submission with its result. ``points`` has the late penalty; ``score`` has not."""

    submission: SubmissionRecord
    marks: Marks
    score: float
    late_share: float
    points: float


def scored_submissions(
    definition: AssignmentRequest, state: AssignmentState, work: Work, overlay: Overlay
) -> list[Scored]:
    """Return the submissions of ``work`` that have a result, oldest first, with their points.

    A submission that equals an earlier one has that one's result: to send the same files again cannot raise a score.
    """
    due_at = deadlines_of(definition, state.extensions.get(work.member_id)).due_at
    first: dict[tuple[str, int], Marks] = {}
    found = []
    for submission in work.submissions:
        marks = overlay.get(submission.id, submission.marks)
        if marks is None:
            continue
        judged_by = 0 if submission.id in overlay else submission.version
        marks = first.setdefault((submission.content_sha256, judged_by), marks)
        score = definition.max_points * (marks.score / marks.max_score if marks.max_score else 0.0)
        share = late_share(definition.late, due_at, submission.submitted_at)
        found.append(Scored(submission, marks, score, share, score * (1 - share)))
    return found


def counted(definition: AssignmentRequest, found: Sequence[Scored]) -> Scored | None:
    """Return the submission that counts: the last one, or the best one and of equals the first; None: there is none."""
    if not found:
        return None
    return found[-1] if definition.counts == "last" else max(found, key=lambda one: one.points)


def grade_of(
    definition: AssignmentRequest, state: AssignmentState, member: Member, work: Work | None, overlay: Overlay
) -> Grade:
    """Return the grade of one member."""
    about = {"member_id": member.id, **member.model_dump(include={"external_id", "name", "email", "section"})}
    if work is None:
        return Grade(**about, submissions=0, max_points=definition.max_points)
    best = counted(definition, scored_submissions(definition, state, work, overlay))
    adjustment = work.adjustments[-1].points if work.adjustments else 0.0
    points = None
    if best is not None or work.adjustments:
        points = round(max(0.0, (best.points if best is not None else 0.0) + adjustment), 6)
    grade = Grade(
        **about,
        submissions=len(work.submissions),
        adjustment=adjustment,
        points=points,
        max_points=definition.max_points,
    )
    if best is None:
        return grade
    return grade.model_copy(
        update={
            "submission_id": best.submission.id,
            "submitted_at": best.submission.submitted_at,
            "verdict": best.marks.verdict,
            "score": round(best.score, 6),
            "late_share": best.late_share,
            "tests": best.marks.tests,
        }
    )


def all_grades(
    definition: AssignmentRequest,
    state: AssignmentState,
    members: Sequence[Member],
    works: Sequence[Work],
    overlay: Overlay,
) -> list[Grade]:
    """Return the grades of the learners among ``members``. Who was removed keeps a row if there is work of theirs."""
    by_member = {work.member_id: work for work in works}
    return [
        grade_of(definition, state, member, by_member.get(member.id), overlay)
        for member in members
        if member.role == "learner" and (member.state == "active" or member.id in by_member)
    ]


def rates_of_tests(definition: AssignmentRequest, grades: Sequence[Grade]) -> list[TestRate]:
    """Return how many counted submissions passed each test of the newest version, and each other test of their results.

    A suite is one test of the version, and many of a result. Where results have tests of their own, a test of the
    version that no submission was judged by is left out.
    """
    graded = [{mark.id: mark for mark in grade.tests} for grade in grades if grade.submission_id is not None]
    own = {test.id for test in definition.tests}
    others: dict[str, list[TestMark]] = {}
    for marks in graded:
        for mark in marks.values():
            if mark.id not in own:
                others.setdefault(mark.id, []).append(mark)
    tests = [
        (test.id, test.points, test.hidden)
        for test in definition.tests
        if not others or any(test.id in marks for marks in graded)
    ]
    for test_id, found in others.items():
        tests.append((test_id, max(mark.points for mark in found), any(mark.hidden for mark in found)))
    return [
        TestRate(
            id=test_id,
            points=points,
            hidden=hidden,
            passed=sum(test_id in marks and marks[test_id].verdict is Verdict.ACCEPTED for marks in graded),
            graded=sum(test_id in marks for marks in graded),
        )
        for test_id, points, hidden in tests
    ]


def until(work: Work, moment: datetime | None) -> Work:
    """Return ``work`` with the submissions that were made before ``moment``; None: all."""
    if moment is None:
        return work
    earlier = [submission for submission in work.submissions if submission.submitted_at < moment]
    return work.model_copy(update={"submissions": earlier})
