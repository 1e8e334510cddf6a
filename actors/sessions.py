"""Trainings: queued fairly, each owned by one trainer at a time, recovered from a checkpoint when that is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from actors.links import Launcher, TrainerLink
from rlplatform.admission import FairQueue
from rlplatform.errors import CapacityExhausted, Conflict, Fenced, NotAllowed, PlatformError
from rlplatform.events import (
    TrainingEvent,
    TrainingFailed,
    TrainingInterrupted,
    TrainingPauseRequested,
    TrainingResumeRequested,
    TrainingStopped,
    TrainingStopRequested,
)
from rlplatform.ports import Clock, Store
from rlplatform.runs import TrainingRun
from rlplatform.settings import TrainingSettings
from rlplatform.training.models import TrainingRequest, TrainingState

log = logging.getLogger(__name__)

_REQUESTED = {"pause": TrainingPauseRequested, "resume": TrainingResumeRequested, "stop": TrainingStopRequested}
_DESIRED = {"pause": "pause", "resume": "run", "stop": "stop"}
_SENSIBLE = {
    "pause": {TrainingState.STARTING, TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.INTERRUPTED},
    "resume": {TrainingState.STARTING, TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.INTERRUPTED},
    "stop": {state for state in TrainingState if not state.final} | {TrainingState.STOPPED},
}


class Sessions:
    """Keeps a trainer on every training that should have one. Holds nothing that the store does not also hold."""

    def __init__(self, store: Store, launcher: Launcher, settings: TrainingSettings, clock: Clock) -> None:
        self._store = store
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self._queue = FairQueue(max_length=10_000)
        self._links: dict[str, TrainerLink] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._draining = False

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        return len(self._tasks)

    @property
    def kept(self) -> set[str]:
        """The ids of the trainings that have, or are about to get, a trainer."""
        return set(self._tasks)

    def check(self, request: TrainingRequest) -> None:
        """:raises NotAllowed, CapacityExhausted, TooManyRequests: the training cannot be taken."""
        if request.engine == "simulated" and not self._settings.allow_simulated:
            raise NotAllowed("the simulated engine is switched off here (RLP_TRAINING__ALLOW_SIMULATED=false)")
        self._launcher.check(request)
        self._queue.check()

    def position(self, run_id: str) -> int | None:
        """How many trainings are admitted before this one; None when it does not wait."""
        return self._queue.order().index(run_id) if run_id in self._queue else None

    def enqueue(self, run: TrainingRun) -> None:
        """Put a stored run in the queue and admit it as soon as there is room."""
        if run.id not in self._tasks:
            self._queue.push(run.tenant, run.id)
            self._pump()

    def restore(self, runs: Sequence[TrainingRun]) -> None:
        """Take up unfinished runs after a restart of ours: those that had begun go before those that had not."""
        for run in sorted(runs, key=lambda run: (run.state == "queued", run.id)):
            if run.state == "queued":
                self.enqueue(run)
            elif run.id not in self._tasks:
                self._keep(run.id)

    async def command(self, run: TrainingRun, command: str, by: str) -> TrainingRun:
        """Record ``pause``, ``resume`` or ``stop`` and pass it on. Idempotent.

        :raises Conflict: it makes no sense in the run's state.
        """
        if run.document.state not in _SENSIBLE[command]:
            raise Conflict(f"cannot {command} a training that is {run.state}", state=run.state)
        if run.final:
            return run
        if run.desired != _DESIRED[command]:
            event = _REQUESTED[command](stream=run.stream, time=self._clock.now(), by=by, simulated=run.simulated)
            await self._store.append(run.stream, [event])
        if command == "stop" and self._queue.remove(run.id):
            await self._finish(run, TrainingStopped, stop_reason="stopped before it began")
        elif link := self._links.get(run.id):
            with suppress(PlatformError):
                await link.command(command)
        return await self._get(run.id)

    async def suspend(self) -> None:
        """Have every trainer save a checkpoint and leave; they are taken up again by the next :meth:`restore`."""
        self._draining = True
        for link in list(self._links.values()):
            with suppress(PlatformError):
                await link.command("suspend")
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    def _pump(self) -> None:
        while len(self._queue) and len(self._tasks) < self._settings.max_running and not self._draining:
            run_id = self._queue.pop()
            assert run_id is not None
            self._keep(run_id)

    def _keep(self, run_id: str) -> None:
        task = asyncio.get_running_loop().create_task(self._own(run_id))
        self._tasks[run_id] = task
        task.add_done_callback(lambda _: self._gone(run_id))

    def _gone(self, run_id: str) -> None:
        self._tasks.pop(run_id, None)
        self._pump()

    async def _own(self, run_id: str) -> None:
        """Keep a trainer on a run until the run is final."""
        while not (run := await self._get(run_id)).final and not self._draining:
            try:
                await self._launch(run)
            except (Conflict, Fenced):
                continue
            except CapacityExhausted as error:
                await self._finish(run, TrainingFailed, code=error.code, reason=str(error))
            except Exception as error:
                await self._interrupted(await self._get(run_id), error)

    async def _launch(self, run: TrainingRun) -> None:
        link = await self._launcher.find(run) or await self._launcher.launch(run, await self._store.acquire(run.id))
        self._links[run.id] = link
        try:
            desired = (await self._get(run.id)).desired
            if desired != run.desired:  # it changed while the trainer was being placed
                await link.command({"pause": "pause", "run": "resume", "stop": "stop"}[desired])
            await link.wait()
        finally:
            del self._links[run.id]
            await link.release()

    async def _interrupted(self, run: TrainingRun, error: Exception) -> None:
        log.warning("the trainer of %s was lost: %s", run.id, error)
        if run.final:
            return
        restarts = run.document.restarts
        if run.desired == "stop":
            await self._finish(run, TrainingStopped, stop_reason="stopped while its trainer was lost")
        elif restarts >= self._settings.max_restarts:
            reason = f"gave up after {restarts} restarts; the last: {error}"
            await self._finish(run, TrainingFailed, code="trainer_lost", reason=reason)
        else:
            delay = 0.0 if restarts == 0 else min(60.0, 2.0 ** (restarts - 1))
            await self._store.acquire(run.id)  # fences the lost owner, should it still live
            await self._append(run, TrainingInterrupted, reason=str(error), retry_in_s=delay)
            await self._clock.sleep(delay)

    async def _finish(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        await self._append(run, event, progress=run.document.progress, **fields)

    async def _append(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        now = self._clock.now()
        with suppress(Conflict):
            await self._store.append(
                run.stream, [event(stream=run.stream, time=now, simulated=run.simulated, **fields)]
            )

    async def _get(self, run_id: str) -> TrainingRun:
        run = await self._store.get(run_id)
        assert isinstance(run, TrainingRun)
        return run
