"""Membership: adds people to a course, finds them by what they sign in with, and invites them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime

from rlplatform.access.api_keys import ApiKey
from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.assignments.people.models import (
    MAX_MEMBERS,
    Invitation,
    Member,
    MemberRequest,
    Roster,
    RosterResult,
    RosterRow,
    sorted_members,
)
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotAllowed, NotAuthenticated, NotFound
from rlplatform.ids import Kind, check_id, derived_id
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

_MEMBER, _PRINCIPAL, _INVITATION = "member", "member.principal", "invitation"
_PAGE = 500
_REFUSED = "the invitation is not valid, has expired, or was accepted before; ask your course staff for a new one"


class KeyIssuer(Protocol):
    """Creates and finds API keys; :class:`~rlplatform.access.api_keys.ApiKeyService` is one."""

    async def create(
        self,
        *,
        tenant: str,
        name: str,
        scopes: frozenset[Scope],
        expires_at: datetime | None = None,
        owner: str | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key of ``owner``; return it and its text."""


class _Identity(StrictModel):
    """A principal that is a member."""

    member_id: str


class _StoredInvitation(StrictModel):
    """An invitation as the store keeps it, under the hash of its text. ``accepted_as`` tells two acceptances apart."""

    member_id: str
    expires_at: AwareDatetime
    accepted_at: AwareDatetime | None = None
    accepted_as: str | None = None


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

    async def enrol(self, roster: Roster, tenant: str, keys: KeyIssuer) -> RosterResult:
        """Add people to a course, or change them, row by row. The same roster again changes nothing.

        Raises:
            Conflict: a `sub` or key belongs to another member; ``field`` names the row. Earlier rows are done.
            InvalidRequest: the course would have too many members.
        """
        known = {member.external_id for member in await self.list(tenant)}
        new = sum(row.external_id not in known for row in roster.members)
        if len(known) + new > MAX_MEMBERS:
            why = f"the course has {len(known)} members, and {new} more were sent; at most {MAX_MEMBERS} are accepted"
            raise InvalidRequest(why, field="members")
        rows = []
        for index, row in enumerate(roster.members):
            member, created = await self._enrol(row, tenant, f"members.{index}")
            api_key = invitation = None
            if created and roster.credentials == "keys":
                _, api_key = await keys.create(
                    tenant=tenant,
                    name=(member.name or member.external_id)[:100],
                    scopes=_scopes(member),
                    owner=member.id,
                )
            elif created and roster.credentials == "invitations":
                invitation = (await self.invite(member, 14 * 86_400)).invitation
            rows.append(RosterRow(member=member, created=created, api_key=api_key, invitation=invitation))
        return RosterResult(results=rows)

    async def _enrol(self, row: MemberRequest, tenant: str, field: str) -> tuple[Member, bool]:
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

    async def remove(self, member: Member) -> Member:
        """Remove a member from the course: nothing can be submitted any more, the grades stay. Idempotent."""
        removed = member.model_copy(update={"state": "removed"})
        await self._store.put_document(Document(_MEMBER, member.id, member.tenant, removed.model_dump_json()))
        return removed

    async def invite(self, member: Member, expires_in_s: float) -> Invitation:
        """Make an invitation for a member.

        Raises:
            Conflict: the member was removed.
        """
        if member.state != "active":
            raise Conflict("the member was removed from the course; import the roster with the person again")
        text = f"rli_{secrets.token_urlsafe(32)}"
        expires_at = self._clock.now() + timedelta(seconds=expires_in_s)
        stored = _StoredInvitation(member_id=member.id, expires_at=expires_at)
        await self._store.put_document(Document(_INVITATION, _hash(text), member.tenant, stored.model_dump_json()))
        return Invitation(invitation=text, member_id=member.id, expires_at=expires_at)

    async def accept(self, text: str, keys: KeyIssuer) -> tuple[Member, str]:
        """Accept an invitation: return its member, and the text of a new API key. Works once.

        Raises:
            NotAuthenticated: the invitation is not valid, has expired, or was accepted.
        """
        found = await self._store.get_document(_INVITATION, _hash(text))
        if found is None:
            raise NotAuthenticated(_REFUSED)
        stored = _StoredInvitation.model_validate_json(found.record)
        now = self._clock.now()
        if stored.accepted_at is not None or stored.expires_at <= now:
            raise NotAuthenticated(_REFUSED)
        member = await self._of_invitation(stored, found.owner)
        accepted = stored.model_copy(update={"accepted_at": now, "accepted_as": secrets.token_hex(8)})
        if not await self._store.replace_document(found._replace(record=accepted.model_dump_json()), found):
            raise NotAuthenticated(_REFUSED)
        _, key = await keys.create(
            tenant=member.tenant,
            name=(member.name or member.external_id)[:100],
            scopes=_scopes(member),
            owner=member.id,
        )
        return member, key

    async def _of_invitation(self, stored: _StoredInvitation, tenant: str) -> Member:
        try:
            member = await self.find(stored.member_id, tenant)
        except NotFound:
            raise NotAuthenticated(_REFUSED) from None
        if member.state != "active":
            raise NotAuthenticated(_REFUSED)
        return member


def keys_of(member: Member, keys: Sequence[ApiKey]) -> list[ApiKey]:
    """Return those of ``keys`` that the member signs in with and that are not revoked."""
    return [key for key in keys if key.owner == member.id and key.tenant == member.tenant and key.revoked_at is None]


def _scopes(member: Member) -> frozenset[Scope]:
    """Return the scopes of a new key of ``member``. Staff get their further scopes from an administrator."""
    return Role.LEARNER.scopes if member.role == "learner" else frozenset({Scope.EVALUATE, Scope.READ})


def _identity(tenant: str, principal: str) -> str:
    return hashlib.sha256(f"{tenant}\n{principal}".encode()).hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
