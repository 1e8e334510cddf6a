"""Regrades as the API offers them: begin, read, commit, discard. The supervisor judges."""

from __future__ import annotations

from contextlib import suppress

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.events import RegradeDiscarded, RegradeStarted
from rlplatform.assignments.grading.documents import Regrade, RegradeChange, RegradeList, RegradeReport, RegradeRequest
from rlplatform.assignments.grading.grades import all_grades
from rlplatform.assignments.grading.regrading import commit
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.assignments.record import AssignmentRun, RegradeRun
from rlplatform.assignments.repository import AssignmentRepository, PlannedSubmission
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, PlatformError
from rlplatform.ids import Kind, new_id
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency


class RegradeService:
    """Regrades of all tenants, over a repository."""

    def __init__(
        self, repository: AssignmentRepository, members: Membership, clock: Clock, commands: AssignmentCommands
    ) -> None:
        self._repository = repository
        self._members = members
        self._clock = clock
        self._commands = commands

    async def start(
        self, name: str, request: RegradeRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[Regrade, bool]:
        """Begin to judge all submissions again; return the regrade, and True if it is new.

        Raises:
            NotFound: there is no such assignment or version.
            Conflict: another regrade of the assignment is running.
        """
        assignment = await self._repository.assignment(principal.tenant, name)
        number = request.version or assignment.document.newest.number
        await self._repository.definition(assignment.document, number)
        if running := await self._running(assignment):
            busy = Conflict(f"{running.id} is running; wait for it, or discard it", regrade=running.id)
            found, new = await replay_or_raise(self._repository.store, RegradeRun, idempotency, busy)
            return found.document, new
        works = await self._repository.works(principal.tenant, assignment.id)
        plan = [
            PlannedSubmission(work_id=work.id, submission_id=submission.id)
            for work in works
            for submission in work.document.submissions
        ]
        now = self._clock.now()
        run_id = new_id(Kind.REGRADE)
        document = Regrade(
            id=run_id,
            state="running",
            assignment_id=assignment.id,
            assignment=name,
            version=number,
            dry_run=request.dry_run,
            total=len(plan),
            created_at=now,
            created_by=principal.id,
        )
        run = RegradeRun(id=run_id, tenant=principal.tenant, created_by=principal.id, document=document)
        started = RegradeStarted(
            stream=run.stream,
            time=now,
            assignment=name,
            version=number,
            total=len(plan),
            dry_run=request.dry_run,
        )
        await self._repository.keep_plan(run_id, plan)
        stored, new = await self._repository.store.create(run, started, idempotency=idempotency)
        assert isinstance(stored, RegradeRun)
        with suppress(PlatformError):  # it is found in any case
            await self._commands.judge_waiting()
        return stored.document, new

    async def all_of(self, name: str, principal: Principal) -> RegradeList:
        """Return the regrades of an assignment, newest first."""
        assignment = await self._repository.assignment(principal.tenant, name)
        found = await self._repository.regrades(principal.tenant)
        return RegradeList(items=[run.document for run in found if run.document.assignment_id == assignment.id])

    async def report(self, name: str, regrade_id: str, principal: Principal) -> RegradeReport:
        """Return a regrade with the members who gain and lose by it."""
        principal.require(Scope.READ)
        assignment = await self._repository.assignment(principal.tenant, name)
        run = await self._repository.regrade(regrade_id, assignment.id)
        about = run.document.model_dump()
        if run.state != "ready":
            return RegradeReport(**about)
        changes = await self._changes(assignment, run)
        return RegradeReport(
            **about,
            changes=changes,
            gained=sum((one.after or 0.0) > (one.before or 0.0) for one in changes),
            lost=sum((one.after or 0.0) < (one.before or 0.0) for one in changes),
        )

    async def commit(self, name: str, regrade_id: str, principal: Principal) -> Regrade:
        """Make the results of a regrade hold. Idempotent.

        Raises:
            Conflict: it is still running, or was discarded.
        """
        assignment = await self._repository.assignment(principal.tenant, name)
        run = await self._repository.regrade(regrade_id, assignment.id)
        if run.state in ("running", "discarded"):
            raise Conflict(f"{regrade_id} is {run.state}; only one that is ready can be committed", state=run.state)
        if run.state == "ready":
            await commit(self._repository, self._clock, run, principal.id)
        return (await self._repository.regrade(regrade_id, assignment.id)).document

    async def discard(self, name: str, regrade_id: str, principal: Principal) -> Regrade:
        """Give up a regrade: it changes no grade. Idempotent.

        Raises:
            Conflict: it was committed.
        """
        assignment = await self._repository.assignment(principal.tenant, name)
        run = await self._repository.regrade(regrade_id, assignment.id)
        if run.state == "committed":
            raise Conflict(f"{regrade_id} was committed, and its results hold", state=run.state)
        if run.state != "discarded":
            event = RegradeDiscarded(stream=run.stream, time=self._clock.now(), by=principal.id)
            await self._repository.store.append(run.stream, [event])
        return (await self._repository.regrade(regrade_id, assignment.id)).document

    async def _running(self, assignment: AssignmentRun) -> RegradeRun | None:
        running = await self._repository.regrades(assignment.tenant, ("running",))
        return next((run for run in running if run.document.assignment_id == assignment.id), None)

    async def _changes(self, assignment: AssignmentRun, run: RegradeRun) -> list[RegradeChange]:
        """Return the members whose grades would change, greatest loss first."""
        state = assignment.document
        definition = await self._repository.definition(state)
        members = await self._members.list(assignment.tenant)
        works = [work.document for work in await self._repository.works(assignment.tenant, assignment.id)]
        before = all_grades(definition, state, members, works, await self._repository.overlay(state))
        after = all_grades(definition, state, members, works, await self._repository.results(run.id))
        changes = [
            RegradeChange(
                member_id=old.member_id,
                external_id=old.external_id,
                name=old.name,
                before=old.points,
                after=new.points,
            )
            for old, new in zip(before, after, strict=True)
            if old.points != new.points
        ]
        return sorted(changes, key=lambda one: ((one.after or 0.0) - (one.before or 0.0), one.external_id))
