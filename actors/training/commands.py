"""Commands for trainings (start, check, pause, resume, stop) and for their checkpoints (delete)."""

from __future__ import annotations

import asyncio

from actors.commands import CommandHandler
from actors.training.scheduler import TrainingScheduler
from rlplatform.access.principals import Principal
from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.environments.facts import EnvironmentFacts, EnvironmentProbes, canonical, check_config
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.errors import InvalidRequest, NotFound, PlatformError
from rlplatform.files.service import FileService
from rlplatform.files.small import read_text
from rlplatform.ids import Kind, check_id, kind_of, new_id
from rlplatform.maintenance.retention import Retention
from rlplatform.quotas.service import QuotaService
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.scheduling.priorities import check_priority
from rlplatform.training.events import TrainingQueued
from rlplatform.training.models import CheckpointInfo, Training, TrainingCheck, TrainingRequest, TrainingState
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun
from rlplatform.training.request_checks import (
    check_continues,
    check_facts,
    check_hyperparameters,
    continued,
    effective,
    planned,
)
from rlplatform.training.reward import MAX_SOURCE, RewardFunction
from rlplatform.user_environments.service import UserEnvironments


class TrainingCommandHandler(CommandHandler):
    """Implements the ``TrainingCommands`` port."""

    _probes: EnvironmentProbes
    _accounts: QuotaService
    _files: FileService | None
    _checkpoints: CheckpointStore
    _retention: Retention
    _trainings: TrainingScheduler

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training (see the port)."""
        await self._open()
        try:
            check_priority(request.priority, principal)
            request = await self._with_reward(request, principal)
            await self._trainings.check(request)
            image = await self._check_environment(request, principal)
            quotas = await self._accounts.check_trainings(principal.tenant)
            with self._trainings.admit(request, principal.tenant, quotas) as place:
                if request.resume_from is None:
                    return await self._start(request, principal, idempotency, place)
                async with self._retention.removing:
                    parent = await self._parent(request, principal, image=image)
                    return await self._start(continued(request, parent), principal, idempotency, place, parent)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, TrainingRun, idempotency, refusal)

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training without starting it (see the port)."""
        await self._open()
        check_priority(request.priority, principal)
        request = await self._with_reward(request, principal)
        await self._trainings.check(request)
        image = await self._check_environment(request, principal)
        if request.resume_from is not None:
            request = continued(request, await self._parent(request, principal, image=image))
        return await asyncio.to_thread(planned, request)

    async def _with_reward(self, request: TrainingRequest, principal: Principal) -> TrainingRequest:
        """Return ``request`` with the text of its reward function, if that is an uploaded file.

        Raises:
            InvalidRequest: there is no such file, or it is no module that a training takes.
        """
        reward = request.reward
        if request.resources.num_gpus_per_learner and (reward is not None or request.wrappers):
            raise InvalidRequest(
                "resources.num_gpus_per_learner: trainings with a reward function or wrappers run on the CPU; leave it "
                "out",
                field="resources.num_gpus_per_learner",
            )
        if reward is None or reward.file is None:
            return request
        source = await read_text(self._files, reward.file, principal, MAX_SOURCE, field="reward.file")
        return request.model_copy(update={"reward": RewardFunction(source=source, entry=reward.entry)})

    async def _facts(self, request: TrainingRequest, principal: Principal) -> EnvironmentFacts:
        if not is_user_environment(request.env):
            options = EnvOptions.of(request)
            return await self._probes.facts(request.env, request.env_config, principal.tenant, options)
        if request.resources.num_gpus_per_learner:
            raise InvalidRequest(
                f"resources.num_gpus_per_learner: {request.env} is an uploaded environment, which is trained on the "
                "CPU; leave it out",
                field="resources.num_gpus_per_learner",
            )
        check_config(request.env_config, len(canonical(request.env_config).encode()))
        code = await UserEnvironments(self._store, self._clock).code(request.env, principal)
        return await asyncio.to_thread(_facts_of_code, code, request)

    async def _check_environment(self, request: TrainingRequest, principal: Principal) -> bool:
        """Check environment and hyperparameters of the request; True if its observations are images."""
        if request.engine == "simulated":
            if is_user_environment(request.env):
                await UserEnvironments(self._store, self._clock).code(request.env, principal)
            else:
                await self._probes.check_known(request.env, request.env_config, principal.tenant)
            await asyncio.to_thread(check_hyperparameters, request)
            return False
        await asyncio.to_thread(check_hyperparameters, request)
        facts = await self._facts(request, principal)
        await asyncio.to_thread(check_facts, request, facts)
        return facts.image

    async def _start(
        self,
        request: TrainingRequest,
        principal: Principal,
        idempotency: Idempotency | None,
        place: QueuePlace,
        parent: CheckpointInfo | None = None,
    ) -> tuple[TrainingRun, bool]:
        now = self._clock.now()
        run_id = new_id(Kind.TRAINING)
        simulated = request.engine == "simulated"
        run = TrainingRun(
            id=run_id,
            tenant=principal.tenant,
            created_by=principal.id,
            charged_env_steps=parent.env_steps if parent is not None else None,
            document=Training(
                id=run_id, state=TrainingState.QUEUED, request=request, simulated=simulated, created_at=now
            ),
        ).annotated(request.annotations)
        queued = TrainingQueued(stream=run.stream, time=now, simulated=simulated, queue_position=place.position)
        stored, created = await self._create(run, queued, idempotency)
        if created:
            self._trainings.enqueue(stored)
        return stored, created

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """Pause, resume or stop (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.TRAINING), principal)
        assert isinstance(run, TrainingRun)
        if command == "resume" and run.desired == "pause" and not run.final:
            quotas = await self._accounts.check_progress(run.tenant)
            if not self._trainings.keeps(run.id):
                with self._trainings.admit(run.document.request, run.tenant, quotas):
                    return await self._uncancellable(self._trainings.command(run, command, principal.id))
        return await self._uncancellable(self._trainings.command(run, command, principal.id))

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        """Delete a checkpoint (see the port)."""
        await self._open()
        checkpoint = await asyncio.to_thread(self._checkpoints.find, checkpoint_id)
        run = await self._owned(checkpoint.training_id, principal)
        assert isinstance(run, TrainingRun)
        await self._retention.delete(checkpoint, run)
        self._accounts.measure(run.tenant)

    async def _parent(self, request: TrainingRequest, principal: Principal, *, image: bool) -> CheckpointInfo:
        """Return the checkpoint that the request resumes from.

        Raises:
            NotFound: there is no such checkpoint, or the principal may not see it.
            InvalidRequest: its engine, environment or network does not fit the request.
        """
        assert request.resume_from is not None
        checkpoint_id = request.resume_from
        try:
            check_id(checkpoint_id, Kind.CHECKPOINT, Kind.TRAINING)
            parent: CheckpointInfo | None = None
            if kind_of(checkpoint_id) is Kind.CHECKPOINT:
                parent = await asyncio.to_thread(self._checkpoints.find, checkpoint_id)
            run = await self._store.get(parent.training_id if parent is not None else checkpoint_id)
            principal.require_visible(run.tenant, run.created_by, "checkpoint")
            assert isinstance(run, TrainingRun)
            parent = parent or await self._newest_checkpoint(run)
            trained = run.document.request
            if trained.engine != request.engine:
                raise InvalidRequest(f"{checkpoint_id} is of engine {trained.engine}, not {request.engine}")
            if trained.env != request.env or (trained.wrappers != request.wrappers and request.engine != "simulated"):
                await self._check_transfer(request, trained, principal)
        except InvalidRequest as error:
            raise InvalidRequest(f"resume_from: {error}", field="resume_from") from None
        except NotFound:
            what = "training" if checkpoint_id.startswith(f"{Kind.TRAINING}_") else "checkpoint"
            raise NotFound(f"resume_from: no such {what}: {checkpoint_id}", field="resume_from") from None
        check_continues(request.stop, parent, trained=run.document)
        if request.engine != "simulated":
            ours, theirs = (effective(each)[0] for each in (request, trained))
            ALGORITHMS[request.algorithm].check_resumes(ours, theirs, image=image)
        return parent

    async def _newest_checkpoint(self, run: TrainingRun) -> CheckpointInfo:
        """Return the newest checkpoint of a training.

        Raises:
            InvalidRequest: it has none.
        """
        if not (found := await asyncio.to_thread(self._checkpoints.list, run.id)):
            raise InvalidRequest(f"{run.id} has no checkpoint to continue from")
        return found[-1]

    async def _check_transfer(self, request: TrainingRequest, trained: TrainingRequest, principal: Principal) -> None:
        """Check that a policy of ``trained`` fits the environment of ``request``.

        Raises:
            InvalidRequest: the spaces differ; says how.
        """
        why = f"{request.resume_from} is of env {trained.env}, not {request.env}"
        if trained.env == request.env:
            why = f"{request.resume_from} was trained with other wrappers"
        if request.engine == "simulated":
            raise InvalidRequest(why)
        ours, theirs = [(await self._facts(each, principal)).spaces for each in (request, trained)]
        if ours != theirs:
            raise InvalidRequest(f"{why}, and their spaces differ: {theirs} against {ours}")


def _facts_of_code(code: UserCode, request: TrainingRequest) -> EnvironmentFacts:
    """Return the facts of an uploaded environment, from the spaces that its contract found; nothing of it runs."""
    from rlplatform.environments.probe import facts_of_code

    return facts_of_code(code, request.env_config, EnvOptions.of(request))
