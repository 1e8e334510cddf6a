"""Schedule evaluations: queue them fairly, lease them to evaluators, retry lost ones elsewhere, record each result
once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from actors.evaluation.evaluators import Evaluators
from actors.ports import RemoteEvaluator
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, PlatformError, SandboxUnavailable, Unavailable
from rlplatform.evaluation.events import EvaluationCancelled, EvaluationFailed, EvaluationRetried
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import created_at
from rlplatform.load import SandboxLoad
from rlplatform.retries import retry, with_timeout
from rlplatform.scheduling.admission import Admission, QueuePlace, ServiceTime
from rlplatform.scheduling.fair_queue import FairQueue
from rlplatform.settings import EvaluationSettings, Quotas
from rlplatform.spans import span
from rlplatform.store import Store
from rlplatform.telemetry import log_context

log = logging.getLogger(__name__)

WATCH_S = 0.2
"""Seconds between two looks at an evaluation that an earlier supervisor has leased."""


@dataclass
class _Lease:
    tenant: str
    link: RemoteEvaluator
    began: float
    cancelled: bool = False


class EvaluationScheduler:
    """Leases queued evaluations to evaluators with a free slot. It holds only state that the store also holds.

    Args:
        on_lost: Called when an evaluator was lost, so that it is replaced soon.
        on_broken: Called when a lease failed unexpectedly: its run exists only in the store until it is restored.
        on_ended: Called with the id of a run that has ended, or whose lease has ended.
    """

    def __init__(
        self,
        store: Store,
        settings: EvaluationSettings,
        clock: Clock,
        on_lost: Callable[[], None] = lambda: None,
        on_broken: Callable[[], None] = lambda: None,
        on_ended: Callable[[str], None] = lambda run_id: None,  # noqa: ARG005
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._on_broken = on_broken
        self._on_ended = on_ended
        self.evaluators = Evaluators(clock, on_lost)
        self.queue = FairQueue()
        self._admission = Admission(self.queue, settings.max_queued, self._active)
        self._service_time = ServiceTime()
        self._leases: dict[str, _Lease] = {}
        self._tried: dict[str, str] = {}
        self._images: dict[str, str | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    @property
    def queued(self) -> int:
        return len(self.queue)

    @property
    def running(self) -> int:
        return len(self._leases)

    def running_by_tenant(self) -> Counter[str]:
        """Return the number of running evaluations of each tenant."""
        return Counter(lease.tenant for lease in self._leases.values())

    def sandboxes(self) -> list[SandboxLoad]:
        """Return the sandboxes of each node with an evaluator."""
        return self.evaluators.load(Counter(lease.link.name for lease in self._leases.values()))

    def admit(self, request: EvaluationRequest, tenant: str, quotas: Quotas) -> AbstractContextManager[QueuePlace]:
        """Hold a place for a new evaluation while it is being stored; call :meth:`enqueue` within.

        While the only evaluator is being replaced, the place is in the queue.

        Raises:
            SandboxUnavailable: no evaluator has a sandbox, or none of the tier works; says why.
            InvalidRequest: no evaluator is configured for the tier.
            UnknownName: no evaluator has the image.
            QuotaExceeded, QueueFull, WaitTooLong: the evaluation is not admitted.
        """
        available, reason = self.evaluators.availability()
        if not available and not self.evaluators.returning():
            raise SandboxUnavailable(f"evaluation is unavailable: {reason}")
        self.evaluators.require(request)
        self.queue.weigh(tenant, quotas.weight)
        return self._admission.hold(
            tenant,
            request.priority,
            self._expected_wait_s,
            free=self._slots()[1],
            max_wait_s=min(request.max_wait_s or self._settings.max_wait_s, self._settings.max_wait_s),
            quota=("concurrent_evaluations", quotas.concurrent_evaluations),
        )

    def place(self, run_id: str) -> QueuePlace | None:
        """Return the place of a run in the queue; None if it is not queued."""
        position = self.queue.position(run_id)
        return None if position is None else QueuePlace(position, self._expected_wait_s(position))

    def enqueue(self, run: EvaluationRun) -> None:
        """Put a stored run into the queue and lease it as soon as there is a slot. A known run is left unchanged."""
        if run.id not in self._leases:
            self._images[run.id] = run.request.own_image
            self.queue.push(run.tenant, run.id, run.request.priority)
            self._pump(run)

    async def cancel(self, run: EvaluationRun, reason: str) -> EvaluationRun:
        """Cancel a run, waiting or running. A finished run is left unchanged."""
        event = EvaluationCancelled(stream=run.stream, time=self._clock.now(), reason=reason)
        with suppress(Conflict):
            await self._store.append(run.stream, [event])
        self.queue.remove(run.id)
        self._images.pop(run.id, None)
        self._tried.pop(run.id, None)
        if lease := self._leases.get(run.id):
            lease.cancelled = True
            with suppress(PlatformError):
                await lease.link.cancel(run.id)
        self._on_ended(run.id)
        return await self._get(run.id)

    async def refresh(self, links: Sequence[RemoteEvaluator]) -> None:
        """Find evaluators, ask for the state of their sandboxes, and end evaluators that hang."""
        await self.evaluators.refresh(links)
        self._pump()

    async def restore(self, runs: Sequence[EvaluationRun]) -> None:
        """Adopt unfinished runs that are not known here. A run in progress stays with its evaluator."""
        owners: dict[str, RemoteEvaluator] = {}
        for link in self.evaluators:
            with suppress(PlatformError):
                owners |= dict.fromkeys(await link.active(), link)
        unknown = [run for run in runs if run.id not in self._leases and run.id not in self.queue]
        for run in unknown:
            if owner := owners.get(run.id):
                self._start(run.tenant, run.id, owner, self._watch(run.id, owner))
        for run in sorted(unknown, key=lambda run: run.id):
            if run.id in owners:
                continue
            if run.state == "queued":
                self.enqueue(run)
            elif lost := await self._lost(run.id, "its evaluator is gone"):
                self.enqueue(lost)
        self._pump()

    async def drain(self, grace_s: float) -> None:
        """Stop leasing, and wait up to ``grace_s`` seconds for running evaluations to end.

        Those that have not ended by then are left unchanged.
        """
        self._draining = True
        if self._tasks:
            with suppress(TimeoutError):
                await with_timeout(self._clock, grace_s, asyncio.wait(set(self._tasks)))

    def _pump(self, fresh: EvaluationRun | None = None) -> None:
        """Lease queued runs while there are free slots. ``fresh`` was just stored and need not be read again."""
        while len(self.queue) and not self._draining and (free := self._free()):
            waiting = self.queue.pop(lambda run_id: any(self._can_run(name, run_id) for name in free))
            if waiting is None:
                return
            tenant, run_id = waiting
            link = self._choose(run_id, free, not_on=self._tried.pop(run_id, None))
            self._images.pop(run_id, None)
            run = fresh if fresh and fresh.id == run_id else None
            self._start(tenant, run_id, link, self._attempt(run_id, link, run))

    def _free(self) -> dict[str, int]:
        """Return the evaluators with a free slot, and the number of leases of each."""
        load = dict.fromkeys(self.evaluators.usable(), 0)
        for lease in self._leases.values():
            if lease.link.name in load:
                load[lease.link.name] += 1
        return {name: used for name, used in load.items() if used < self.evaluators[name].slots}

    def _choose(self, run_id: str, free: Mapping[str, int], not_on: str | None) -> RemoteEvaluator:
        """Return the evaluator with the fewest leases that may have the run, if possible another than ``not_on``."""
        fitting = (name for name in free if self._can_run(name, run_id))
        return self.evaluators[min(fitting, key=lambda name: (name == not_on, free[name]))]

    def _can_run(self, name: str, run_id: str) -> bool:
        return self.evaluators.can_run(name, self._images.get(run_id))

    def _slots(self) -> tuple[int, int]:
        """Return the number of slots of all evaluators with sandboxes, and how many of them are free."""
        usable = self.evaluators.usable()
        slots = sum(self.evaluators[name].slots for name in usable)
        return slots, max(0, slots - sum(lease.link.name in usable for lease in self._leases.values()))

    def _expected_wait_s(self, position: int) -> float | None:
        return self._service_time.expected_wait_s(position, *self._slots())

    def _active(self, tenant: str) -> int:
        return sum(lease.tenant == tenant for lease in self._leases.values())

    def _start(
        self, tenant: str, run_id: str, link: RemoteEvaluator, work: Coroutine[Any, Any, EvaluationRun | None]
    ) -> None:
        self._leases[run_id] = _Lease(tenant, link, self._clock.monotonic())
        task = asyncio.get_running_loop().create_task(
            log_context.around(log_context.of_run(run_id, tenant), self._conclude(run_id, work))
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _conclude(self, run_id: str, work: Coroutine[Any, Any, EvaluationRun | None]) -> None:
        """Wait for the end of a lease. ``work`` returns the run to queue again, if any."""
        again = None
        lease = self._leases[run_id]
        with span("evaluation", root=True, run=run_id, tenant=lease.tenant, evaluator=lease.link.name):
            with span("wait in the queue", since=created_at(run_id)):
                pass
            try:
                again = await work
            except Exception:
                log.exception("the lease of %s broke off", run_id)
                self._on_broken()
        del self._leases[run_id]
        if again and not lease.cancelled:
            self._tried[run_id] = lease.link.name
            self._images[run_id] = again.request.own_image
            self.queue.push(again.tenant, run_id, again.request.priority, front=True)
        elif not lease.cancelled:
            self._service_time.note(self._clock.monotonic() - lease.began)
        self._pump(again)
        if again is None:
            self._on_ended(run_id)

    async def _attempt(self, run_id: str, link: RemoteEvaluator, run: EvaluationRun | None) -> EvaluationRun | None:
        run = run or await self._persevere(self._get, run_id)
        if run.final:
            return None
        attempt = run.document.attempts + 1
        epoch = await self._persevere(self._store.acquire, run_id)
        if self._leases[run_id].cancelled:
            return None
        try:
            await link.evaluate(run, attempt, epoch)
        except Exception as error:
            if self._leases[run_id].cancelled:
                return None
            if isinstance(error, SandboxUnavailable):
                self.evaluators.suspect(link, error)
                return await self._lost(run_id, str(error), attempt=0)
            log.warning("attempt %d of %s was lost on %s: %s", attempt, run_id, link.name, error)
            if isinstance(error, Unavailable):
                self.evaluators.suspect(link, error)
            last = isinstance(error, PlatformError) and not error.retryable
            return await self._lost(run_id, str(error), attempt, last=last)
        return None

    async def _watch(self, run_id: str, link: RemoteEvaluator) -> EvaluationRun | None:
        """Wait for an evaluation that an earlier supervisor has leased."""
        try:
            while run_id in await link.active():
                await self._clock.sleep(WATCH_S)
        except PlatformError as error:
            self.evaluators.suspect(link, error)
        return await self._lost(run_id, "its evaluator is gone")

    async def _lost(self, run_id: str, reason: str, attempt: int = 1, *, last: bool = False) -> EvaluationRun | None:
        """Record a lost attempt, and return the run if it has to be queued again.

        Args:
            run_id: Id of the run.
            reason: Reason of the loss.
            attempt: Number of the attempt; 0 for a refused lease, which counts only if the run had started.
            last: True if another attempt would not help.
        """
        await self._persevere(self._store.acquire, run_id)  # fences the lost owner in case it still lives
        run: EvaluationRun = await self._persevere(self._get, run_id)
        if run.final:
            return None
        if attempt == 0 and run.state == "queued":
            return run
        attempt = max(attempt, run.document.attempts)
        now = self._clock.now()
        event: EvaluationRetried | EvaluationFailed
        if not last and (attempt < self._settings.max_attempts or self._draining):
            event = EvaluationRetried(stream=run.stream, time=now, attempt=attempt, reason=reason)
        else:
            reason = f"gave up after {attempt} attempts; the last: {reason}"
            event = EvaluationFailed(stream=run.stream, time=now, reason=reason)
        try:
            await self._persevere(self._store.append, run.stream, [event])
        except Conflict:
            return None
        return await self._persevere(self._get, run_id) if isinstance(event, EvaluationRetried) else None

    async def _persevere(self, call: Callable[..., Any], *args: Any) -> Any:
        return await retry(self._clock, partial(call, *args))

    async def _get(self, run_id: str) -> EvaluationRun:
        run = await self._store.get(run_id)
        assert isinstance(run, EvaluationRun)
        return run
