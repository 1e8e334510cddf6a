"""Invitations: a member's own link, good once, that gives the member an API key.

A member has one invitation at most: a new one replaces the last. The store has the hash of its text, never the text.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime

from rlplatform.access.api_keys import ApiKey
from rlplatform.access.principals import Scope
from rlplatform.assignments.people.membership import Membership, scopes_of
from rlplatform.assignments.people.models import Invitation, InvitationInfo, InvitationState, Member
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, NotAuthenticated, NotFound
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

LIFE_S = 14 * 86_400
_TEXT, _INVITATION = "invitation", "member.invitation"
_PAGE = 500
_REFUSED = "the invitation is not valid, has expired, or was accepted before; ask your course staff for a new one"


class KeyIssuer(Protocol):
    """Creates API keys; :class:`~rlplatform.access.api_keys.ApiKeyService` is one."""

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


class _StoredInvitation(StrictModel):
    """A member's invitation as the store keeps it. ``accepted_as`` tells two acceptances apart."""

    sha256: str
    created_at: AwareDatetime
    created_by: str
    expires_at: AwareDatetime
    accepted_at: AwareDatetime | None = None
    accepted_as: str | None = None
    key_id: str | None = None
    revoked_at: AwareDatetime | None = None

    def state(self, now: datetime) -> InvitationState:
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= now else "open"


class Invitations:
    """Invitations of all courses, over a store. Stateless."""

    def __init__(self, store: DocumentStore, clock: Clock, members: Membership) -> None:
        self._store = store
        self._clock = clock
        self._members = members

    async def invite(self, member: Member, expires_in_s: float, by: str) -> Invitation:
        """Make an invitation for a member. An earlier one that was not accepted ends.

        Args:
            by: id of the principal that invites.

        Raises:
            Conflict: the member was removed.
        """
        if member.state != "active":
            raise Conflict(
                f"{member.external_id} was removed from the course; import the roster with the person again",
                member_id=member.id,
            )
        text = f"rli_{secrets.token_urlsafe(32)}"
        now = self._clock.now()
        made = _StoredInvitation(
            sha256=_hash(text), created_at=now, created_by=by, expires_at=now + timedelta(seconds=expires_in_s)
        )
        before = await self._store.get_document(_INVITATION, member.id)
        await self._store.put_document(Document(_TEXT, made.sha256, member.tenant, member.id))
        await self._store.put_document(_document(member, made))
        if before is not None:
            await self._store.delete_document(_TEXT, _parsed(before).sha256)
        return Invitation(invitation=text, member_id=member.id, expires_at=made.expires_at)

    async def list(self, tenant: str) -> list[InvitationInfo]:
        """Return the newest invitation of each member that was ever invited, by external ids."""
        found: dict[str, _StoredInvitation] = {}
        before = None
        while page := await self._store.list_documents(_INVITATION, owner=tenant, before=before, limit=_PAGE):
            found |= {document.id: _parsed(document) for document in page}
            before = page[-1].id
        now = self._clock.now()
        return [
            _info(member, found[member.id], now) for member in await self._members.list(tenant) if member.id in found
        ]

    async def revoke(self, member: Member) -> InvitationInfo:
        """End the invitation of a member: nobody can accept it any more. Idempotent.

        Raises:
            NotFound: the member has none.
            Conflict: it was accepted, and a key has come of it.
        """
        while True:
            found = await self._store.get_document(_INVITATION, member.id)
            if found is None:
                raise NotFound(f"{member.external_id} has no invitation")
            stored, now = _parsed(found), self._clock.now()
            if stored.accepted_at is not None:
                raise Conflict(
                    f"{member.external_id} has accepted the invitation; revoke the key that came of it: "
                    f"rlp keys revoke {stored.key_id or 'key_…'}"
                )
            if stored.revoked_at is not None:
                return _info(member, stored, now)
            revoked = stored.model_copy(update={"revoked_at": now})
            if await self._store.replace_document(_document(member, revoked), found):
                await self._store.delete_document(_TEXT, stored.sha256)
                return _info(member, revoked, now)

    async def accept(self, text: str, keys: KeyIssuer) -> tuple[Member, str]:
        """Accept an invitation: return its member, and the text of a new API key. Works once.

        Raises:
            NotAuthenticated: the invitation is not valid, has expired, or was accepted, replaced or revoked.
        """
        sha256, now = _hash(text), self._clock.now()
        known = await self._store.get_document(_TEXT, sha256)
        found = await self._store.get_document(_INVITATION, known.record) if known is not None else None
        if known is None or found is None:
            raise NotAuthenticated(_REFUSED)
        stored = _parsed(found)
        member = await self._active(known)
        if stored.sha256 != sha256 or stored.state(now) != "open" or member is None:
            raise NotAuthenticated(_REFUSED)
        accepted = stored.model_copy(update={"accepted_at": now, "accepted_as": secrets.token_hex(8)})
        if not await self._store.replace_document(_document(member, accepted), found):
            raise NotAuthenticated(_REFUSED)
        await self._store.delete_document(_TEXT, sha256)
        key, key_text = await keys.create(
            tenant=member.tenant,
            name=(member.name or member.external_id)[:100],
            scopes=scopes_of(member),
            owner=member.id,
        )
        noted = accepted.model_copy(update={"key_id": key.id})
        await self._store.replace_document(_document(member, noted), _document(member, accepted))
        return member, key_text

    async def _active(self, known: Document) -> Member | None:
        try:
            member = await self._members.find(known.record, known.owner)
        except NotFound:
            return None
        return member if member.state == "active" else None


def _document(member: Member, stored: _StoredInvitation) -> Document:
    return Document(_INVITATION, member.id, member.tenant, stored.model_dump_json())


def _parsed(document: Document) -> _StoredInvitation:
    return _StoredInvitation.model_validate_json(document.record)


def _info(member: Member, stored: _StoredInvitation, now: datetime) -> InvitationInfo:
    return InvitationInfo(
        member_id=member.id,
        external_id=member.external_id,
        state=stored.state(now),
        created_at=stored.created_at,
        created_by=stored.created_by,
        expires_at=stored.expires_at,
        accepted_at=stored.accepted_at,
        revoked_at=stored.revoked_at,
        key_id=stored.key_id,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
