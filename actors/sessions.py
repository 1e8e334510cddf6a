"""Trainings: queued fairly, each owned by one trainer at a time, recovered from a checkpoint when that is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from actors.links import Launcher, TrainerLink
from actors.stalls import StallWatch
from rlplatform.access.quotas import Quotas
from rlplatform.admission import Admission, FairQueue
from rlplatform.errors import CapacityExhausted, Conflict, NotAllowed, PlatformError
from rlplatform.events import (
    TrainingEvent,
    TrainingFailed,
    TrainingInterrupted,
    TrainingPauseRequested,
    TrainingResumeRequested,
    TrainingStopped,
    TrainingStopRequested,
)
from rlplatform.ports import Clock, Place, Store
from rlplatform.retries import Backoff, persevere, within
from rlplatform.runs import TrainingRun
from rlplatform.settings import TrainingSettings
from rlplatform.training.models import TrainingRequest, TrainingState

log = logging.getLogger(__name__)

COMMAND_S = 2.0
MAX_DELAY_S = 60.0
WAIT_FOR_ROOM_S = 1.0
SIMULATED_IS_OFF = "the simulated engine is switched off here (RLP_TRAINING__ALLOW_SIMULATED=false)"
SHUTDOWN = "the platform shut down"

_REQUESTED = {"pause": TrainingPauseRequested, "resume": TrainingResumeRequested, "stop": TrainingStopRequested}
_DESIRED = {"pause": "pause", "resume": "run", "stop": "stop"}
_WITH_TRAINER = frozenset({TrainingState.RUNNING, TrainingState.PAUSED})
_COMMANDS = {desired: command for command, desired in _DESIRED.items()}
_BEGUN = {TrainingState.STARTING, TrainingState.RUNNING, TrainingState.PAUSED, TrainingState.INTERRUPTED}
_SENSIBLE = {
    "pause": _BEGUN,
    "resume": _BEGUN,
    "stop": set(TrainingState),
}


@dataclass
class _Kept:
    """A training that has, or is to get, a trainer. ``begun``: it has had one. ``failures``: in a row, with no
    iteration beyond ``furthest``."""

    tenant: str
    task: asyncio.Task[None]
    begun: bool
    link: TrainerLink | None = None
    commanding: asyncio.Lock = field(default_factory=asyncio.Lock)
    failures: int = 0
    furthest: int = -1


class Sessions:
    """Keeps a trainer on every training that should have one. Holds nothing that the store does not also hold."""

    def __init__(self, store: Store, launcher: Launcher, settings: TrainingSettings, clock: Clock) -> None:
        self._store = store
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self._queue = FairQueue()
        self._admission = Admission(self._queue, settings.max_queued, self._active)
        self._kept: dict[str, _Kept] = {}
        self._placing = asyncio.Lock()
        self._stalls = StallWatch(self._get, clock, settings.stall_timeout_s)
        self._draining = False

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        return len(self._kept)

    async def check(self, request: TrainingRequest) -> None:
        """:raises NotAllowed, InvalidRequest, CapacityExhausted: the training cannot be taken."""
        if request.engine == "simulated" and not self._settings.allow_simulated:
            raise NotAllowed(SIMULATED_IS_OFF)
        await self._launcher.check(request)

    def admit(self, request: TrainingRequest, tenant: str, quotas: Quotas) -> AbstractContextManager[Place]:
        """Hold a place for a new training while it is being stored; :meth:`enqueue` it within.

        :raises QuotaExceeded, QueueFull: it is not let in.
        """
        self._queue.weigh(tenant, quotas.weight)
        return self._admission.hold(
            tenant,
            request.priority,
            self._expected_wait_s,
            free=self._free(),
            quota=("concurrent_trainings", quotas.concurrent_trainings),
        )

    def order(self) -> list[str]:
        """The ids that wait, in the order in which they will be admitted if nothing else comes."""
        return self._queue.order()

    def place(self, run_id: str) -> Place | None:
        """Where a run waits; None: it does not, or waits for room alone."""
        position = self._queue.position(run_id)
        return None if position is None else Place(position, self._expected_wait_s(position))

    def tenants(self) -> set[str]:
        """Those who have trainings that are kept."""
        return {kept.tenant for kept in self._kept.values()}

    async def stop_all(self, tenant: str, reason: str) -> None:
        """Stop every training of ``tenant`` that is at work, for ``reason``; one that is paused stays so."""
        for run_id in [run_id for run_id, kept in self._kept.items() if kept.tenant == tenant]:
            run = await self._get(run_id)
            if run.desired == "run" and not run.final:
                log.info("stopping %s: %s", run_id, reason)
                await self.command(run, "stop", "the platform", reason=reason)

    def enqueue(self, run: TrainingRun) -> None:
        """Put a stored run in the queue and admit it as soon as there is room. One that is known stays as it is."""
        if run.id not in self._kept:
            self._queue.push(run.tenant, run.id, run.document.request.priority)
            self._pump()

    def restore(self, runs: Sequence[TrainingRun]) -> None:
        """Take up unfinished runs that are not known here: those that had begun go before those that had not."""
        for run in sorted(runs, key=lambda run: (run.state == "queued", run.id)):
            if run.state == "queued":
                self.enqueue(run)
            elif run.id not in self._kept:
                self._keep(run.tenant, run.id, begun=True)

    async def command(self, run: TrainingRun, command: str, by: str, **fields: str) -> TrainingRun:
        """Record ``pause``, ``resume`` or ``stop`` and pass it on. Idempotent.

        :param fields: further ones of the event: the ``reason`` of a stop.
        :raises Conflict: it makes no sense in the run's state.
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
            except Conflict:  # it has ended meanwhile
                return await self.command(await self._get(run.id), command, by, **fields)
        kept = self._kept.get(run.id)
        if kept and kept.link:
            await self._pass_on(run.id, kept)
        elif command == "stop":
            await self._drop(run)
        return await self._get(run.id)

    async def reap(self) -> None:
        """End every trainer and free every placement of a training that has no business having one."""
        for training_id in await self._launcher.placed():
            if training_id not in self._kept:
                log.warning("freeing what %s was placed on: nobody keeps it", training_id)
                await self._launcher.free(training_id)

    async def suspend(self, grace_s: float) -> None:
        """Have every trainer save a checkpoint and leave, within ``grace_s``; a later :meth:`restore` takes them up."""
        self._draining = True
        await asyncio.gather(*(self._send_off(kept) for kept in list(self._kept.values())))
        await self._gone_within(grace_s)
        for kept in list(self._kept.values()):
            if kept.link:
                await kept.link.release()
        await self._gone_within(COMMAND_S)
        for kept in self._kept.values():
            kept.task.cancel()
        await self._gone_within(COMMAND_S)

    async def _send_off(self, kept: _Kept) -> None:
        if kept.link is None:
            kept.task.cancel()
        else:
            with suppress(PlatformError, TimeoutError):
                await within(self._clock, COMMAND_S, kept.link.command("suspend"))

    async def _gone_within(self, seconds: float) -> None:
        if self._kept:
            with suppress(TimeoutError):
                await within(self._clock, seconds, asyncio.wait({kept.task for kept in self._kept.values()}))

    def _pump(self) -> None:
        while len(self._queue) and len(self._kept) < self._settings.max_running and not self._draining:
            waiting = self._queue.pop()
            assert waiting is not None
            self._keep(*waiting)

    def _free(self) -> int:
        return max(0, self._settings.max_running - len(self._kept))

    def _expected_wait_s(self, position: int) -> float | None:
        """Trainings take what they take: nobody knows when one that runs makes room."""
        return 0.0 if position < self._free() else None

    def _active(self, tenant: str) -> int:
        return sum(kept.tenant == tenant for kept in self._kept.values())

    def _keep(self, tenant: str, run_id: str, *, begun: bool = False) -> _Kept:
        kept = self._kept[run_id] = _Kept(tenant, asyncio.get_running_loop().create_task(self._own(run_id)), begun)
        kept.task.add_done_callback(lambda _: self._gone(run_id, kept))
        return kept

    def _gone(self, run_id: str, kept: _Kept) -> None:
        if self._kept.get(run_id) is kept:
            del self._kept[run_id]
        self._pump()

    async def _drop(self, run: TrainingRun) -> None:
        """End a run that is to stop and has no trainer yet, whatever it waits for."""
        self._queue.remove(run.id)
        if (kept := self._kept.get(run.id)) and not kept.task.cancelling():
            kept.task.cancel()
            await asyncio.wait({kept.task})
        kept = self._kept.get(run.id) or self._keep(run.tenant, run.id, begun=run.state != "queued")
        with suppress(TimeoutError):
            await within(self._clock, COMMAND_S, asyncio.wait({kept.task}))

    async def _own(self, run_id: str) -> None:
        """Keep a trainer on a run until the run is final, past every failure of store and cluster."""
        backoff = Backoff(self._clock, most_s=10.0)
        try:
            while not self._draining:
                try:
                    if await self._attend(run_id):
                        return
                    backoff = Backoff(self._clock, most_s=10.0)
                except Exception as error:
                    log.error(
                        "attending to %s failed; trying again: %s",
                        run_id,
                        error,
                        exc_info=not isinstance(error, PlatformError),
                    )
                    await backoff.wait()
        finally:
            with suppress(PlatformError):
                await self._launcher.free(run_id)

    async def _attend(self, run_id: str) -> bool:
        """One trainer's life, from its placement to its end; whether the run is final."""
        run = await self._get(run_id)
        if run.final:
            return True
        if link := await self._link(run):
            await self._interrupted(run_id, await self._follow(run_id, link))
        return False

    async def _link(self, run: TrainingRun) -> TrainerLink | None:
        """The run's trainer, the one that lives or a new one; None where it has been settled without, or must wait."""
        if link := await self._launcher.find(run):
            return link
        if run.desired == "stop":
            await self._finish(run, TrainingStopped, stop_reason=run.stop_reason)
            return None
        if run.simulated and not self._settings.allow_simulated:
            await self._finish(run, TrainingFailed, code=NotAllowed.code, reason=SIMULATED_IS_OFF)
            return None
        if run.document.state in _WITH_TRAINER:
            await self._interrupt(run, reason="its trainer was lost while nobody watched", retry_in_s=0.0)
            return None
        async with self._placing if run.document.started_at is None else nullcontext():  # first come, first placed
            epoch = await self._store.acquire(run.id)
            try:
                return await self._launcher.launch(run, epoch)
            except Exception as error:
                failure = error
        if not isinstance(failure, CapacityExhausted):
            await self._interrupted(run.id, failure)
        elif any(kept.begun for kept in self._kept.values()):
            await self._wait_for_room(run, failure)
        else:
            await self._finish(run, TrainingFailed, code=failure.code, reason=str(failure))
        return None

    async def _wait_for_room(self, run: TrainingRun, full: CapacityExhausted) -> None:
        """Others have the room, or the node that ``run`` was on is gone: that is no failure of its own, nor counted."""
        reason = f"waits for room: {full}"
        log.info("%s %s", run.id, reason)
        if self._kept[run.id].begun and run.document.message != reason:
            await self._interrupt(run, reason=reason, retry_in_s=WAIT_FOR_ROOM_S, planned=True)
        await self._clock.sleep(WAIT_FOR_ROOM_S)

    async def _follow(self, run_id: str, link: TrainerLink) -> Exception | None:
        """Wait for the end of a trainer; what it broke off with, if anything."""
        kept = self._kept[run_id]
        kept.link, kept.begun = link, True
        try:
            await self._persevere(self._pass_on, run_id, kept)
            await self._stalls.over(run_id, link.wait())
        except Exception as error:
            return error
        finally:
            kept.link = None
            with suppress(PlatformError):
                await link.release()
        return None

    async def _pass_on(self, run_id: str, kept: _Kept) -> None:
        """Tell the trainer what is wished of it, the newest wish last."""
        async with kept.commanding:
            run = await self._get(run_id)
            reason = (run.stop_reason,) if run.desired == "stop" else ()
            if kept.link:
                with suppress(PlatformError, TimeoutError):
                    await within(self._clock, COMMAND_S, kept.link.command(_COMMANDS[run.desired], *reason))

    async def _interrupted(self, run_id: str, error: Exception | None) -> None:
        """The trainer is gone: settle what follows, if the run is not over."""
        run: TrainingRun = await self._persevere(self._get, run_id)
        if run.final:
            return
        kept = self._kept[run_id]
        reason = str(error) if error else "the trainer left without an end"
        if self._draining:
            await self._interrupt(run, reason=SHUTDOWN, retry_in_s=0.0, planned=True)
            return
        log.warning("the trainer of %s was lost: %s", run_id, reason)
        if run.document.progress.iteration > kept.furthest:
            kept.furthest, kept.failures = run.document.progress.iteration, 0
        if run.desired == "stop":
            await self._finish(run, TrainingStopped, stop_reason=run.stop_reason)
        elif kept.failures >= self._settings.max_restarts:
            reason = f"gave up after {kept.failures} restarts without progress; the last: {reason}"
            await self._finish(run, TrainingFailed, code="trainer_lost", reason=reason)
        else:
            delay = min(MAX_DELAY_S, 2.0 ** min(kept.failures - 1, 10)) if kept.failures else 0.0
            kept.failures += 1
            await self._interrupt(run, reason=reason, retry_in_s=delay)
            await self._clock.sleep(delay)

    async def _interrupt(self, run: TrainingRun, **fields: object) -> None:
        await self._persevere(self._store.acquire, run.id)  # fences the lost owner, should it still live
        await self._append(run, TrainingInterrupted, **fields)

    async def _finish(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        await self._append(run, event, progress=run.document.progress, **fields)

    async def _append(self, run: TrainingRun, event: type[TrainingEvent], **fields: object) -> None:
        envelope = {"stream": run.stream, "time": self._clock.now(), "simulated": run.simulated}
        with suppress(Conflict):
            await self._persevere(self._store.append, run.stream, [event.model_validate(envelope | fields)])

    async def _persevere(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        return await persevere(self._clock, partial(call, *args))

    async def _get(self, run_id: str) -> TrainingRun:
        run = await self._store.get(run_id)
        assert isinstance(run, TrainingRun)
        return run


def _refused(run: TrainingRun, command: str) -> bool:
    stopping = run.desired == "stop" and command != "stop"
    return stopping or run.document.state not in _SENSIBLE[command]


def _described(run: TrainingRun) -> str:
    return "being stopped" if run.desired == "stop" and not run.final else run.state
