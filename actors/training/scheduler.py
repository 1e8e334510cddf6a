"""Schedule trainings: queue them fairly, give each one trainer at a time, and recover lost ones from a checkpoint."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial

from actors.ports import Launcher
from actors.training.controller import (
    COMMAND_S,
    COMMANDS,
    SIMULATED_IS_OFF,
    ControllerContext,
    TrainingController,
    is_paused,
    training,
)
from actors.training.stall_detector import StallDetector
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, NotAllowed
from rlplatform.retries import retry, with_timeout
from rlplatform.scheduling.admission import Admission, QueuePlace
from rlplatform.scheduling.fair_queue import FairQueue
from rlplatform.settings import Quotas, TrainingSettings
from rlplatform.store import Store
from rlplatform.training.events import TrainingPauseRequested, TrainingResumeRequested, TrainingStopRequested
from rlplatform.training.models import TrainingRequest, TrainingState
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

_REQUESTED = {"pause": TrainingPauseRequested, "resume": TrainingResumeRequested, "stop": TrainingStopRequested}
_DESIRED = {command: desired for desired, command in COMMANDS.items()}
_BEGUN = {TrainingState.STARTING, TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.INTERRUPTED}
_SENSIBLE = {
    "pause": _BEGUN,
    "resume": _BEGUN,
    "stop": set(TrainingState),
}


class TrainingScheduler:
    """Keeps a trainer on every training that should have one.

    It holds only state that the store also holds.
    """

    def __init__(self, store: Store, launcher: Launcher, settings: TrainingSettings, clock: Clock) -> None:
        self._store = store
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self.queue = FairQueue()
        self._admission = Admission(self.queue, settings.max_queued, self._active)
        stalls = StallDetector(partial(training, store), clock, settings.stall_timeout_s)
        self._context = ControllerContext(store, launcher, settings, clock, stalls)
        self._kept = self._context.controllers
        self._checks: set[asyncio.Task[None]] = set()
        self._capacity = 1

    @property
    def running(self) -> int:
        return len(self._kept)

    @property
    def limit(self) -> int:
        """Number of trainings that may have a trainer at one time."""
        return self._settings.max_running or self._capacity

    def resize(self, capacity: int) -> None:
        """Follow the cluster, which has room for ``capacity`` trainings; where a limit is set, that one holds."""
        self._capacity = max(1, capacity)
        self._pump()

    async def check(self, request: TrainingRequest) -> None:
        """Check that a training could run on this cluster.

        Raises:
            NotAllowed: the simulated engine is switched off.
            InvalidRequest: the cluster can never place it.
        """
        if request.engine == "simulated" and not self._settings.allow_simulated:
            raise NotAllowed(SIMULATED_IS_OFF)
        await self._launcher.check(request)

    def admit(self, request: TrainingRequest, tenant: str, quotas: Quotas) -> AbstractContextManager[QueuePlace]:
        """Hold a place for a new training while it is being stored; call :meth:`enqueue` within.

        Raises:
            QuotaExceeded, QueueFull: the training is not admitted.
        """
        self.queue.weigh(tenant, quotas.weight)
        return self._admission.hold(
            tenant,
            request.priority,
            self._expected_wait_s,
            free=self._free(),
            quota=("concurrent_trainings", quotas.concurrent_trainings),
        )

    def keeps(self, run_id: str) -> bool:
        """Return True if the run has a trainer, will get one next, or is queued for a trainer."""
        return run_id in self._kept or run_id in self.queue

    def place(self, run_id: str) -> QueuePlace | None:
        """Return the place of a run in the queue; None if it is not queued."""
        position = self.queue.position(run_id)
        return None if position is None else QueuePlace(position, self._expected_wait_s(position))

    def tenants(self) -> set[str]:
        """Return the tenants whose trainings have a controller."""
        return {kept.tenant for kept in self._kept.values()}

    def running_by_tenant(self) -> Counter[str]:
        """Return the number of trainings of each tenant that have a trainer or get one next."""
        return Counter(kept.tenant for kept in self._kept.values())

    async def stop_all(self, tenant: str, reason: str) -> None:
        """Stop every training of ``tenant`` that has a trainer, for ``reason``. Paused trainings stay paused."""
        for run_id in [run_id for run_id, kept in self._kept.items() if kept.tenant == tenant]:
            run = await self._training(run_id)
            if run.desired == "run" and not run.final:
                log.info("stopping %s: %s", run_id, reason)
                await self.command(run, "stop", "the platform", reason=reason)

    def enqueue(self, run: TrainingRun) -> None:
        """Put a stored run into the queue and admit it as soon as there is room. A known run is left unchanged."""
        if run.id not in self._kept:
            self.queue.push(run.tenant, run.id, run.document.request.priority)
            self._pump()

    async def restore(self, runs: Sequence[TrainingRun]) -> None:
        """Adopt unfinished runs that are not known here. Runs that had started come before others.

        Queued runs that already have a trainer or a placement come first, so that the limit of placed trainings is
        kept. A paused run that was resumed waits in the queue for its turn; one that stays paused needs nothing.
        """
        placed = await self._launcher.placed() if any(_waits(run) for run in runs) else ()
        for run in sorted(runs, key=lambda run: (_waits(run), run.id not in placed, run.state == "queued", run.id)):
            if _waits(run):
                self.enqueue(run)
            elif run.id not in self._kept and not is_paused(run):
                self._keep(run.tenant, run.id, begun=True)

    async def command(self, run: TrainingRun, command: str, by: str, **fields: str) -> TrainingRun:
        """Record ``pause``, ``resume`` or ``stop`` and forward it. Idempotent.

        Args:
            run: The training.
            command: The command.
            by: Id of the principal.
            fields: Further fields of the event: the ``reason`` of a stop.

        Raises:
            Conflict: the command is not possible in the run's state.
        """
        if _refused(run, command):
            raise Conflict(f"cannot {command} a training that is {_described(run)}", state=run.state)
        if run.final:
            return run
        if run.desired != _DESIRED[command]:
            envelope = {"stream": run.stream, "time": self._clock.now(), "simulated": run.simulated}
            event = _REQUESTED[command].model_validate({**envelope, "by": by, **fields})
            try:
                await self._store.append(run.stream, [event])
            except Conflict:  # the run has ended meanwhile
                return await self.command(await self._training(run.id), command, by, **fields)
        kept = self._kept.get(run.id)
        if kept and kept.link:
            await kept.sync_command()
        elif command == "resume":
            self.enqueue(run)
        else:
            await self._settle(run)
        return await self._training(run.id)

    async def move(self, run_ids: Collection[str]) -> None:
        """Have these trainings continue elsewhere: their nodes are about to leave the cluster."""
        await asyncio.gather(*(kept.move() for run_id, kept in list(self._kept.items()) if run_id in run_ids))

    async def reap(self) -> None:
        """End every trainer and free every placement of trainings without a controller."""
        for training_id in await self._launcher.placed():
            if training_id not in self._kept:
                log.warning("freeing what %s was placed on: nobody keeps it", training_id)
                await self._launcher.free(training_id)

    async def suspend(self, grace_s: float) -> None:
        """Make every trainer save a checkpoint and exit within ``grace_s`` seconds.

        A later :meth:`restore` adopts the runs.
        """
        self._context.draining = True
        await asyncio.gather(*(kept.suspend() for kept in list(self._kept.values())))
        await self._gone_within(grace_s)
        for kept in list(self._kept.values()):
            if kept.link:
                await kept.link.release()
        await self._gone_within(COMMAND_S)
        for kept in self._kept.values():
            kept.task.cancel()
        await self._gone_within(COMMAND_S)

    async def _gone_within(self, seconds: float) -> None:
        if self._kept:
            with suppress(TimeoutError):
                await with_timeout(self._clock, seconds, asyncio.wait({kept.task for kept in self._kept.values()}))

    def _pump(self) -> None:
        while len(self.queue) and len(self._kept) < self.limit and not self._context.draining:
            waiting = self.queue.pop()
            assert waiting is not None
            self._keep(*waiting)

    def _free(self) -> int:
        return max(0, self.limit - len(self._kept))

    def _expected_wait_s(self, position: int) -> float | None:
        """Return 0 if there is room, else None: the duration of a training is unknown."""
        return 0.0 if position < self._free() else None

    def _active(self, tenant: str) -> int:
        return sum(kept.tenant == tenant for kept in self._kept.values())

    def _keep(self, tenant: str, run_id: str, *, begun: bool = False) -> TrainingController:
        kept = self._kept[run_id] = TrainingController(run_id, tenant, self._context, begun=begun)
        kept.task.add_done_callback(lambda _: self._gone(run_id, kept))
        return kept

    def _gone(self, run_id: str, kept: TrainingController) -> None:
        if self._kept.get(run_id) is kept:
            del self._kept[run_id]
        if not kept.task.cancelled() and not self._context.draining:
            check = asyncio.get_running_loop().create_task(self._check_paused(run_id))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)
        self._pump()

    async def _check_paused(self, run_id: str) -> None:
        """Queue a run that was resumed while its controller was ending because of the pause."""
        run = await retry(self._clock, partial(self._training, run_id))
        if run.document.state is TrainingState.PAUSED and run.desired == "run":
            self.enqueue(run)

    async def _settle(self, run: TrainingRun) -> None:
        """Stop or pause a run that has no trainer at the moment, whatever it waits for."""
        self.queue.remove(run.id)
        if (kept := self._kept.get(run.id)) and not kept.task.cancelling():
            kept.task.cancel()
            await asyncio.wait({kept.task})
        kept = self._kept.get(run.id) or self._keep(run.tenant, run.id, begun=run.state != "queued")
        with suppress(TimeoutError):
            await with_timeout(self._clock, COMMAND_S, asyncio.wait({kept.task}))

    async def _training(self, run_id: str) -> TrainingRun:
        return await training(self._store, run_id)


def _waits(run: TrainingRun) -> bool:
    """Return True if the run waits for its turn: it is new, or was paused and then resumed."""
    return run.state == "queued" or (run.document.state is TrainingState.PAUSED and run.desired == "run")


def _refused(run: TrainingRun, command: str) -> bool:
    stopping = run.desired == "stop" and command != "stop"
    return stopping or run.document.state not in _SENSIBLE[command]


def _described(run: TrainingRun) -> str:
    return "being stopped" if run.desired == "stop" and not run.final else run.state
