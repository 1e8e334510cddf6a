"""The supervisor: compares the desired state (the store) with the actual state (live actors), and acts.

It admits, dispatches, recovers and reaps, and carries out the API's commands. It holds only what the store also holds:
a new supervisor continues where the last one stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from actors.evaluation.scheduler import EvaluationScheduler
from actors.ports import Launcher
from actors.training.scheduler import TrainingScheduler
from rlplatform.access.principals import Principal
from rlplatform.algorithms.ppo.presets import resolve
from rlplatform.clock import Clock, SystemClock
from rlplatform.environments.facts import EnvironmentProbes
from rlplatform.environments.options import EnvOptions
from rlplatform.errors import InvalidRequest, NotFound, PlatformError, QuotaExceeded, ServiceError, Unavailable
from rlplatform.evaluation import scoring
from rlplatform.evaluation.attachments import check_attachments, evaluation_that_uses
from rlplatform.evaluation.events import EvaluationQueued
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.submissions import check_submission
from rlplatform.files.ports import FileStorage
from rlplatform.files.service import FileService
from rlplatform.health import Dependency, PlatformStatus
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.maintenance.retention import Retention
from rlplatform.probing.prober import Prober
from rlplatform.quotas.service import QuotaService
from rlplatform.retries import with_timeout
from rlplatform.runs.events import Event
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency
from rlplatform.runs.records import Run
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.scheduling.priorities import check_priority
from rlplatform.settings import Settings
from rlplatform.store import Store
from rlplatform.training.events import TrainingQueued
from rlplatform.training.models import CheckpointInfo, Training, TrainingCheck, TrainingRequest, TrainingState
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun
from rlplatform.training.request_checks import check_continues, check_facts, check_hyperparameters, planned

log = logging.getLogger(__name__)

RECONCILE_S = 2.0
DRAIN_S = 20.0
SETTLE_S = 5.0
SWEEP_S = 3600.0
PAGE = 100

R = TypeVar("R", EvaluationRun, TrainingRun)

_UNFINISHED: dict[type[Run], tuple[str, tuple[str, ...]]] = {
    EvaluationRun: ("evaluation", ("queued", "running")),
    TrainingRun: ("training", tuple(state.value for state in TrainingState if not state.final)),
}


class Supervisor:
    """Implements the ``Commands`` port over a store and a launcher."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        checkpoints: CheckpointStore,
        launcher: Launcher,
        clock: Clock,
        probes: EnvironmentProbes | None = None,
        files: FileStorage | None = None,
    ) -> None:
        """``probes`` None: environments are probed in a process that is started for it. ``files`` None: there are
        none."""
        self._settings = settings
        self._store = store
        self._checkpoints = checkpoints
        self._launcher = launcher
        self._clock = clock
        self._probes = probes or Prober(SystemClock(), **settings.training.probe_limits)
        self._wake = asyncio.Event()
        self._evaluations = EvaluationScheduler(store, settings.evaluation, clock, self._wake.set, self._mark_stale)
        self._trainings = TrainingScheduler(store, launcher, settings.training, clock)
        self._accounts = QuotaService(store, settings.quotas, clock, checkpoints)
        self._retention = Retention(store, checkpoints, settings.retention, clock, launcher.delete_run_folders)
        self._files = None
        if files is not None:
            self._files = FileService(store, files, clock, settings.files, in_use=partial(evaluation_that_uses, store))
        self._reconciling = asyncio.Lock()
        self._draining = False
        self._restored = asyncio.Event()
        self._stale = False
        self._commands: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Reconcile until :meth:`drain`, at once when an evaluator is lost. Meanwhile, sweep every hour."""
        sweeping = asyncio.get_running_loop().create_task(self._sweep())
        warming = asyncio.get_running_loop().create_task(self._probes.warm_up())
        try:
            await self._reconcile_on()
        finally:
            sweeping.cancel()
            warming.cancel()

    async def _sweep(self) -> None:
        """Remove, now and then, unfinished checkpoints of killed trainers, and runs that retention no longer keeps."""
        sweeps = {
            "checkpoints that were never committed": partial(asyncio.to_thread, self._checkpoints.sweep),
            "runs that are kept no more": self._retention.sweep,
        }
        if self._files is not None:
            sweeps["files that are kept no more"] = partial(self._files.sweep, self._settings.retention)
        while True:
            for what, sweep in sweeps.items():
                try:
                    if swept := await sweep():
                        log.info("removed %d %s", swept, what)
                except Exception as error:
                    unknown = not isinstance(error, PlatformError)
                    log.warning("cannot remove %s; trying again in %g s: %s", what, SWEEP_S, error, exc_info=unknown)
            await self._clock.sleep(SWEEP_S)

    async def _reconcile_on(self) -> None:
        while not self._draining:
            self._wake.clear()
            try:
                await self.reconcile()
            except Exception:
                log.exception("reconciling failed; trying again")
            with suppress(TimeoutError):
                await with_timeout(self._clock, RECONCILE_S, self._wake.wait())

    async def reconcile(self) -> None:
        """Make one round: adopt unfinished runs that are unknown, look for evaluators, free what nobody owns."""
        async with self._reconciling:
            if self._draining:
                return
            anew = self._stale or not self._restored.is_set()
            self._stale = False
            try:
                if anew:
                    await self._trainings.restore([run async for run in self._unfinished(TrainingRun)])
                await self._evaluations.refresh(await self._launcher.evaluators())
                if anew:
                    await self._evaluations.restore([run async for run in self._unfinished(EvaluationRun)])
            except BaseException:
                self._stale = self._stale or anew
                raise
            self._restored.set()
            await self._update_weights()
            await self._enforce()
            await self._trainings.reap()
            await self._launcher.prepare()

    async def drain(self, grace_s: float = DRAIN_S) -> None:
        """Stop admitting, let evaluations end, have trainings save a checkpoint and leave, remove every container.

        What has not ended after ``grace_s`` is interrupted; the next start adopts it.
        """
        self._draining = True
        self._wake.set()
        await asyncio.gather(self._evaluations.drain(grace_s), self._trainings.suspend(grace_s))
        async with self._reconciling:
            await self._launcher.close()
        await self._evaluations.drain(SETTLE_S)
        await self._trainings.reap()
        await self._probes.close()

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation (see the port)."""
        check_submission(request, self._settings.evaluation.max_output_kb)
        if request.grader.kind == "episode":
            await self._probes.check_episodes(request.grader.env, principal.tenant)
        await self._open()
        try:
            check_priority(request.priority, principal)
            await check_attachments(request, self._files, principal, self._settings.files.cache_bytes)
            quotas = await self._accounts.check_evaluations(principal.tenant)
            with self._evaluations.admit(request, principal.tenant, quotas) as place:
                return await self._submit(request, principal, idempotency, place)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, EvaluationRun, idempotency, refusal)

    async def _submit(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None, place: QueuePlace
    ) -> tuple[EvaluationRun, bool]:
        now = self._clock.now()
        max_score = scoring.max_score(request)
        run_id = new_id(Kind.EVALUATION)
        run = EvaluationRun(
            id=run_id,
            tenant=principal.tenant,
            created_by=principal.id,
            request=request,
            document=Evaluation(id=run_id, state="queued", max_score=max_score, created_at=now),
        )
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
            if (place := self._evaluations.place(stored.id)) is not None:
                stored = stored.model_copy(update={"document": stored.document.placed(*place, now)})
        return stored, created

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.EVALUATION), principal)
        assert isinstance(run, EvaluationRun)
        return (
            run
            if run.final
            else await self._uncancellable(self._evaluations.cancel(run, f"cancelled by {principal.id}"))
        )

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training (see the port)."""
        await self._open()
        try:
            check_priority(request.priority, principal)
            await self._trainings.check(request)
            image = await self._check_environment(request, principal.tenant)
            quotas = await self._accounts.check_trainings(principal.tenant)
            with self._trainings.admit(request, principal.tenant, quotas) as place:
                if request.resume_from is None:
                    return await self._start(request, principal, idempotency, place)
                async with self._retention.removing:
                    parent = await self._parent(request, principal, image=image)
                    return await self._start(request, principal, idempotency, place, parent)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, TrainingRun, idempotency, refusal)

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training and start nothing (see the port)."""
        await self._open()
        check_priority(request.priority, principal)
        await self._trainings.check(request)
        image = await self._check_environment(request, principal.tenant)
        if request.resume_from is not None:
            await self._parent(request, principal, image=image)
        return await asyncio.to_thread(planned, request)

    async def _check_environment(self, request: TrainingRequest, tenant: str) -> bool:
        """Check what the request says of environment and hyperparameters; True if its observations are images."""
        if request.engine == "simulated":
            await self._probes.check_known(request.env, request.env_config, tenant)
            await asyncio.to_thread(check_hyperparameters, request)
            return False
        await asyncio.to_thread(check_hyperparameters, request)
        facts = await self._probes.facts(request.env, request.env_config, tenant, EnvOptions.of(request))
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
        )
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

    async def status(self) -> PlatformStatus:
        """Return the state of the platform's parts (see the port)."""
        store_ok, store_detail = True, None
        try:
            await with_timeout(self._clock, 2, self._store.summaries("training", limit=1))
        except (PlatformError, TimeoutError) as error:
            store_ok, store_detail = False, str(error) or "no answer within 2 s"
        sandbox_ok, sandbox_detail = self._evaluations.availability()
        ray_ok = self._restored.is_set()
        return PlatformStatus(
            dependencies=(
                Dependency("store", store_ok, store_detail),
                Dependency("sandbox", sandbox_ok, sandbox_detail),
                Dependency("ray", ray_ok, None if ray_ok else "the supervisor is starting"),
            ),
            queued_evaluations=self._evaluations.queued,
            running_evaluations=self._evaluations.running,
            running_trainings=self._trainings.running,
        )

    def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        """Return the place of each run in the queue (see the port)."""
        return [self._evaluations.place(run_id) or self._trainings.place(run_id) for run_id in run_ids]

    async def _update_weights(self) -> None:
        """Give waiting tenants their present shares, also those that an earlier supervisor admitted."""
        for queue in (self._evaluations.queue, self._trainings.queue):
            for tenant in queue.tenants():
                queue.weigh(tenant, (await self._accounts.quotas(tenant)).weight)

    async def _enforce(self) -> None:
        """Stop the trainings of tenants that have used up their environment steps of the day."""
        for tenant in self._trainings.tenants():
            try:
                await self._accounts.check_progress(tenant)
            except QuotaExceeded as exceeded:
                await self._trainings.stop_all(tenant, f"quota_{exceeded.extra['quota']}")

    async def _open(self) -> None:
        if self._draining:
            raise Unavailable("the platform is shutting down")
        if not self._restored.is_set():
            try:
                await with_timeout(self._clock, 10, self._restored.wait())
            except TimeoutError:
                raise Unavailable("the platform is starting") from None

    async def _uncancellable(self, work: Coroutine[Any, Any, R]) -> R:
        """Await ``work`` to its end. Ray cancels a call when its request is gone; no command is left half done."""
        task = asyncio.get_running_loop().create_task(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return await asyncio.shield(task)

    async def _create(self, run: R, first: Event, idempotency: Idempotency | None) -> tuple[R, bool]:
        try:
            stored, created = await self._store.create(run, first, idempotency=idempotency)
        except (ServiceError, asyncio.CancelledError):
            self._mark_stale()  # it may have been stored
            raise
        assert isinstance(stored, type(run))
        return stored, created

    def _mark_stale(self) -> None:
        """Have the next round look for runs that may be in the store alone."""
        self._stale = True

    async def _parent(self, request: TrainingRequest, principal: Principal, *, image: bool) -> CheckpointInfo:
        """:raises InvalidRequest, NotFound: there is no such checkpoint, none that the principal sees, or not one of
        this engine, environment and network."""
        assert request.resume_from is not None
        checkpoint_id = request.resume_from
        try:
            check_id(checkpoint_id, Kind.CHECKPOINT)
            parent = await asyncio.to_thread(self._checkpoints.find, checkpoint_id)
            run = await self._store.get(parent.training_id)
            principal.require_visible(run.tenant, run.created_by, "checkpoint")
            assert isinstance(run, TrainingRun)
            trained = run.document.request
            if trained.engine != request.engine:
                raise InvalidRequest(f"{checkpoint_id} is of engine {trained.engine}, not {request.engine}")
            if trained.env != request.env:
                await self._check_transfer(request, trained, principal.tenant)
        except InvalidRequest as error:
            raise InvalidRequest(f"resume_from: {error}", field="resume_from") from None
        except NotFound:
            raise NotFound(f"resume_from: no such checkpoint: {checkpoint_id}", field="resume_from") from None
        check_continues(request.stop, parent, trained=run.document)
        if request.engine != "simulated":
            ours, theirs = (resolve(each.env, each.preset, each.hyperparameters)[0] for each in (request, trained))
            ours.check_resumes(theirs, image=image)
        return parent

    async def _check_transfer(self, request: TrainingRequest, trained: TrainingRequest, tenant: str) -> None:
        """Check that a policy of ``trained`` fits the environment of ``request``.

        Raises:
            InvalidRequest: the spaces differ; says how.
        """
        why = f"{request.resume_from} is of env {trained.env}, not {request.env}"
        if request.engine == "simulated":
            raise InvalidRequest(why)
        ours, theirs = [
            (await self._probes.facts(each.env, each.env_config, tenant, EnvOptions.of(each))).spaces
            for each in (request, trained)
        ]
        if ours != theirs:
            raise InvalidRequest(f"{why}, and their spaces differ: {theirs} against {ours}")

    async def _owned(self, run_id: str, principal: Principal) -> Run:
        run = await self._store.get(run_id)
        principal.require_visible(run.tenant, run.created_by, run.kind)
        return run

    async def _unfinished(self, cls: type[R]) -> AsyncIterator[R]:
        kind, states = _UNFINISHED[cls]
        before = None
        while page := await self._store.find(kind, states=states, before=before, limit=PAGE):
            for run in page:
                assert isinstance(run, cls)
                yield run
            before = page[-1].id
