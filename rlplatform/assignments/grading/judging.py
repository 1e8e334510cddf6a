"""Judging of submissions: queues an evaluation for each, and notes its result. Survives the loss of any process.

The store has all state: ids of evaluations are known before they are queued, and each result is an event with an id of
its own. So whatever is repeated after a crash changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from rlplatform.assignments.events import WorkFailed, WorkGraded
from rlplatform.assignments.grading.evaluations import SubmissionEvaluations
from rlplatform.assignments.grading.marks import failure, marks_of
from rlplatform.assignments.grading.regrading import RegradeJudge
from rlplatform.assignments.ports import EvaluationQueue
from rlplatform.assignments.record import WorkRun
from rlplatform.assignments.repository import AssignmentRepository
from rlplatform.assignments.work import SubmissionRecord
from rlplatform.clock import Clock
from rlplatform.errors import InvalidRequest, PlatformError
from rlplatform.ids import Kind, derived_id
from rlplatform.retries import with_timeout

log = logging.getLogger(__name__)

SCAN_S = 5.0


class SubmissionJudge:
    """Judges what waits, until cancelled. One process runs it: the supervisor."""

    def __init__(self, repository: AssignmentRepository, clock: Clock, queue: EvaluationQueue) -> None:
        self._repository = repository
        self._clock = clock
        self._evaluations = SubmissionEvaluations(repository, queue)
        self._regrades = RegradeJudge(repository, clock, self._evaluations)
        self._wake = asyncio.Event()
        self._awaited: dict[str, str] = {}
        self._ended: set[str] = set()
        self._turn = asyncio.Lock()
        self._scan_at = float("-inf")

    def ended(self, evaluation_id: str) -> None:
        """Take note that an evaluation has ended. Call it from the loop's own thread."""
        if evaluation_id in self._awaited or self._regrades.awaits(evaluation_id):
            self._ended.add(evaluation_id)
            self._wake.set()

    def wake(self) -> None:
        """Look for further work soon: a regrade has begun."""
        self._scan_at = float("-inf")
        self._wake.set()

    async def run(self) -> None:
        """Judge what waits until cancelled: results at once, everything else every ``SCAN_S`` seconds."""
        while True:
            self._wake.clear()
            try:
                if self._clock.monotonic() >= self._scan_at:
                    self._scan_at = self._clock.monotonic() + SCAN_S
                    await self.scan()
                else:
                    await self.step()
            except PlatformError as error:
                log.warning("submissions wait: %s", error)
            except Exception:
                log.exception("judging of submissions failed; trying again")
            with suppress(TimeoutError):
                left_s = max(0.0, self._scan_at - self._clock.monotonic())
                await with_timeout(self._clock, left_s, self._wake.wait())

    async def scan(self) -> None:
        """Queue everything that waits, and note all results that are there."""
        async with self._turn:
            self._ended.clear()
            async for work in self._repository.pending_works():
                await self._judge(work)
            await self._regrades.scan()

    async def step(self) -> None:
        """Note the results of the evaluations that have ended since, and go on with the regrades that are known."""
        async with self._turn:
            ended, self._ended = self._ended, set()
            for work_id in {self._awaited[one] for one in ended if one in self._awaited}:
                await self.judge(work_id, ended)
            await self._regrades.step(ended)

    async def judge(self, work_id: str, ended: Collection[str] = ()) -> None:
        """Queue the submissions of one member's work, and note the results of the evaluations that have ``ended``."""
        if (work := await self._repository.work(work_id)) is not None:
            await self._judge(work, ended)

    async def _judge(self, work: WorkRun, ended: Collection[str] | None = None) -> None:
        """Judge what waits in ``work``. ``ended`` None: look at every evaluation."""
        for submission in work.document.submissions:
            known = ended is not None and submission.evaluation_id in self._awaited
            if submission.state == "pending" and not (known and submission.evaluation_id not in (ended or ())):
                await self._judge_submission(work, submission)

    async def _judge_submission(self, work: WorkRun, submission: SubmissionRecord) -> None:
        assignment = await self._repository.assignment_by_id(work.document.assignment_id)
        self._awaited[submission.evaluation_id] = work.id
        try:
            evaluation = await self._evaluations.find_or_queue(
                assignment, submission.version, submission.id, submission.evaluation_id, "normal"
            )
        except InvalidRequest as error:
            self._awaited.pop(submission.evaluation_id, None)
            await self._fail(work, submission, f"the assignment cannot be judged: {error}")
            return
        except PlatformError as error:
            self._awaited.pop(submission.evaluation_id, None)
            log.info("%s waits to be queued: %s", submission.id, error)
            return
        if not evaluation.final:
            return
        self._awaited.pop(evaluation.id, None)
        if (why := failure(evaluation)) is not None:
            await self._fail(work, submission, why)
            return
        definition = await self._repository.definition(assignment.document, submission.version)
        event = WorkGraded(
            id=derived_id(Kind.EVENT, submission.id, "graded"),
            stream=work.stream,
            time=self._clock.now(),
            submission_id=submission.id,
            marks=marks_of(evaluation, definition),
        )
        await self._repository.store.append(work.stream, [event])

    async def _fail(self, work: WorkRun, submission: SubmissionRecord, why: str) -> None:
        event = WorkFailed(
            id=derived_id(Kind.EVENT, submission.id, "failed"),
            stream=work.stream,
            time=self._clock.now(),
            submission_id=submission.id,
            reason=why,
        )
        await self._repository.store.append(work.stream, [event])
