"""Reader of submissions: lists them and shows one, as learners or staff see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments import views
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.grades import Overlay
from rlplatform.assignments.models import AssignmentState
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.record import AssignmentRun, WorkRun
from rlplatform.assignments.repository import work_id
from rlplatform.assignments.submissions.documents import SubmissionDetail, SubmissionList
from rlplatform.assignments.work import SubmissionRecord
from rlplatform.errors import NotFound
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.sources import SourceFile

Place = Callable[[EvaluationRun], Awaitable[int | None]]


class Submitted(NamedTuple):
    """A submission with what it belongs to: its assignment, the newest definition, and the member's work."""

    assignment: AssignmentRun
    definition: AssignmentRequest
    work: WorkRun
    record: SubmissionRecord


class SubmissionReader:
    """Submissions of all tenants, for principals."""

    def __init__(self, reader: AssignmentReader) -> None:
        self._reader = reader
        self._repository = reader.repository
        self._members = reader.members

    async def list(self, name: str, principal: Principal, member_id: str | None = None) -> SubmissionList:
        """Return submissions, newest first: a learner's own; for staff those of a member, or of all.

        Raises:
            NotFound: there is no such assignment, or no such member, for ``principal``.
        """
        run, definition, me = await self._reader.visible(name, principal)
        state = run.document
        if not principal.has(Scope.READ):
            if me is None or member_id not in (None, me.id):
                raise NotFound("no such member")
            works = [work] if (work := await self._repository.work(work_id(run.id, me.id))) else []
            members = {me.id: me}
        elif member_id is not None:
            member = await self._members.find(member_id, principal.tenant)
            works = [work] if (work := await self._repository.work(work_id(run.id, member.id))) else []
            members = {member.id: member}
        else:
            works = await self._repository.works(principal.tenant, run.id)
            members = {member.id: member for member in await self._members.list(principal.tenant)}
        overlay, staff = await self._repository.overlay(state), principal.has(Scope.READ)
        shown = [
            views.submission(
                definition, state, members[work.document.member_id], work.document, one, overlay, staff=staff
            )
            for work in works
            for one in work.document.submissions
        ]
        return SubmissionList(items=sorted(shown, key=lambda one: (one.submitted_at, one.id), reverse=True))

    async def show(
        self, name: str, submission_id: str, principal: Principal, place: Place | None = None
    ) -> SubmissionDetail:
        """Return a submission with its files and results.

        Args:
            place: returns the place of an evaluation in the queue.

        Raises:
            NotFound: there is none that ``principal`` sees.
        """
        found = await self.find(name, submission_id, principal)
        member = await self._members.find(found.work.document.member_id, principal.tenant)
        overlay = await self._repository.overlay(found.assignment.document)
        return await self.detail(found, member, overlay, staff=principal.has(Scope.READ), place=place)

    async def detail(
        self, found: Submitted, member: Member, overlay: Overlay, *, staff: bool, place: Place | None = None
    ) -> SubmissionDetail:
        """Return a submission of ``member`` with its files and results, as staff or as the member sees it."""
        state, work, record = found.assignment.document, found.work.document, found.record
        shown = views.submission(found.definition, state, member, work, record, overlay, staff=staff)
        content = await self._repository.content(record.id)
        evaluation = await self.evaluation_of(state, record, overlay)
        results = list(evaluation.document.tests) if evaluation is not None else []
        files = content.files
        if content.archive is not None:
            files = [SourceFile(path="submission.zip", content=content.archive)]
        return SubmissionDetail(
            **shown.model_dump(),
            content=files,
            results=results if staff else [result.redacted() for result in results],
            comments=[one for one in work.comments if one.submission_id == record.id],
            adjustments=work.adjustments,
            queue_position=await place(evaluation) if place is not None and evaluation is not None else None,
        )

    async def find(self, name: str, submission_id: str, principal: Principal) -> Submitted:
        """Return a submission with its assignment and its member's work.

        Raises:
            NotFound: there is none that ``principal`` sees.
        """
        run, definition, me = await self._reader.visible(name, principal)
        owner = await self._repository.work_of(submission_id)
        work = await self._repository.work(owner) if owner is not None else None
        if work is None or work.document.assignment_id != run.id:
            raise NotFound("no such submission")
        if not principal.has(Scope.READ) and (me is None or work.document.member_id != me.id):
            raise NotFound("no such submission")
        record = next((one for one in work.document.submissions if one.id == submission_id), None)
        if record is None:
            raise NotFound("no such submission")
        return Submitted(run, definition, work, record)

    async def evaluation_of(
        self, state: AssignmentState, record: SubmissionRecord, overlay: Overlay
    ) -> EvaluationRun | None:
        """Return the evaluation whose result holds; None if there is none yet, or retention has removed it."""
        for evaluation_id in views.evaluation_ids(state, record, overlay):
            with suppress(NotFound):
                run = await self._repository.store.get(evaluation_id)
                assert isinstance(run, EvaluationRun)
                return run
        return None
