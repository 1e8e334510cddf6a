"""Evaluator of a node: owns its sandbox pool, and runs the judge in one thread per running evaluation."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context

from rlplatform.clock import Clock
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.episodes.graded import GradedEpisodes
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.episodes.recorder import RecordedFor
from rlplatform.errors import Conflict, Fenced, PlatformError, SandboxUnavailable, ServiceError
from rlplatform.evaluation.attachments import AttachedFiles
from rlplatform.evaluation.events import EvaluationFinished, EvaluationOutput, EvaluationStarted, EvaluationTestFinished
from rlplatform.evaluation.graders.base import Grader, TestAttempt
from rlplatform.evaluation.graders.episode import EpisodeGrader
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.judge import Bounds, Judge
from rlplatform.evaluation.models import Judgement, TestResult
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.stdout_stream import OutputChunk
from rlplatform.runs.event_writer import EventWriter
from rlplatform.runs.ports import EventLog
from rlplatform.sandbox.models import PoolStatus, Tier
from rlplatform.sandbox.ports import SandboxPool
from rlplatform.spans import span

log = logging.getLogger(__name__)

PREPARING = "the sandbox is being prepared"
RETRY_S = 5.0


class Evaluator:
    """Evaluates the runs that it receives.

    Without a pool it reports the reason and keeps trying; nothing runs outside of a sandbox.
    """

    def __init__(
        self,
        make_pool: Callable[[], SandboxPool],
        events: EventLog,
        clock: Clock,
        slots: int,
        files: AttachedFiles | None = None,
        find_code: Callable[[str, str], Awaitable[UserCode]] | None = None,
        bounds: Bounds | None = None,
        episodes: EpisodeStore | None = None,
    ) -> None:
        """Start without a pool.

        Args:
            files: uploaded files; None: requests that refer to some fail, and none are kept.
            find_code: finds uploaded environments by id and tenant; None: requests that play in one fail.
            bounds: bounds of each judgement; None: the defaults.
            episodes: receives the episodes that agents play; None: they are not recorded.
        """
        self._bounds, self._episodes = bounds, episodes
        self._files = files or AttachedFiles(None, None)
        self._find_code = find_code
        self._make_pool = make_pool
        self._events = events
        self._clock = clock
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="judge")
        self._pool: SandboxPool | None = None
        self._reason = PREPARING
        self._tried = asyncio.Event()
        self._cancels: dict[str, threading.Event] = {}
        self._closing = False

    async def prepare(self) -> None:
        """Make the pool; retry until that succeeds."""
        while self._pool is None and not self._closing:
            try:
                pool = await asyncio.to_thread(self._make_pool)
            except Exception as error:
                self._reason = str(error)
                log.warning("no sandbox on this node: %s", error)
                self._tried.set()
                await self._clock.sleep(RETRY_S)
            else:
                self._pool = pool
                self._tried.set()
        if self._closing:
            await self.close()

    async def status(self) -> PoolStatus:
        """Return the pool's counters, and whether sandboxes are available.

        Waits for the first attempt to make the pool.
        """
        await self._tried.wait()
        if self._pool is None:
            return PoolStatus(available=False, reason=self._reason, tier=Tier.SINGLE_USE)
        return await asyncio.to_thread(self._pool.status)

    def active(self) -> list[str]:
        """Return the ids of the runs in progress."""
        return list(self._cancels)

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        """Judge ``run`` and record every step. Returns also when the run has finished or has another owner.

        Raises:
            SandboxUnavailable: there is no pool.
            PlatformError: the attempt failed by the platform's fault; nothing final has been recorded.
        """
        if self._pool is None or self._closing:
            raise SandboxUnavailable("this evaluator is shutting down" if self._closing else self._reason)
        while run.id in self._cancels:  # an earlier attempt that its scheduler has abandoned
            await self.cancel(run.id)
        cancelled = self._cancels[run.id] = threading.Event()
        try:
            await self._judge(
                self._pool, run, attempt, EventWriter(self._events, run.stream, epoch, self._clock), cancelled
            )
        except (Fenced, Conflict):
            log.info("%s has another owner or is over", run.id)
        finally:
            del self._cancels[run.id]

    async def _judge(
        self, pool: SandboxPool, run: EvaluationRun, attempt: int, writer: EventWriter, cancelled: threading.Event
    ) -> None:
        loop = asyncio.get_running_loop()

        def on_result(result: TestResult) -> None:
            loop.call_soon_threadsafe(note, result)

        def note(result: TestResult) -> None:
            if cancelled.is_set():
                return
            try:
                writer.enqueue(
                    EvaluationTestFinished(stream=run.stream, time=self._clock.now(), attempt=attempt, result=result)
                )
            except PlatformError:
                cancelled.set()  # no one can receive the result: stop working on it

        def on_output(chunk: OutputChunk) -> None:
            event = EvaluationOutput(stream=run.stream, time=self._clock.now(), attempt=attempt, **chunk._asdict())
            loop.call_soon_threadsafe(pass_on, event)

        def pass_on(event: EvaluationOutput) -> None:
            if not cancelled.is_set():
                with suppress(PlatformError):  # the next result reports a broken outbox
                    writer.enqueue(event)

        writer.enqueue(EvaluationStarted(stream=run.stream, time=self._clock.now(), attempt=attempt))
        infos = await self._files.find(run)
        grader = await self._grader(run)

        recorded = self._recorder(run, grader)

        def on_attempt(test: TestCase, attempt: TestAttempt) -> None:
            if recorded is not None:
                recorded.add(test.id, attempt.played, hidden=test.hidden)

        def judge() -> Judgement:
            with span("judge", run=run.id, tests=len(run.request.tests)), self._files.fetched(run, infos) as request:
                request = request.model_copy(update={"grader": grader})
                return Judge(pool, self._bounds).judge(request, on_result, cancelled, run.tenant, on_output, on_attempt)

        judgement = await loop.run_in_executor(self._threads, copy_context().run, judge)
        if cancelled.is_set():
            await writer.flush()
            raise ServiceError("the evaluation was given up")
        if recorded is not None:
            await writer.flush()  # an evaluator that has lost the run stops here
            await asyncio.to_thread(recorded.store)
        kept, faults = await self._files.keep(run, judgement.kept)
        writer.enqueue(
            EvaluationFinished(
                stream=run.stream,
                time=self._clock.now(),
                verdict=judgement.verdict,
                score=judgement.score,
                max_score=run.document.max_score,
                tests=judgement.tests,
                files=kept,
                sandbox=judgement.sandbox,
                message="\n".join(filter(None, (judgement.message, *faults))) or None,
            )
        )
        await writer.flush()

    def _recorder(self, run: EvaluationRun, grader: Grader) -> GradedEpisodes | None:
        """Return what records the episodes of ``run``; None if it has none, or they are not recorded."""
        if self._episodes is None or not isinstance(grader, EpisodeGrader):
            return None
        return GradedEpisodes(self._episodes, RecordedFor(run.id, self._clock.now()), grader.env)

    async def _grader(self, run: EvaluationRun) -> Grader:
        """Return the grader of ``run``, with the code of the uploaded environment that it plays in, if it does."""
        grader = run.request.grader
        if self._find_code is None or not isinstance(grader, EpisodeGrader) or not is_user_environment(grader.env):
            return grader
        return grader.playing(await self._find_code(grader.env, run.tenant))

    async def cancel(self, run_id: str) -> None:
        """Stop working on a run, if it is in progress here."""
        if cancelled := self._cancels.get(run_id):
            cancelled.set()
            while self._cancels.get(run_id) is cancelled:
                await self._clock.sleep(0.005)

    async def close(self) -> None:
        """Abandon the runs in progress and remove every container. Idempotent."""
        self._closing = True
        for cancelled in self._cancels.values():
            cancelled.set()
        if self._pool is not None:
            await asyncio.to_thread(self._pool.close)
