"""Reader of assignments: which of them a principal sees, and what they are to a member."""

from __future__ import annotations

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments import views
from rlplatform.assignments.deadlines import deadlines_of
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.models import AssignmentState, MyStatus
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import AssignmentRepository, work_id
from rlplatform.clock import Clock
from rlplatform.errors import NotFound
from rlplatform.store import Store


class AssignmentReader:
    """Reads assignments for principals. Keeps nothing except definitions, which never change."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.members = Membership(store, clock)
        self.repository = AssignmentRepository(store)
        self._clock = clock

    async def visible(self, name: str, principal: Principal) -> tuple[AssignmentRun, AssignmentRequest, Member | None]:
        """Return an assignment, its newest definition, and the member that ``principal`` is.

        Raises:
            NotAllowed: it is neither staff nor a member.
            NotFound: there is no such assignment, or none that it sees yet.
        """
        if not principal.has(Scope.READ):
            await self.members.require(principal)
        run = await self.repository.assignment(principal.tenant, name)
        definition = await self.repository.definition(run.document)
        member = await self.members.of(principal)
        if not await self.sees(run.document, definition, principal, member):
            raise NotFound("no such assignment")
        return run, definition, member

    async def sees(
        self, state: AssignmentState, definition: AssignmentRequest, principal: Principal, member: Member | None
    ) -> bool:
        """Return True if ``principal`` may see an assignment: staff always, members once it has opened."""
        if principal.has(Scope.READ) or (member is not None and member.role == "staff"):
            return True
        dates = deadlines_of(definition, state.extensions.get(member.id) if member else None)
        return member is not None and dates.state(self._clock.now()) != "upcoming"

    async def status(
        self, state: AssignmentState, definition: AssignmentRequest, member: Member | None
    ) -> MyStatus | None:
        """Return what an assignment is to ``member``; None for no member."""
        if member is None:
            return None
        work = await self.repository.work(work_id(state.id, member.id))
        overlay = await self.repository.overlay(state)
        return views.status(definition, state, member, work.document if work else None, overlay, self._clock.now())
