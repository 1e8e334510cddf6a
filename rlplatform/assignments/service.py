"""Assignments as the API offers them: publish, submit, read. Decides who may see and do what."""

from __future__ import annotations

import hashlib
import math
import secrets

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments import views
from rlplatform.assignments.deadlines import Extension
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.events import AssignmentExtended, AssignmentPublished
from rlplatform.assignments.grading.documents import Grades, Leaderboard
from rlplatform.assignments.grading.grades import all_grades, rates_of_tests
from rlplatform.assignments.grading.leaderboards import ranking
from rlplatform.assignments.models import AssignmentList, AssignmentState, AssignmentView, CourseSettings, VersionInfo
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import assignment_id
from rlplatform.assignments.submissions.checks import SubmissionCheck
from rlplatform.clock import Clock
from rlplatform.errors import (
    Conflict,
    NotAllowed,
    NotFound,
)
from rlplatform.evaluation.attachments import attachments
from rlplatform.evaluation.sources import SourceFile

_COURSE_S = 1.0


class AssignmentService:
    """Assignments of all tenants, over a store. Any number may run.

    Args:
        commands: checks that an assignment can be judged at present.
        check: checks assignments against what the operator allows.
    """

    def __init__(
        self, reader: AssignmentReader, clock: Clock, commands: AssignmentCommands, check: SubmissionCheck
    ) -> None:
        self._reader = reader
        self._store = reader.repository.store
        self._clock = clock
        self._commands = commands
        self._check = check
        self._courses: dict[str, tuple[CourseSettings, float]] = {}

    # -- the course ----------------------------------------------------------------------------------------------------

    async def require_free_evaluation(self, principal: Principal) -> None:
        """Check that ``principal`` may evaluate what it likes.

        Raises:
            NotAllowed: it is a learner, and the course lets learners only submit to assignments.
        """
        if principal.has(Scope.READ):
            return
        known = self._courses.get(principal.tenant)
        now = self._clock.monotonic()
        if known is None or now - known[1] > _COURSE_S:
            known = self._courses[principal.tenant] = (await self._reader.repository.course(principal.tenant), now)
        if not known[0].learners_evaluate_freely:
            raise NotAllowed(
                "learners of this course cannot evaluate programs of their own, but submit to assignments: "
                "use `rlp submit`, or Assignments on the page"
            )

    async def set_course(self, tenant: str, settings: CourseSettings) -> CourseSettings:
        """Set the settings of a tenant as a course."""
        await self._reader.repository.set_course(tenant, settings)
        self._courses.pop(tenant, None)
        return settings

    # -- definitions ---------------------------------------------------------------------------------------------------

    async def publish(
        self, name: str, definition: AssignmentRequest, principal: Principal
    ) -> tuple[AssignmentView, bool]:
        """Publish a version; return the assignment, and True if the version is new: the same again changes nothing.

        Raises:
            InvalidRequest: it could not be judged; ``field`` says why.
            Conflict: another version was published at the same moment.
        """
        request = definition.evaluation([SourceFile(path=definition.entry, content="")])
        await self._check.evaluation(request, principal)
        await self._commands.check_evaluation(request, principal)
        run_id = assignment_id(principal.tenant, name)
        sha256 = hashlib.sha256(definition.model_dump_json().encode()).hexdigest()
        try:
            run = await self._reader.repository.assignment_by_id(run_id)
        except NotFound:
            run = None
        if run is not None and run.document.newest.sha256 == sha256:
            return await self._detail(run, principal), False
        await self._reader.repository.keep_definition(run_id, sha256, definition)
        await self._reader.repository.hold_files(run_id, (one.file_id for one in attachments(request)))
        version = VersionInfo(
            number=len(run.document.versions) + 1 if run is not None else 1,
            sha256=sha256,
            created_at=self._clock.now(),
            created_by=principal.id,
            seed_secret=secrets.token_hex(16),
        )
        if run is None:
            await self._create(run_id, name, version, principal)
        else:
            event = AssignmentPublished(stream=run.stream, time=version.created_at, version=version)
            await self._store.append(run.stream, [event])
        return await self._detail(await self._reader.repository.assignment_by_id(run_id), principal), True

    async def _create(self, run_id: str, name: str, version: VersionInfo, principal: Principal) -> None:
        state = AssignmentState(id=run_id, name=name, versions=[], created_at=version.created_at)
        run = AssignmentRun(id=run_id, tenant=principal.tenant, created_by=principal.id, document=state)
        first = AssignmentPublished(stream=run.stream, time=version.created_at, version=version)
        try:
            await self._store.create(run, first)
        except Conflict:
            raise Conflict(f"version 1 of {name} was published meanwhile; try again") from None

    async def list(self, principal: Principal) -> AssignmentList:
        """Return the assignments that ``principal`` sees, by due date and name."""
        member = await self._reader.members.of(principal)
        cards = []
        for run in await self._reader.repository.assignments(principal.tenant):
            definition = await self._reader.repository.definition(run.document)
            if await self._reader.sees(run.document, definition, principal, member):
                mine = await self._reader.status(run.document, definition, member)
                cards.append(views.card(run.document, definition, mine))
        ordered = sorted(cards, key=lambda card: (card.due_at.timestamp() if card.due_at else math.inf, card.name))
        return AssignmentList(items=ordered)

    async def show(self, name: str, principal: Principal) -> AssignmentView:
        """Return an assignment; staff see its definition.

        Raises:
            NotFound: there is none that ``principal`` sees.
        """
        run, definition, member = await self._reader.visible(name, principal)
        if principal.has(Scope.READ):
            return await self._detail(run, principal, member)
        return views.view(run.document, definition, await self._reader.status(run.document, definition, member))

    async def definition(self, name: str, number: int, principal: Principal) -> AssignmentRequest:
        """Return the definition of a version, for staff.

        Raises:
            NotFound: there is no such assignment, or no such version.
        """
        principal.require(Scope.READ)
        run = await self._reader.repository.assignment(principal.tenant, name)
        return await self._reader.repository.definition(run.document, number)

    async def extend(self, name: str, member_id: str, extension: Extension | None, principal: Principal) -> Member:
        """Give a member later dates or further attempts, or take that back (None); return the member."""
        run = await self._reader.repository.assignment(principal.tenant, name)
        member = await self._reader.members.find(member_id, principal.tenant)
        event = AssignmentExtended(
            stream=run.stream, time=self._clock.now(), member_id=member.id, extension=extension, by=principal.id
        )
        await self._store.append(run.stream, [event])
        return member

    async def _detail(self, run: AssignmentRun, principal: Principal, member: Member | None = None) -> AssignmentView:
        definition = await self._reader.repository.definition(run.document)
        member = member or await self._reader.members.of(principal)
        return views.detail(run.document, definition, await self._reader.status(run.document, definition, member))

    # -- results -------------------------------------------------------------------------------------------------------

    async def grades(self, name: str, principal: Principal) -> Grades:
        """Return the grades of all learners, for staff.

        Raises:
            NotAllowed: ``principal`` is a learner.
            NotFound: there is no such assignment.
        """
        principal.require(Scope.READ)
        run = await self._reader.repository.assignment(principal.tenant, name)
        definition = await self._reader.repository.definition(run.document)
        members = await self._reader.members.list(principal.tenant)
        works = [work.document for work in await self._reader.repository.works(principal.tenant, run.id)]
        overlay = await self._reader.repository.overlay(run.document)
        grades = all_grades(definition, run.document, members, works, overlay)
        return Grades(
            assignment=name,
            version=run.document.newest.number,
            max_points=definition.max_points,
            regrade=run.document.regrade,
            items=grades,
            tests=rates_of_tests(definition, grades),
        )

    async def leaderboard(self, name: str, principal: Principal) -> Leaderboard:
        """Return the leaderboard; once frozen, learners see it as it was then.

        Raises:
            NotFound: there is no such assignment, or it has no leaderboard.
        """
        run, definition, me = await self._reader.visible(name, principal)
        policy = definition.leaderboard
        if policy is None:
            raise NotFound(f"{name} has no leaderboard")
        staff = principal.has(Scope.READ)
        frozen = policy.freeze_at is not None and policy.freeze_at <= self._clock.now() and not staff
        works = [work.document for work in await self._reader.repository.works(principal.tenant, run.id)]
        rows = ranking(
            definition,
            run.document,
            await self._reader.members.list(principal.tenant),
            works,
            await self._reader.repository.overlay(run.document),
            as_of=policy.freeze_at if frozen else None,
            me=me.id if me is not None else None,
            real_names=staff,
        )
        return Leaderboard(assignment=name, frozen_at=policy.freeze_at if frozen else None, items=rows)
