"""Controller of one training: places, follows and recovers its trainer until the training has finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from actors.ports import Launcher, RemoteTrainer
from actors.training.stall_detector import StallDetector
from rlplatform.clock import Clock
from rlplatform.errors import CapacityExhausted, Conflict, NotAllowed, PlatformError
from rlplatform.retries import Backoff, retry, with_timeout
from rlplatform.runs.ports import RunStore
from rlplatform.settings import TrainingSettings
from rlplatform.spans import span
from rlplatform.store import Store
from rlplatform.telemetry import log_context
from rlplatform.training.events import (
    TrainingEvent,
    TrainingFailed,
    TrainingInterrupted,
    TrainingPaused,
    TrainingStopped,
    TrainingWaiting,
)
from rlplatform.training.models import TrainingState
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

COMMAND_S = 2.0
MAX_DELAY_S = 60.0
WAIT_FOR_ROOM_S = 1.0
SIMULATED_IS_OFF = "the simulated engine is switched off here (RLP_TRAINING__ALLOW_SIMULATED=false)"
SHUTDOWN = "the platform shut down"
MOVES = "its node leaves the cluster"

COMMANDS = {"run": "resume", "pause": "pause", "stop": "stop"}
"""Command to send to a trainer, by the desired state of its training."""


@dataclass
class ControllerContext:
    """State that all controllers of a supervisor share: turns for placement, and the flag that ends new trainers
    while draining."""

    store: Store
    launcher: Launcher
    settings: TrainingSettings
    clock: Clock
    stalls: StallDetector
    controllers: dict[str, TrainingController] = field(default_factory=dict)
    placing: asyncio.Lock = field(default_factory=asyncio.Lock)
    draining: bool = False


class TrainingController:
    """Controller of the trainer of one training.

    ``task`` ends when the training has finished or is paused. ``begun`` is True if the training has had a trainer. A
    training fails after ``max_restarts`` consecutive failures without an iteration beyond the furthest one.
    """

    def __init__(self, run_id: str, tenant: str, context: ControllerContext, *, begun: bool = False) -> None:
        self.run_id = run_id
        self.tenant = tenant
        self.begun = begun
        self.link: RemoteTrainer | None = None
        self._context = context
        self._store = context.store
        self._launcher = context.launcher
        self._settings = context.settings
        self._clock = context.clock
        self._commanding = asyncio.Lock()
        self._failures = 0
        self._furthest = -1
        self._moving = False
        self.task = asyncio.get_running_loop().create_task(
            log_context.around(log_context.of_run(run_id, tenant), self._own())
        )

    async def sync_command(self) -> None:
        """Send the trainer its latest desired state."""
        async with self._commanding:
            run = await self._get()
            reason = (run.stop_reason,) if run.desired == "stop" else ()
            await self._tell(COMMANDS[run.desired], *reason)

    async def suspend(self) -> None:
        """Make the trainer save a checkpoint and exit."""
        if self.link is None:
            self.task.cancel()
        else:
            await self._tell("suspend")

    async def move(self) -> None:
        """Make the trainer save a checkpoint and exit, so that another continues on a node that stays. Idempotent."""
        if self.link is not None and not self._moving:
            self._moving = True
            log.info("%s moves: its node leaves the cluster", self.run_id)
            await self._tell("suspend")

    async def _tell(self, command: str, *details: str) -> None:
        if self.link:
            with suppress(PlatformError, TimeoutError):
                await with_timeout(self._clock, COMMAND_S, self.link.command(command, *details))

    async def _own(self) -> None:
        """Serve the run until it needs no trainer, and survive every failure of store and cluster."""
        backoff = Backoff(self._clock, most_s=10.0)
        try:
            while not self._context.draining:
                try:
                    if await self._attend():
                        return
                    backoff = Backoff(self._clock, most_s=10.0)
                except Exception as error:
                    log.error(
                        "attending to %s failed; trying again: %s",
                        self.run_id,
                        error,
                        exc_info=not isinstance(error, PlatformError),
                    )
                    await backoff.wait()
        finally:
            with suppress(PlatformError):
                await self._launcher.free(self.run_id)

    async def _attend(self) -> bool:
        """Follow one trainer from its placement to its end; True if the run no longer needs a trainer."""
        run = await self._get()
        if run.final or is_paused(run):
            return True
        self.begun = self.begun or run.document.started_at is not None
        with span("training", root=True, run=self.run_id, tenant=self.tenant):
            if link := await self._link(run):
                await self._interrupted(await self._follow(link))
        return False

    async def _link(self, run: TrainingRun) -> RemoteTrainer | None:
        """Return the run's living trainer, or a new one; None if the run was settled without a trainer, or has to
        wait."""
        if link := await self._launcher.find(run):
            return link
        if run.desired == "stop":
            await self._finish(run, TrainingStopped, stop_reason=run.stop_reason)
            return None
        if run.desired == "pause":
            await self._persevere(self._store.acquire, run.id)
            await self._finish(run, TrainingPaused)
            return None
        if run.simulated and not self._settings.allow_simulated:
            await self._finish(run, TrainingFailed, code=NotAllowed.code, reason=SIMULATED_IS_OFF)
            return None
        if run.document.state is TrainingState.RUNNING:
            await self._interrupt(run, reason="its trainer was lost while nobody watched", retry_in_s=0.0)
            return None
        first_come_first_placed = self._context.placing if run.document.started_at is None else nullcontext()
        async with first_come_first_placed:
            epoch = await self._store.acquire(run.id)
            try:
                return await self._launcher.launch(run, epoch)
            except Exception as error:
                failure = error
        if not isinstance(failure, CapacityExhausted):
            await self._interrupted(failure)
        elif self._launcher.grows or any(controller.begun for controller in self._context.controllers.values()):
            await self._wait_for_room(run, failure)
        else:
            await self._finish(run, TrainingFailed, code=failure.code, reason=str(failure))
        return None

    async def _wait_for_room(self, run: TrainingRun, full: CapacityExhausted) -> None:
        """Wait a moment for room, and record once that the run waits.

        Waiting counts neither as a failure nor as a restart.
        """
        reason = f"waits for room: {full}" + (" (the autoscaler is asked for nodes)" if self._launcher.grows else "")
        if run.document.message != reason:
            log.info("%s %s", run.id, reason)
            if self.begun:
                await self._interrupt(run, reason=reason, retry_in_s=WAIT_FOR_ROOM_S, planned=True)
            else:
                await self._append(run, TrainingWaiting, reason=reason)
        await self._clock.sleep(WAIT_FOR_ROOM_S)

    async def _follow(self, link: RemoteTrainer) -> Exception | None:
        """Wait for the end of a trainer; return its error, if it ended with one."""
        self.link, self.begun = link, True
        try:
            await self._persevere(self.sync_command)
            await self._context.stalls.wait(self.run_id, link.wait())
        except Exception as error:
            return error
        finally:
            self.link = None
            with suppress(PlatformError):
                await link.release()
        return None

    async def _interrupted(self, error: Exception | None) -> None:
        """Decide what follows the loss of the trainer, unless the run has finished."""
        run: TrainingRun = await self._persevere(self._get)
        if run.final or is_paused(run) or (error is None and run.document.state is TrainingState.PAUSED):
            return
        reason = str(error) if error else "the trainer left without an end"
        if self._context.draining:
            await self._interrupt(run, reason=SHUTDOWN, retry_in_s=0.0, planned=True)
            return
        if self._moving:
            self._moving = False
            await self._interrupt(run, reason=MOVES, retry_in_s=0.0, planned=True)
            await self._launcher.free(self.run_id)  # its reserved resources are on the node that leaves
            return
        log.warning("the trainer of %s was lost: %s", self.run_id, reason)
        if run.document.progress.iteration > self._furthest:
            self._furthest, self._failures = run.document.progress.iteration, 0
        if run.desired == "stop":
            await self._finish(run, TrainingStopped, stop_reason=run.stop_reason)
        elif self._failures >= self._settings.max_restarts:
            reason = f"gave up after {self._failures} restarts without progress; the last: {reason}"
            await self._finish(run, TrainingFailed, code="trainer_lost", reason=reason)
        else:
            delay = min(MAX_DELAY_S, 2.0 ** min(self._failures - 1, 10)) if self._failures else 0.0
            self._failures += 1
            await self._interrupt(run, reason=reason, retry_in_s=delay)
            await self._clock.sleep(delay)

    async def _interrupt(self, run: TrainingRun, **fields: object) -> None:
        await self._persevere(self._store.acquire, run.id)  # fences the lost owner in case it still lives
        await self._append(run, TrainingInterrupted, **fields)

    async def _finish(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        await self._append(run, event, progress=run.document.progress, **fields)

    async def _append(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        envelope = {"stream": run.stream, "time": self._clock.now(), "simulated": run.simulated}
        with suppress(Conflict):
            await self._persevere(self._store.append, run.stream, [event.model_validate(envelope | fields)])

    async def _persevere(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await retry(self._clock, partial(call, *args))

    async def _get(self) -> TrainingRun:
        return await training(self._store, self.run_id)


def is_paused(run: TrainingRun) -> bool:
    """Return True if the run is paused and meant to be: it needs no trainer until it is resumed."""
    return run.document.state is TrainingState.PAUSED and run.desired == "pause"


async def training(store: RunStore, run_id: str) -> TrainingRun:
    """Return the training with this id."""
    run = await store.get(run_id)
    assert isinstance(run, TrainingRun)
    return run
