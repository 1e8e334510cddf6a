"""People of learning platforms: which member of the course a launch is of."""

from __future__ import annotations

from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.assignments.people.membership import Membership, scopes_of
from rlplatform.assignments.people.models import Member, MemberRequest
from rlplatform.errors import Conflict, NotFound
from rlplatform.ids import Kind, derived_id
from rlplatform.lti.claims import Launch
from rlplatform.lti.models import LtiRegistration
from rlplatform.sign_in.models import SignInRefused

_STAFF = frozenset({Scope.EVALUATE, Scope.READ})


class LtiPeople:
    """Finds people, and adds learners to the roster if the registration allows it."""

    def __init__(self, members: Membership) -> None:
        self._members = members

    async def principal(self, registration: LtiRegistration, launch: Launch) -> Principal:
        """Return the principal of a launch: the member if there is one. Teachers read all; they administer nothing.

        Raises:
            SignInRefused: the person has no role in the course, was removed, or is not on the roster.
        """
        subject = Principal(id=f"{registration.id}:{launch.sub}", tenant=registration.tenant, scopes=frozenset())
        if not launch.is_staff and not launch.is_learner:
            raise SignInRefused("no_access", f"{subject.id} neither learns nor teaches in the platform's course")
        member = await self._member(registration, launch, subject)
        scopes = frozenset[Scope]() if member is None else scopes_of(member)
        scopes |= _STAFF if launch.is_staff else Role.LEARNER.scopes
        return Principal(id=member.id if member is not None else subject.id, tenant=subject.tenant, scopes=scopes)

    async def _member(self, registration: LtiRegistration, launch: Launch, subject: Principal) -> Member | None:
        if (member := await self._members.of(subject)) is not None:
            return member
        sourced = launch.lis.person_sourcedid
        external_id = sourced or f"lti:{launch.sub}"[:128]
        try:
            member = await self._members.find(derived_id(Kind.MEMBER, subject.tenant, external_id), subject.tenant)
        except NotFound:
            member = None
        if member is not None and member.state != "active":
            raise SignInRefused("removed", f"{member.id} was removed from the course")
        if member is None and launch.is_staff:
            return None
        if member is None:
            if not registration.enrol:
                raise SignInRefused("not_a_member", f"{subject.id} is not on the roster")
            member = await self._enrol(external_id, launch, subject.tenant)
        try:
            await self._members.link(member, subject.id)
        except Conflict:
            raise SignInRefused("removed", f"{subject.id} belongs to a member who was removed") from None
        return member

    async def _enrol(self, external_id: str, launch: Launch, tenant: str) -> Member:
        try:
            row = MemberRequest(external_id=external_id, name=launch.name[:200], email=launch.email[:254])
        except ValueError as error:
            raise SignInRefused("not_valid", f"the person cannot be added to the roster: {error}"[:300]) from None
        return (await self._members.enrol(row, tenant, "member"))[0]
