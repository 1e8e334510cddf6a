"""Judging of submissions: queues an evaluation for each, and notes its result. Survives the loss of any process.

The store has all state: ids of evaluations are known before they are queued, and each result is an event with an id of
its own. So whatever is repeated after a crash changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.events import (
    AssignmentRegraded,
    RegradeCommitted,
    RegradeFinished,
    RegradeProgressed,
    WorkFailed,
    WorkGraded,
)
from rlplatform.assignments.models import Marks, Measure, SubmissionRecord, TestMark
from rlplatform.assignments.ports import EvaluationQueue
from rlplatform.assignments.record import AssignmentRun, RegradeRun, WorkRun
from rlplatform.assignments.repository import AssignmentRepository, PlannedSubmission, StoredContent
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotFound, PlatformError
from rlplatform.evaluation.models import EvaluationRequest, TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.sources import SourceFile
from rlplatform.ids import Kind, created_at, derived_id
from rlplatform.retries import with_timeout
from rlplatform.scheduling.priorities import Priority

log = logging.getLogger(__name__)

SCAN_S = 5.0
WINDOW = 16
"""Evaluations of one regrade that wait or run at a time: few, so that live submissions find the queue short."""
TRIES = 3
_PROGRESS = 50


class SubmissionJudge:
    """Judges what waits, until cancelled. One process runs it: the supervisor."""

    def __init__(self, repository: AssignmentRepository, clock: Clock, queue: EvaluationQueue) -> None:
        self._repository = repository
        self._clock = clock
        self._queue = queue
        self._wake = asyncio.Event()
        self._awaited: dict[str, str] = {}
        self._ended: set[str] = set()
        self._regrades: dict[str, _Regrading] = {}
        self._turn = asyncio.Lock()
        self._scan_at = float("-inf")

    def ended(self, evaluation_id: str) -> None:
        """Take note that an evaluation has ended. Call it from the loop's own thread."""
        if evaluation_id in self._awaited or any(evaluation_id in one.waiting for one in self._regrades.values()):
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
            running = await self._repository.regrades(states=("running",))
            for gone in self._regrades.keys() - {run.id for run in running}:
                del self._regrades[gone]
            for run in reversed(running):
                await self._regrade(run, everything=True)

    async def step(self) -> None:
        """Note the results of the evaluations that have ended since, and go on with the regrades that are known."""
        async with self._turn:
            ended, self._ended = self._ended, set()
            for work_id in {self._awaited[one] for one in ended if one in self._awaited}:
                await self.judge(work_id, ended)
            for regrade_id, regrading in list(self._regrades.items()):
                if not ended.isdisjoint(regrading.waiting):
                    run = await self._repository.store.get(regrade_id)
                    if isinstance(run, RegradeRun) and run.state == "running":
                        await self._regrade(run, ended)

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
        definition = await self._repository.definition(assignment.document, submission.version)
        self._awaited[submission.evaluation_id] = work.id
        try:
            evaluation = await self._evaluate(assignment, definition, submission.id, submission.evaluation_id, "normal")
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

    async def _evaluate(
        self,
        assignment: AssignmentRun,
        definition: AssignmentRequest,
        submission_id: str,
        evaluation_id: str,
        priority: Priority,
    ) -> EvaluationRun:
        """Return the evaluation of a submission, queued if it is not there yet."""
        try:
            run = await self._repository.store.get(evaluation_id)
            assert isinstance(run, EvaluationRun)
            return run
        except NotFound:
            pass
        content = await self._repository.content(submission_id)
        labels = {"assignment": assignment.document.name, "submission": submission_id}
        request = request_of(definition, content, priority).model_copy(update={"labels": labels})
        return await self._queue.queue_evaluation(request, judging_principal(assignment), evaluation_id)

    # -- regrades ------------------------------------------------------------------------------------------------------

    async def _regrade(self, run: RegradeRun, ended: Collection[str] = (), *, everything: bool = False) -> None:
        """Go on with a regrade: note results, keep the window full, and finish it when everything is judged."""
        regrading = self._regrades.get(run.id)
        if regrading is None:
            plan = await self._repository.plan(run.id)
            done = set(await self._repository.results(run.id))
            regrading = self._regrades[run.id] = _Regrading(plan, done, noted=run.document.done)
        assignment = await self._repository.assignment_by_id(run.document.assignment_id)
        definition = await self._repository.definition(assignment.document, run.document.version)
        for evaluation_id, planned in list(regrading.waiting.items()):
            if everything or evaluation_id in ended:
                await self._rejudge(run, regrading, assignment, definition, planned)
        while len(regrading.waiting) < WINDOW and (following := regrading.next()) is not None:
            if not await self._rejudge(run, regrading, assignment, definition, following):
                break
            regrading.position += 1
        if len(regrading.done) >= regrading.noted + _PROGRESS:
            regrading.noted = len(regrading.done)
            await self._tell(run, regrading)
        if len(regrading.done) == len(regrading.plan) and not await self._extended(run, regrading, assignment):
            await self._finish(run, regrading)

    async def _rejudge(
        self,
        run: RegradeRun,
        regrading: _Regrading,
        assignment: AssignmentRun,
        definition: AssignmentRequest,
        planned: PlannedSubmission,
    ) -> bool:
        """Queue a planned submission, or note its result. Return False if it cannot be queued now."""
        if planned.submission_id in regrading.done:
            return True
        work = await self._repository.work(planned.work_id)
        assert work is not None
        submission = next(one for one in work.document.submissions if one.id == planned.submission_id)
        tried = regrading.tried.get(submission.id, 0)
        evaluation_id = rejudged_id(run.id, submission.id, tried)
        regrading.waiting[evaluation_id] = planned
        try:
            evaluation = await self._evaluate(assignment, definition, submission.id, evaluation_id, "low")
        except (InvalidRequest, NotFound) as error:  # the submission does not go with this version
            del regrading.waiting[evaluation_id]
            log.info("%s keeps its result in %s: %s", submission.id, run.id, error)
            await self._note(run, regrading, submission, no_marks(definition))
            return True
        except PlatformError as error:
            del regrading.waiting[evaluation_id]
            log.info("%s waits: %s", run.id, error)
            return False
        if not evaluation.final:
            return True
        regrading.waiting.pop(evaluation.id, None)
        if failure(evaluation) is None:
            await self._note(run, regrading, submission, marks_of(evaluation, definition))
        elif tried + 1 < TRIES:
            regrading.tried[submission.id] = tried + 1
            return await self._rejudge(run, regrading, assignment, definition, planned)
        else:
            overlay = await self._repository.overlay(assignment.document)
            before = overlay.get(submission.id, submission.marks)
            await self._note(run, regrading, submission, before or no_marks(definition))
        return True

    async def _note(self, run: RegradeRun, regrading: _Regrading, submission: SubmissionRecord, marks: Marks) -> None:
        await self._repository.keep_result(run.id, submission.id, marks)
        regrading.done.add(submission.id)

    async def _tell(self, run: RegradeRun, regrading: _Regrading) -> None:
        event = RegradeProgressed(
            id=derived_id(Kind.EVENT, run.id, f"{len(regrading.done)} of {len(regrading.plan)}"),
            stream=run.stream,
            time=self._clock.now(),
            done=len(regrading.done),
            total=len(regrading.plan),
        )
        with suppress(Conflict):  # discarded meanwhile
            await self._repository.store.append(run.stream, [event])

    async def _extended(self, run: RegradeRun, regrading: _Regrading, assignment: AssignmentRun) -> bool:
        """Plan the submissions that were accepted under an older version after the regrade began; True if any."""
        works = await self._repository.works(run.tenant, assignment.id)
        planned = {one.submission_id for one in regrading.plan}
        late = [
            PlannedSubmission(work_id=work.id, submission_id=submission.id)
            for work in works
            for submission in work.document.submissions
            if submission.version < run.document.version and submission.id not in planned
        ]
        if not late:
            return False
        await self._repository.keep_plan(run.id, late, start=len(regrading.plan))
        regrading.plan += late
        self._wake.set()
        return True

    async def _finish(self, run: RegradeRun, regrading: _Regrading) -> None:
        event = RegradeFinished(
            id=derived_id(Kind.EVENT, run.id, "finished"),
            stream=run.stream,
            time=self._clock.now(),
            total=len(regrading.plan),
        )
        with suppress(Conflict):
            await self._repository.store.append(run.stream, [event])
            if not run.document.dry_run:
                await commit(self._repository, self._clock, run, run.document.created_by)
        self._regrades.pop(run.id, None)


class _Regrading:
    """Regrade at work: what it judges, what is done, and the evaluations that wait or run."""

    def __init__(self, plan: list[PlannedSubmission], done: set[str], noted: int) -> None:
        self.plan = plan
        self.done = done
        self.noted = noted
        self.position = 0
        self.tried: dict[str, int] = {}
        self.waiting: dict[str, PlannedSubmission] = {}

    def next(self) -> PlannedSubmission | None:
        """Return the next submission that is not judged yet; None if there is none."""
        while self.position < len(self.plan) and self.plan[self.position].submission_id in self.done:
            self.position += 1
        return self.plan[self.position] if self.position < len(self.plan) else None


async def commit(repository: AssignmentRepository, clock: Clock, run: RegradeRun, by: str) -> None:
    """Make the results of a regrade hold: one event of the assignment. Idempotent.

    Raises:
        Conflict: the regrade was discarded.
    """
    assignment = await repository.assignment_by_id(run.document.assignment_id)
    regraded = AssignmentRegraded(
        id=derived_id(Kind.EVENT, run.id, "regraded"),
        stream=assignment.stream,
        time=clock.now(),
        regrade_id=run.id,
        version=run.document.version,
        by=by,
    )
    committed = RegradeCommitted(
        id=derived_id(Kind.EVENT, run.id, "committed"), stream=run.stream, time=clock.now(), by=by
    )
    await repository.store.append(assignment.stream, [regraded])
    await repository.store.append(run.stream, [committed])


def rejudged_id(regrade_id: str, submission_id: str, tried: int) -> str:
    """Return the id of the evaluation by which a regrade judges a submission."""
    return derived_id(Kind.EVALUATION, regrade_id, submission_id, str(tried), at=created_at(regrade_id))


def judging_principal(assignment: AssignmentRun) -> Principal:
    """Return the principal that evaluations of an assignment belong to: learners see nothing of it."""
    return Principal(id=assignment.id, tenant=assignment.tenant, scopes=frozenset({Scope.EVALUATE, Scope.READ}))


def request_of(definition: AssignmentRequest, content: StoredContent, priority: Priority) -> EvaluationRequest:
    """Return the evaluation of a submission.

    Raises:
        InvalidRequest: the submission does not go with this definition.
    """
    try:
        if content.archive is not None:
            request = definition.evaluation([SourceFile(path=definition.entry, content=content.archive)])
        else:
            request = definition.evaluation(content.files)
    except (ValueError, StopIteration) as error:
        raise InvalidRequest(f"the submission does not go with this version: {error}") from None
    return request.model_copy(update={"priority": priority})


def failure(evaluation: EvaluationRun) -> str | None:
    """Return the reason why an ended evaluation is no result; None if it is one."""
    document = evaluation.document
    if document.state == "failed":
        return document.message or "the platform failed"
    if document.state == "cancelled":
        return f"the evaluation was cancelled: {document.message}"
    if broken := [test for test in document.tests if test.verdict is Verdict.INTERNAL_ERROR]:
        return f"the platform failed on test {broken[0].id!r}"
    return None


def marks_of(evaluation: EvaluationRun, definition: AssignmentRequest) -> Marks:
    """Return the result of a finished evaluation."""
    document = evaluation.document
    assert document.verdict is not None
    return Marks(
        verdict=document.verdict,
        score=document.score or 0.0,
        max_score=document.max_score,
        tests=[TestMark(id=test.id, verdict=test.verdict, points=test.points) for test in document.tests],
        measure=_measure(document.tests, definition),
    )


def no_marks(definition: AssignmentRequest) -> Marks:
    """Return the result of a submission that a version cannot judge: no points."""
    skipped = [TestMark(id=test.id, verdict=Verdict.SKIPPED, points=0.0) for test in definition.tests]
    most = sum(test.points for test in definition.tests)
    return Marks(verdict=Verdict.SKIPPED, score=0.0, max_score=most, tests=skipped)


def _measure(tests: list[TestResult], definition: AssignmentRequest) -> Measure | None:
    policy = definition.leaderboard
    if policy is None or policy.test is None:
        return None
    value = next((test.value for test in tests if test.id == policy.test), None)
    numbers = {name: _number(value, name) for name in (policy.value, policy.low, policy.high) if name is not None}
    if (ranked := numbers.get(policy.value)) is None:
        return None
    return Measure(value=ranked, low=numbers.get(policy.low or ""), high=numbers.get(policy.high or ""))


def _number(value: object, name: str) -> float | None:
    """Return the number at the dotted ``name`` in ``value``; None if there is none."""
    for part in name.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
