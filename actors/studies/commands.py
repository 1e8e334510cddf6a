"""Commands for studies: start, pause, resume, stop."""

from __future__ import annotations

import asyncio

from actors.ports import Launcher
from actors.training.commands import TrainingCommandHandler
from rlplatform.access.principals import Principal
from rlplatform.errors import Conflict, InvalidRequest, PlatformError
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.runs.events import Event
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency
from rlplatform.studies.events import StudyPauseRequested, StudyQueued, StudyResumeRequested, StudyStopRequested
from rlplatform.studies.models import Study, StudyRequest, StudyState
from rlplatform.studies.record import StudyRun
from rlplatform.studies.request_checks import check_space

_REQUESTED: dict[str, type[Event]] = {
    "pause": StudyPauseRequested,
    "resume": StudyResumeRequested,
    "stop": StudyStopRequested,
}
_DESIRED = {"pause": "pause", "resume": "run", "stop": "stop"}


class StudyCommandHandler(TrainingCommandHandler):
    """Implements the ``StudyCommands`` port."""

    _launcher: Launcher

    async def start_study(
        self, request: StudyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[StudyRun, bool]:
        """Store a study, for its owner to begin (see the port)."""
        await self._open()
        try:
            training = await asyncio.to_thread(check_space, request)
            try:
                await self.check_training(training, principal)
            except InvalidRequest as error:
                field = error.extra.get("field")
                error.extra["field"] = f"training.{field}" if field else "training"
                raise
            await self._accounts.check_studies(principal.tenant)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, StudyRun, idempotency, refusal)
        study_id, now = new_id(Kind.STUDY), self._clock.now()
        document = Study(id=study_id, state=StudyState.QUEUED, request=request, created_at=now)
        run = StudyRun(id=study_id, tenant=principal.tenant, created_by=principal.id, document=document)
        stored, created = await self._create(run, StudyQueued(stream=run.stream, time=now), idempotency)
        await self._uncancellable(self._wake_owner(stored))
        return stored, created

    async def command_study(self, run_id: str, command: str, principal: Principal) -> StudyRun:
        """Pause, resume or stop (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.STUDY), principal)
        assert isinstance(run, StudyRun)
        if run.final:
            if command == "stop":
                return run
            raise Conflict(f"cannot {command} a study that is {run.state}", state=run.state)
        if run.desired == "stop" and command != "stop":
            raise Conflict(f"cannot {command} a study that is being stopped", state=run.state)
        if run.desired != _DESIRED[command]:
            fields = {"stream": run.stream, "time": self._clock.now(), "by": principal.id}
            try:
                await self._store.append(run.stream, [_REQUESTED[command].model_validate(fields)])
            except Conflict:  # the study has ended meanwhile
                return await self.command_study(run_id, command, principal)
        run = await self._uncancellable(self._wake_owner(run))
        assert isinstance(run, StudyRun)
        return run

    async def _wake_owner(self, run: StudyRun) -> StudyRun:
        """Have the owner look at the store; return the run as it is then. Without an owner, the next round starts
        one."""
        try:
            await self._launcher.own_studies()
        except PlatformError:
            self._mark_stale()
        stored = await self._store.get(run.id)
        assert isinstance(stored, StudyRun)
        return stored
