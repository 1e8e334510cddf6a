"""The supervisor: compares what should be (the store) with what is (live actors), and acts.

It admits, dispatches, recovers and reaps, and takes the API's commands. It holds nothing that the store does not also
hold: a new supervisor takes up where the last one was.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from actors.dispatch import Dispatcher
from actors.links import Launcher
from actors.sessions import Sessions
from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.evaluation.models import Evaluation, EvaluationRequest
from rlplatform.events import EvaluationQueued, TrainingQueued
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.ports import Clock, Dependency, Idempotency, PlatformStatus, Store
from rlplatform.runs import EvaluationRun, Run, TrainingRun
from rlplatform.settings import Settings
from rlplatform.training.models import Training, TrainingRequest, TrainingState

log = logging.getLogger(__name__)

RECONCILE_S = 2.0


class Supervisor:
    """Implements the ``Commands`` port over a store and a launcher."""

    def __init__(self, settings: Settings, store: Store, launcher: Launcher, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._launcher = launcher
        self._clock = clock
        self._evaluations = Dispatcher(store, settings.evaluation, clock)
        self._trainings = Sessions(store, launcher, settings.training, clock)
        self._draining = False
        self._restored = asyncio.Event()

    async def run(self) -> None:
        """Reconcile until :meth:`drain`."""
        while not self._draining:
            try:
                await self.reconcile()
            except Exception:
                log.exception("reconciling failed; trying again")
            await self._clock.sleep(RECONCILE_S)

    async def reconcile(self) -> None:
        """One round: note the evaluators, take up what is unfinished (the first time), reap what nobody owns."""
        await self._evaluations.refresh(await self._launcher.evaluators())
        if not self._restored.is_set():
            await self._evaluations.restore(
                [run for run in await self._unfinished("evaluation") if isinstance(run, EvaluationRun)]
            )
            self._trainings.restore([run for run in await self._unfinished("training") if isinstance(run, TrainingRun)])
            self._restored.set()
        await self._launcher.reap(self._trainings.kept)

    async def drain(self) -> None:
        """Stop admitting, let evaluations end, have trainings save a checkpoint and leave, remove every container."""
        self._draining = True
        await asyncio.gather(self._evaluations.drain(), self._trainings.suspend())
        await self._launcher.reap(set())
        await self._launcher.close()

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation (see the port)."""
        await self._open()
        self._evaluations.check_open()
        now = self._clock.now()
        max_score = sum(test.points for test in request.tests)
        run_id = new_id(Kind.EVALUATION)
        run = EvaluationRun(
            id=run_id,
            tenant=principal.tenant,
            created_by=principal.id,
            request=request,
            document=Evaluation(id=run_id, state="queued", max_score=max_score, created_at=now),
        )
        queued = EvaluationQueued(stream=run.stream, time=now, tests=len(request.tests), max_score=max_score)
        stored, created = await self._store.create(run, queued, idempotency=idempotency)
        assert isinstance(stored, EvaluationRun)
        if created:
            self._evaluations.enqueue(stored)
        return stored, created

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.EVALUATION), principal)
        assert isinstance(run, EvaluationRun)
        return run if run.final else await self._evaluations.cancel(run, f"cancelled by {principal.id}")

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training (see the port)."""
        await self._open()
        self._trainings.check(request)
        now = self._clock.now()
        run_id = new_id(Kind.TRAINING)
        simulated = request.engine == "simulated"
        run = TrainingRun(
            id=run_id,
            tenant=principal.tenant,
            created_by=principal.id,
            document=Training(
                id=run_id, state=TrainingState.QUEUED, request=request, simulated=simulated, created_at=now
            ),
        )
        queued = TrainingQueued(stream=run.stream, time=now, simulated=simulated)
        stored, created = await self._store.create(run, queued, idempotency=idempotency)
        assert isinstance(stored, TrainingRun)
        if created:
            self._trainings.enqueue(stored)
        return stored, created

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """Pause, resume or stop (see the port)."""
        await self._open()
        run = await self._owned(check_id(run_id, Kind.TRAINING), principal)
        assert isinstance(run, TrainingRun)
        return await self._trainings.command(run, command, principal.id)

    async def status(self) -> PlatformStatus:
        """How the platform's parts are (see the port)."""
        store_ok, store_detail = True, None
        try:
            await asyncio.wait_for(self._store.find("training", limit=1), timeout=2)
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

    def positions(self, run_ids: list[str]) -> list[int | None]:
        """For each run, how many are served before it; None when it does not wait."""
        return [
            (self._trainings if run_id.startswith(Kind.TRAINING.value) else self._evaluations).position(run_id)
            for run_id in run_ids
        ]

    async def _open(self) -> None:
        if self._draining:
            raise Unavailable("the platform is shutting down")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._restored.wait(), timeout=10)
        if not self._restored.is_set():
            raise Unavailable("the platform is starting")

    async def _owned(self, run_id: str, principal: Principal) -> Run:
        run = await self._store.get(run_id)
        principal.require_tenant(run.tenant, run.kind)
        return run

    async def _unfinished(self, kind: str) -> list[Run]:
        states = {
            "evaluation": ("queued", "running"),
            "training": tuple(state.value for state in TrainingState if not state.final),
        }[kind]
        found: list[Run] = []
        while page := await self._store.find(kind, states=states, before=found[-1].id if found else None, limit=500):
            found += page
        return found
