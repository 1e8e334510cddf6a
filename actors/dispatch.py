"""Evaluations: queued fairly, leased to evaluators, run again elsewhere when an evaluator is lost, recorded once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from actors.links import EvaluatorLink
from rlplatform.admission import FairQueue
from rlplatform.errors import Conflict, Fenced, PlatformError, SandboxUnavailable, Unavailable
from rlplatform.events import EvaluationCancelled, EvaluationFailed, EvaluationRetried
from rlplatform.ports import Clock, Store
from rlplatform.runs import EvaluationRun
from rlplatform.sandbox.models import PoolStatus
from rlplatform.settings import EvaluationSettings

log = logging.getLogger(__name__)


class Dispatcher:
    """Hands queued evaluations to evaluators with a free slot. Holds nothing that the store does not also hold."""

    def __init__(self, store: Store, settings: EvaluationSettings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._queue = FairQueue(settings.max_queued)
        self._waiting: dict[str, EvaluationRun] = {}
        self._running: dict[str, EvaluatorLink] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._links: dict[str, EvaluatorLink] = {}
        self._statuses: dict[str, PoolStatus] = {}

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def running(self) -> int:
        return len(self._running)

    def check_open(self) -> None:
        """Whether an evaluation can be taken now.

        :raises SandboxUnavailable: no evaluator has a sandbox; says why.
        :raises TooManyRequests: the queue is full.
        """
        available, reason = self.availability()
        if not available:
            raise SandboxUnavailable(f"evaluation is unavailable: {reason}")
        self._queue.check()

    def availability(self) -> tuple[bool, str | None]:
        """Whether any evaluator has a sandbox, and if not, why."""
        if any(status.available for status in self._statuses.values()):
            return True, None
        reasons = sorted({status.reason or "unknown reason" for status in self._statuses.values()})
        return False, "; ".join(reasons) or "no node of the cluster offers sandboxes"

    def position(self, run_id: str) -> int | None:
        """How many evaluations are served before this one; None when it does not wait."""
        return self._queue.order().index(run_id) if run_id in self._queue else None

    def enqueue(self, run: EvaluationRun, *, front: bool = False) -> None:
        """Put a stored run in the queue and serve it as soon as there is a slot."""
        self._waiting[run.id] = run
        self._queue.push(run.tenant, run.id, front=front)
        self._pump()

    async def cancel(self, run: EvaluationRun, reason: str) -> EvaluationRun:
        """Cancel a run, waiting or running. One that is final stays as it is."""
        self._queue.remove(run.id)
        self._waiting.pop(run.id, None)
        with suppress(Conflict):
            await self._store.append(
                run.stream, [EvaluationCancelled(stream=run.stream, time=self._clock.now(), reason=reason)]
            )
        if link := self._running.get(run.id):
            with suppress(PlatformError):
                await link.cancel(run.id)
        return await self._get(run.id)

    async def refresh(self, links: Sequence[EvaluatorLink]) -> None:
        """Take note of the evaluators that there are and how their sandboxes fare."""
        statuses = await asyncio.gather(*(link.status() for link in links), return_exceptions=True)
        self._links = {}
        self._statuses = {}
        for link, status in zip(links, statuses, strict=True):
            if isinstance(status, PoolStatus):
                self._links[link.name] = link
                self._statuses[link.name] = status
            else:
                log.warning("evaluator %s does not answer: %s", link.name, status)
        self._pump()

    async def restore(self, runs: Sequence[EvaluationRun]) -> None:
        """Take up unfinished runs after a restart of ours: what an evaluator still works on is left to it."""
        owners: dict[str, EvaluatorLink] = {}
        for link in self._links.values():
            with suppress(PlatformError):
                owners |= dict.fromkeys(await link.active(), link)
        for run in sorted(runs, key=lambda run: run.id):
            if run.id in self._running or run.id in self._waiting:
                continue
            if owner := owners.get(run.id):
                self._running[run.id] = owner
                self._spawn(self._watch(run, owner))
            elif run.state == "queued":
                self.enqueue(run)
            elif await self._lost(run, run.document.attempts, "its evaluator is gone"):
                self.enqueue(await self._get(run.id))

    async def drain(self) -> None:
        """Wait for what runs to end."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _pump(self) -> None:
        while len(self._queue) and (link := self._free_link()):
            run_id = self._queue.pop()
            assert run_id is not None
            self._running[run_id] = link
            self._spawn(self._lease(self._waiting.pop(run_id), link))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _free_link(self) -> EvaluatorLink | None:
        load = {name: 0 for name, status in self._statuses.items() if status.available}
        for link in self._running.values():
            if link.name in load:
                load[link.name] += 1
        free = {name: used for name, used in load.items() if used < self._links[name].slots}
        return self._links[min(free, key=lambda name: free[name])] if free else None

    async def _lease(self, run: EvaluationRun, link: EvaluatorLink) -> None:
        attempt = run.document.attempts + 1
        again = False
        try:
            epoch = await self._store.acquire(run.id)
            await link.evaluate(run, attempt, epoch)
        except (Conflict, Fenced):
            pass  # it became final, or another owner has it
        except Exception as error:
            log.warning("attempt %d of %s was lost on %s: %s", attempt, run.id, link.name, error)
            if isinstance(error, Unavailable | SandboxUnavailable):
                self._statuses.pop(link.name, None)  # until the next refresh finds it well
            again = await self._lost(run, attempt, str(error))
        finally:
            del self._running[run.id]
        if again:
            self.enqueue(await self._get(run.id), front=True)
        else:
            self._pump()

    async def _watch(self, run: EvaluationRun, link: EvaluatorLink) -> None:
        """Wait for an evaluation that an earlier life of ours has leased out."""
        try:
            while run.id in await link.active():
                await self._clock.sleep(0.2)
        except PlatformError as error:
            log.warning("%s was lost on %s: %s", run.id, link.name, error)
        finally:
            del self._running[run.id]
        run = await self._get(run.id)
        if not run.final and await self._lost(run, run.document.attempts, "its evaluator is gone"):
            self.enqueue(await self._get(run.id), front=True)

    async def _lost(self, run: EvaluationRun, attempt: int, reason: str) -> bool:
        """Record a lost attempt; whether the run is to be queued again."""
        now = self._clock.now()
        event: EvaluationRetried | EvaluationFailed
        if attempt < self._settings.max_attempts:
            event = EvaluationRetried(stream=run.stream, time=now, attempt=attempt, reason=reason)
        else:
            event = EvaluationFailed(
                stream=run.stream, time=now, reason=f"gave up after {attempt} attempts; the last: {reason}"
            )
        await self._store.acquire(run.id)  # fences the lost owner, should it still live
        try:
            await self._store.append(run.stream, [event])
        except Conflict:
            return False
        return event.type == "evaluation.retried"

    async def _get(self, run_id: str) -> EvaluationRun:
        run = await self._store.get(run_id)
        assert isinstance(run, EvaluationRun)
        return run
