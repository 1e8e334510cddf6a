"""Remarks of staff on a member's work: adjustments of the grade, and comments on lines. Each is an event, and stays."""

from __future__ import annotations

from rlplatform.access.principals import Principal
from rlplatform.assignments.events import WorkAdjusted, WorkCommented
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.record import AssignmentRun, WorkRun
from rlplatform.assignments.repository import work_id
from rlplatform.assignments.submissions.reader import SubmissionReader
from rlplatform.assignments.work import Adjustment, AdjustmentRecord, Comment, CommentRequest, Work
from rlplatform.clock import Clock
from rlplatform.errors import InvalidRequest, NotFound


class RemarkService:
    """Adjustments and comments of all tenants."""

    def __init__(self, reader: AssignmentReader, submissions: SubmissionReader, clock: Clock) -> None:
        self._submissions = submissions
        self._repository = reader.repository
        self._members = reader.members
        self._clock = clock

    async def adjust(self, name: str, member_id: str, adjustment: Adjustment, principal: Principal) -> Work:
        """Add points to a member's grade, or take away; the newest adjustment holds. Return the member's work.

        Raises:
            NotFound: there is no such assignment, no such member, or nothing that the member has submitted.
        """
        _, work = await self._work(name, member_id, principal)
        record = AdjustmentRecord(**adjustment.model_dump(), by=principal.id, at=self._clock.now())
        event = WorkAdjusted(stream=work.stream, time=record.at, adjustment=record)
        await self._repository.store.append(work.stream, [event])
        return (await self._work(name, member_id, principal))[1].document

    async def comment(self, name: str, submission_id: str, comment: CommentRequest, principal: Principal) -> Comment:
        """Comment on a submission, or on a line of it; the learner sees it.

        Raises:
            NotFound: there is no such submission.
            InvalidRequest: it has no such file.
        """
        found = await self._submissions.find(name, submission_id, principal)
        work, record = found.work, found.record
        paths = [file.path for file in record.files]
        if comment.path not in paths:
            raise InvalidRequest(f"{comment.path!r} is not in the submission; it has {', '.join(paths)}", field="path")
        now = self._clock.now()
        written = Comment(**comment.model_dump(), submission_id=submission_id, by=principal.id, at=now)
        event = WorkCommented(stream=work.stream, time=now, comment=written)
        await self._repository.store.append(work.stream, [event])
        return written

    async def _work(self, name: str, member_id: str, principal: Principal) -> tuple[AssignmentRun, WorkRun]:
        run = await self._repository.assignment(principal.tenant, name)
        member = await self._members.find(member_id, principal.tenant)
        work = await self._repository.work(work_id(run.id, member.id))
        if work is None:
            raise NotFound("the member has submitted nothing")
        return run, work
