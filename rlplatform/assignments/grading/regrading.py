"""Judging of regrades: every planned submission is evaluated again, a few at a time, and the results are kept.

Results are documents, and ids of evaluations follow from the regrade's id: whatever is repeated after a crash changes
nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.events import AssignmentRegraded, RegradeCommitted, RegradeFinished, RegradeProgressed
from rlplatform.assignments.grading.evaluations import SubmissionEvaluations, rejudged_id
from rlplatform.assignments.grading.marks import failure, marks_of, no_marks
from rlplatform.assignments.record import AssignmentRun, RegradeRun
from rlplatform.assignments.repository import AssignmentRepository, PlannedSubmission
from rlplatform.assignments.work import Marks, SubmissionRecord
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotFound, PlatformError
from rlplatform.ids import Kind, derived_id

log = logging.getLogger(__name__)

WINDOW = 16
"""Evaluations of one regrade that wait or run at a time: few, so that live submissions find the queue short."""
TRIES = 3
_PROGRESS = 50


class RegradeJudge:
    """Judges the regrades that run. Not safe for simultaneous calls."""

    def __init__(self, repository: AssignmentRepository, clock: Clock, evaluations: SubmissionEvaluations) -> None:
        self._repository = repository
        self._clock = clock
        self._evaluations = evaluations
        self._regrades: dict[str, _Regrading] = {}

    def awaits(self, evaluation_id: str) -> bool:
        """Return True if a regrade waits for this evaluation."""
        return any(evaluation_id in one.waiting for one in self._regrades.values())

    async def scan(self) -> None:
        """Look at every regrade that runs, and at all its evaluations."""
        running = await self._repository.regrades(states=("running",))
        for gone in self._regrades.keys() - {run.id for run in running}:
            del self._regrades[gone]
        for run in reversed(running):
            await self._regrade(run)

    async def step(self, ended: Collection[str]) -> None:
        """Note the results of the evaluations that have ``ended``, and go on with their regrades."""
        for regrade_id, regrading in list(self._regrades.items()):
            if not regrading.waiting.keys().isdisjoint(ended):
                run = await self._repository.store.get(regrade_id)
                if isinstance(run, RegradeRun) and run.state == "running":
                    await self._regrade(run, ended)

    async def _regrade(self, run: RegradeRun, ended: Collection[str] | None = None) -> None:
        """Go on with a regrade: note results, keep the window full, and finish it when everything is judged.

        ``ended`` None: look at every evaluation.
        """
        regrading = self._regrades.get(run.id)
        if regrading is None:
            plan = await self._repository.plan(run.id)
            done = set(await self._repository.results(run.id))
            regrading = self._regrades[run.id] = _Regrading(plan, done, noted=run.document.done)
        assignment = await self._repository.assignment_by_id(run.document.assignment_id)
        definition = await self._repository.definition(assignment.document, run.document.version)
        for evaluation_id, planned in list(regrading.waiting.items()):
            if ended is None or evaluation_id in ended:
                await self._rejudge(run, regrading, assignment, definition, planned)
        while len(regrading.waiting) < WINDOW and (following := regrading.next()) is not None:
            if not await self._rejudge(run, regrading, assignment, definition, following):
                break
            regrading.position += 1
        if len(regrading.done) >= regrading.noted + _PROGRESS:
            regrading.noted = len(regrading.done)
            await self._tell(run, regrading)
        if len(regrading.done) == len(regrading.plan):
            if await self._extended(run, regrading, assignment):
                await self._regrade(run, ())
            else:
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
            evaluation = await self._evaluations.find_or_queue(
                assignment, run.document.version, submission.id, evaluation_id, "low"
            )
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
