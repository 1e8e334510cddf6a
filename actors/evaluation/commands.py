"""Commands for evaluations: submit and cancel."""

from __future__ import annotations

from contextlib import suppress

from actors.commands import CommandHandler
from actors.evaluation.scheduler import EvaluationScheduler
from rlplatform.access.principals import Principal
from rlplatform.environments.facts import EnvironmentProbes
from rlplatform.environments.sandboxed.user_code import is_user_environment
from rlplatform.errors import Conflict, InvalidRequest, NotFound, PlatformError
from rlplatform.evaluation import scoring
from rlplatform.evaluation.attachments import check_attachments
from rlplatform.evaluation.events import EvaluationQueued
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.submissions import check_submission
from rlplatform.files.service import FileService
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.quotas.service import QuotaService
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.scheduling.priorities import check_priority
from rlplatform.settings import Settings
from rlplatform.user_environments.service import UserEnvironments


class EvaluationCommandHandler(CommandHandler):
    """Implements the ``EvaluationCommands`` port."""

    _settings: Settings
    _probes: EnvironmentProbes
    _accounts: QuotaService
    _files: FileService | None
    _evaluations: EvaluationScheduler

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation (see the port)."""
        check_submission(request, self._settings.evaluation)
        await self._check_grader_environment(request, principal)
        await self._open()
        try:
            check_priority(request.priority, principal)
            await check_attachments(request, self._files, principal, self._settings.files.cache_bytes)
            quotas = await self._accounts.check_evaluations(principal.tenant)
            with self._evaluations.admit(request, principal.tenant, quotas) as place:
                return await self._submit(request, principal, idempotency, place)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, EvaluationRun, idempotency, refusal)

    async def check_evaluation(self, request: EvaluationRequest, principal: Principal) -> None:
        """Check that a request could be judged (see the port)."""
        check_submission(request, self._settings.evaluation)
        await self._check(request, principal)
        self._evaluations.evaluators.require(request)

    async def queue_evaluation(self, request: EvaluationRequest, principal: Principal, run_id: str) -> EvaluationRun:
        """Queue an evaluation under an id that is known already (see the port ``EvaluationQueue``)."""
        await self._open()
        with suppress(NotFound):
            return await self._evaluation(run_id)
        check_submission(request, self._settings.evaluation)
        await self._check(request, principal)
        quotas = await self._accounts.check_evaluations(principal.tenant)
        with self._evaluations.admit(request, principal.tenant, quotas) as place:
            try:
                return (await self._submit(request, principal, None, place, run_id))[0]
            except Conflict:  # another attempt has just queued it
                return await self._evaluation(run_id)

    async def _check(self, request: EvaluationRequest, principal: Principal) -> None:
        """Check the environment that the grader needs, and the uploaded files.

        Raises:
            InvalidRequest: one of them is not there.
        """
        await self._check_grader_environment(request, principal)
        await check_attachments(request, self._files, principal, self._settings.files.cache_bytes)

    async def _check_grader_environment(self, request: EvaluationRequest, principal: Principal) -> None:
        """Check the environment that the grader plays in, if there is one.

        Raises:
            InvalidRequest: it cannot be played in.
        """
        env = request.grader.environment
        if env is None:
            return
        if not is_user_environment(env):
            await self._probes.check_episodes(env, principal.tenant)
            return
        code = await UserEnvironments(self._store, self._clock).code(env, principal, field="grader.env")
        if code.image not in (None, request.image):
            raise InvalidRequest(
                f"image: {env} runs in image {code.image!r}, and the submission beside it; choose that image",
                field="image",
            )

    async def _evaluation(self, run_id: str) -> EvaluationRun:
        run = await self._store.get(run_id)
        assert isinstance(run, EvaluationRun)
        return run

    async def _submit(
        self,
        request: EvaluationRequest,
        principal: Principal,
        idempotency: Idempotency | None,
        place: QueuePlace,
        run_id: str | None = None,
    ) -> tuple[EvaluationRun, bool]:
        now = self._clock.now()
        max_score = scoring.max_score(request)
        run_id = run_id or new_id(Kind.EVALUATION)
        run = EvaluationRun(
            id=run_id,
            tenant=principal.tenant,
            created_by=principal.id,
            request=request,
            document=Evaluation(id=run_id, state="queued", max_score=max_score, created_at=now),
        ).annotated(request.annotations)
        queued = EvaluationQueued(
            stream=run.stream,
            time=now,
            tests=len(request.tests),
            max_score=max_score,
            queue_position=place.position,
            expected_wait_s=place.expected_wait_s,
        )
        stored, created = await self._create(run, queued, idempotency)
        if created:
            self._evaluations.enqueue(stored)
            if (waiting := self._evaluations.place(stored.id)) is not None:
                stored = stored.model_copy(update={"document": stored.document.placed(*waiting, now)})
        return stored, created

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.EVALUATION), principal)
        assert isinstance(run, EvaluationRun)
        if run.final:
            return run
        return await self._uncancellable(self._evaluations.cancel(run, f"cancelled by {principal.id}"))
