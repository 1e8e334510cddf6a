"""The evaluator of a node: owns its sandbox pool and runs the judge, one thread for each evaluation at work."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rlplatform.evaluation.judge import Judge

from rlplatform.errors import Conflict, Fenced, PlatformError, SandboxUnavailable
from rlplatform.evaluation.models import TestResult
from rlplatform.events import EvaluationFinished, EvaluationStarted, EvaluationTestFinished
from rlplatform.outbox import Outbox
from rlplatform.ports import Clock, EventLog, SandboxPool
from rlplatform.runs import EvaluationRun
from rlplatform.sandbox.models import PoolStatus, Tier

log = logging.getLogger(__name__)

RETRY_S = 5.0


class Evaluator:
    """Evaluates what it is handed. Without a pool it says why and keeps trying; nothing ever runs outside of one."""

    def __init__(self, make_pool: Callable[[], SandboxPool], events: EventLog, clock: Clock, slots: int) -> None:
        self._make_pool = make_pool
        self._events = events
        self._clock = clock
        self._threads = ThreadPoolExecutor(slots + 1, thread_name_prefix="judge")
        self._pool: SandboxPool | None = None
        self._reason = "the sandbox is being prepared"
        self._cancels: dict[str, threading.Event] = {}
        self._closing = False

    async def prepare(self) -> None:
        """Make the pool, again and again until there is one."""
        loop = asyncio.get_running_loop()
        while self._pool is None and not self._closing:
            try:
                self._pool = await loop.run_in_executor(self._threads, self._make_pool)
            except Exception as error:
                self._reason = str(error)
                log.warning("no sandbox on this node: %s", error)
                await self._clock.sleep(RETRY_S)

    async def status(self) -> PoolStatus:
        """Whether sandboxes can be had here, and the pool's counters."""
        if self._pool is None:
            return PoolStatus(available=False, reason=self._reason, tier=Tier.SINGLE_USE)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._pool.status)

    def active(self) -> list[str]:
        """The ids of the runs at work."""
        return list(self._cancels)

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        """Judge ``run`` and record every step; returns when the result is in the log.

        :raises SandboxUnavailable: there is no pool.
        :raises PlatformError: the attempt failed, by our fault; nothing final has been recorded.
        """
        if self._pool is None:
            raise SandboxUnavailable(self._reason)
        loop = asyncio.get_running_loop()
        outbox = Outbox(self._events, run.stream, epoch, self._clock)
        cancelled = self._cancels[run.id] = threading.Event()

        def on_result(result: TestResult) -> None:
            loop.call_soon_threadsafe(note, result)

        def note(result: TestResult) -> None:
            try:
                outbox.put(
                    EvaluationTestFinished(stream=run.stream, time=self._clock.now(), attempt=attempt, result=result)
                )
            except PlatformError:
                cancelled.set()  # another owner has the run, or it is over: stop working on it

        try:
            outbox.put(EvaluationStarted(stream=run.stream, time=self._clock.now(), attempt=attempt))
            judge = Judge(self._pool, self._clock)
            judgement = await loop.run_in_executor(self._threads, judge.judge, run.request, on_result, cancelled)
            if cancelled.is_set():
                return
            outbox.put(
                EvaluationFinished(
                    stream=run.stream,
                    time=self._clock.now(),
                    verdict=judgement.verdict,
                    score=judgement.score,
                    max_score=run.document.max_score,
                    tests=judgement.tests,
                    sandbox=judgement.sandbox,
                )
            )
            await outbox.flush()
        except (Fenced, Conflict):
            log.info("%s has another owner or is over", run.id)
        finally:
            del self._cancels[run.id]

    async def cancel(self, run_id: str) -> None:
        """Stop working on a run, if it is at work here."""
        if cancelled := self._cancels.get(run_id):
            cancelled.set()
        while run_id in self._cancels:
            await self._clock.sleep(0.005)

    async def close(self) -> None:
        """Remove every container."""
        self._closing = True
        for cancelled in self._cancels.values():
            cancelled.set()
        if self._pool is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._pool.close)
