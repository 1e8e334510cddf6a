"""Membership: adds people to a course, and finds them by what they sign in with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rlplatform.access.api_keys import ApiKey
from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.assignments.people.models import Member, MemberRequest, sorted_members
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rlplatform.ids import Kind, check_id, derived_id
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

_MEMBER, _PRINCIPAL = "member", "member.principal"
_PAGE = 500


class _Identity(StrictModel):
    """A principal that is a member."""

    member_id: str


class Membership:
    """Members of all courses, over a store. Stateless."""

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, member_id: str, tenant: str) -> Member:
        """Return a member.

        Raises:
            NotFound: there is none in this tenant.
        """
        try:
            found = await self._store.get_document(_MEMBER, check_id(member_id, Kind.MEMBER))
        except InvalidRequest:
            found = None
        if found is None or found.owner != tenant:
            raise NotFound("no such member")
        return Member.model_validate_json(found.record)

    async def of(self, principal: Principal) -> Member | None:
        """Return the active member that ``principal`` is; None if it is none."""
        member_id = principal.id
        if not member_id.startswith(f"{Kind.MEMBER.value}_"):
            found = await self._store.get_document(_PRINCIPAL, _identity(principal.tenant, principal.id))
            if found is None:
                return None
            member_id = _Identity.model_validate_json(found.record).member_id
        try:
            member = await self.find(member_id, principal.tenant)
        except NotFound:
            return None
        return member if member.state == "active" else None

    async def require(self, principal: Principal) -> Member:
        """Return the active member that ``principal`` is.

        Raises:
            NotAllowed: it is none.
        """
        if (member := await self.of(principal)) is None:
            raise NotAllowed("you are not a member of this course; ask its staff to add you to the roster")
        return member

    async def list(self, tenant: str) -> list[Member]:
        """Return all members of a course, by their external ids."""
        found: list[Member] = []
        before = None
        while page := await self._store.list_documents(_MEMBER, owner=tenant, before=before, limit=_PAGE):
            found += [Member.model_validate_json(document.record) for document in page]
            before = page[-1].id
        return sorted_members(found)

    async def enrol(self, row: MemberRequest, tenant: str, field: str) -> tuple[Member, bool]:
        """Add a person to a course, or change one; return the member, and True if it is new. Idempotent.

        Raises:
            Conflict: the `sub` or key belongs to another member; its field is named after ``field``.
        """
        member_id = derived_id(Kind.MEMBER, tenant, row.external_id)
        member = Member(
            id=member_id,
            tenant=tenant,
            created_at=self._clock.now(),
            **row.model_dump(exclude={"sub", "key_id"}),
        )
        for name, principal in (("sub", row.sub and f"jwt:{row.sub}"), ("key_id", row.key_id)):
            if principal:
                await self._claim(member_id, tenant, principal, f"{field}.{name}")
        document = Document(_MEMBER, member_id, tenant, member.model_dump_json())
        stored = await self._store.get_document(_MEMBER, member_id)
        if stored is None:
            stored = await self._store.add_document(document)
            if stored == document:
                return member, True
        before = Member.model_validate_json(stored.record)
        changed = member.model_copy(update={"created_at": before.created_at})
        if changed != before:
            await self._store.put_document(stored._replace(record=changed.model_dump_json()))
        return changed, False

    async def _claim(self, member_id: str, tenant: str, principal: str, field: str) -> None:
        """Note that ``principal`` is a member.

        Raises:
            Conflict: it is another one already.
        """
        record = _Identity(member_id=member_id).model_dump_json()
        stored = await self._store.add_document(Document(_PRINCIPAL, _identity(tenant, principal), member_id, record))
        if stored.record != record:
            raise Conflict(f"{principal.removeprefix('jwt:')!r} belongs to another member of the course", field=field)

    async def link(self, member: Member, principal: str) -> None:
        """Note that the principal with this id is ``member``. Idempotent.

        Raises:
            Conflict: it is another member.
        """
        await self._claim(member.id, member.tenant, principal, "sub")

    async def remove(self, member: Member) -> Member:
        """Remove a member from the course: nothing can be submitted any more, the grades stay. Idempotent."""
        removed = member.model_copy(update={"state": "removed"})
        await self._store.put_document(Document(_MEMBER, member.id, member.tenant, removed.model_dump_json()))
        return removed


def keys_of(member: Member, keys: Sequence[ApiKey]) -> list[ApiKey]:
    """Return those of ``keys`` that the member signs in with and that are not revoked."""
    return [key for key in keys if key.owner == member.id and key.tenant == member.tenant and key.revoked_at is None]


def scopes_of(member: Member) -> frozenset[Scope]:
    """Return the scopes of a new key of ``member``. Staff get their further scopes from an administrator."""
    return Role.LEARNER.scopes if member.role == "learner" else frozenset({Scope.EVALUATE, Scope.READ})


def _identity(tenant: str, principal: str) -> str:
    return hashlib.sha256(f"{tenant}\n{principal}".encode()).hexdigest()
