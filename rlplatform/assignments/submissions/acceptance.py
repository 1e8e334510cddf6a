"""Submissions: checked, accepted and stored. Judging is the supervisor's."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime

from pydantic import TypeAdapter

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments import views
from rlplatform.assignments.attempts import attempts_state
from rlplatform.assignments.deadlines import attempts_of, deadlines_of
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.events import WorkOpened, WorkSubmitted
from rlplatform.assignments.models import AssignmentState
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.record import AssignmentRun, WorkRun, spent
from rlplatform.assignments.repository import StoredContent, work_id
from rlplatform.assignments.submissions.checks import SubmissionCheck
from rlplatform.assignments.submissions.documents import SubmissionInfo, SubmissionRequest
from rlplatform.assignments.work import SubmissionRecord, SubmittedPath, Work
from rlplatform.clock import Clock
from rlplatform.errors import (
    Conflict,
    IdempotencyMismatch,
    NoAttempt,
    PlatformError,
)
from rlplatform.evaluation.sources import SourceFile
from rlplatform.ids import Kind, derived_id, new_id
from rlplatform.retries import with_timeout

_FILES = TypeAdapter(list[SourceFile])
_QUEUED_WITHIN_S = 2.0


class SubmissionService:
    """Accepts submissions of all tenants.

    Args:
        commands: judges submissions.
        check: checks the files of a submission.
    """

    def __init__(
        self, reader: AssignmentReader, clock: Clock, commands: AssignmentCommands, check: SubmissionCheck
    ) -> None:
        self._reader = reader
        self._store = reader.repository.store
        self._clock = clock
        self._commands = commands
        self._check = check

    async def submit(
        self, name: str, request: SubmissionRequest, principal: Principal, key: str | None = None
    ) -> tuple[SubmissionInfo, bool]:
        """Accept a submission of the member that ``principal`` is; return it, and True if it is new.

        Once this returns, the submission is stored, its time is fixed and an attempt is spent. It is judged as soon as
        the platform can.

        Args:
            key: idempotency key: the same key and body again return the same submission, and spend nothing.

        Raises:
            NotAllowed: ``principal`` is no member.
            NotFound: there is no such assignment, or it has not opened.
            Conflict: it is closed, or there is a newer version than the one that was read.
            NoAttempt: no attempt is possible now.
            InvalidRequest: the files cannot be a submission; ``field`` says why.
        """
        run, definition, member = await self._reader.visible(name, principal)
        if member is None:
            member = await self._reader.members.require(principal)
        state, stream_id = run.document, work_id(run.id, member.id)
        body = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
        event_id = derived_id(Kind.EVENT, stream_id, "submitted", key) if key is not None else new_id(Kind.EVENT)
        work = await self._reader.repository.work(stream_id)
        if work is not None and (known := _accepted(work, event_id)) is not None:
            return await self._replayed(run, definition, member, work, known, body), False
        now = self._clock.now()
        extension = state.extensions.get(member.id)
        closes_at = deadlines_of(definition, extension).closes_at
        if member.role == "learner" and deadlines_of(definition, extension).state(now) == "closed":
            assert closes_at is not None
            at = closes_at.isoformat(timespec="seconds")
            raise Conflict(f"{name} closed at {at}; nothing is accepted any more", closed_at=closes_at.isoformat())
        if request.version is not None and request.version != state.newest.number:
            raise Conflict(
                f"version {state.newest.number} of {name} is the newest, and you have read {request.version}; read it "
                "again: rlp assignment show",
                version=state.newest.number,
            )
        policy = attempts_of(definition, extension)
        times = [one.submitted_at for one in spent(work.document.submissions)] if work else []
        attempts_state(policy, times, now).require()
        content = await self._check.content(run, definition, request, principal)
        submission = _record(state, request, content, event_id, body, now)
        await self._reader.repository.keep_content(submission.id, stream_id, content)
        await self._reader.repository.hold_files(submission.id, content.file_ids)
        try:
            if work is None:
                await self._open(run, member, stream_id, principal, now)
            stream = f"assignments/{stream_id}"
            event = WorkSubmitted(id=event_id, stream=stream, time=now, submission=submission, attempts=policy)
            (line,) = await self._store.append(stream, [event])
        except NoAttempt:
            await self._reader.repository.forget_content(submission.id)
            raise
        stored = WorkSubmitted.model_validate_json(line.data)
        work = await self._reader.repository.work(stream_id)
        assert work is not None
        if stored.submission.id != submission.id:  # the same key at the same moment
            await self._reader.repository.forget_content(submission.id)
            known = next(one for one in work.document.submissions if one.id == stored.submission.id)
            return await self._replayed(run, definition, member, work, known, body), False
        with suppress(PlatformError, TimeoutError):  # it is judged in any case
            await with_timeout(self._clock, _QUEUED_WITHIN_S, self._commands.judge_waiting(stream_id))
        known = next(one for one in work.document.submissions if one.id == submission.id)
        staff = principal.has(Scope.READ)
        return views.submission(definition, state, member, work.document, known, {}, staff=staff), True

    async def _open(
        self, run: AssignmentRun, member: Member, stream_id: str, principal: Principal, now: datetime
    ) -> None:
        """Create the member's work, unless it is there."""
        document = Work(
            id=stream_id, assignment_id=run.id, assignment=run.document.name, member_id=member.id, created_at=now
        )
        work = WorkRun(id=stream_id, tenant=run.tenant, created_by=principal.id, document=document)
        opened = WorkOpened(
            id=derived_id(Kind.EVENT, stream_id, "opened"),
            stream=work.stream,
            time=now,
            assignment=run.document.name,
            member_id=member.id,
        )
        await self._store.create(work, opened)

    async def _replayed(
        self,
        run: AssignmentRun,
        definition: AssignmentRequest,
        member: Member,
        work: WorkRun,
        known: SubmissionRecord,
        body: str,
    ) -> SubmissionInfo:
        if known.body_sha256 != body:
            raise IdempotencyMismatch("the Idempotency-Key was used with another body")
        overlay = await self._reader.repository.overlay(run.document)
        return views.submission(definition, run.document, member, work.document, known, overlay, staff=False)


def _accepted(work: WorkRun, event_id: str) -> SubmissionRecord | None:
    return next((one for one in work.document.submissions if one.event_id == event_id), None)


def _record(
    state: AssignmentState,
    request: SubmissionRequest,
    content: StoredContent,
    event_id: str,
    body: str,
    now: datetime,
) -> SubmissionRecord:
    files = sorted(content.files, key=lambda file: file.path)
    archive = content.archive.file.encode() if content.archive is not None else b""
    paths = [
        SubmittedPath(path=file.path, size_bytes=len(file.content.encode()) if isinstance(file.content, str) else None)
        for file in request.files
    ]
    return SubmissionRecord(
        id=new_id(Kind.SUBMISSION),
        version=state.newest.number,
        evaluation_id=new_id(Kind.EVALUATION),
        event_id=event_id,
        body_sha256=body,
        content_sha256=hashlib.sha256(_FILES.dump_json(files) + archive).hexdigest(),
        files=paths or [SubmittedPath(path="submission.zip")],
        submitted_at=now,
    )
