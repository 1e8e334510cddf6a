"""Browser sessions: a person who signed in with an account of others, until sign-out or expiry.

The browser holds the session's text in a cookie; the store has its hash. A session acts as the person's membership as
long as the membership lasts. A person has at most :data:`MAX_SESSIONS`; the oldest ends when a further one begins.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

from pydantic import AwareDatetime

from rlplatform.access.principals import Principal
from rlplatform.assignments.people.membership import Membership
from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.json_models import StrictModel
from rlplatform.store import Document, DocumentStore

PREFIX = "rls_"
MAX_SESSIONS = 20
_SESSION = "session"
_FORM = re.compile(r"rls_([0-9a-hjkmnp-tv-z]{26})_([A-Za-z0-9_-]{43})")
_REFUSED = "the session has ended; sign in again"


class _StoredSession(StrictModel):
    """A session as the store keeps it."""

    sha256: str
    principal: Principal
    member_id: str | None
    expires_at: AwareDatetime


class Sessions:
    """Browser sessions of all tenants, over a store. Stateless."""

    def __init__(self, store: DocumentStore, members: Membership, clock: Clock, life_s: float) -> None:
        self._store = store
        self._members = members
        self._clock = clock
        self.life_s = life_s

    async def begin(self, principal: Principal) -> str:
        """Begin a session; return its text. The text is available only now: the store does not have it."""
        session_id, secret = new_id(Kind.SESSION), secrets.token_urlsafe(32)
        stored = _StoredSession(
            sha256=_hash(secret),
            principal=principal,
            member_id=principal.id if principal.id.startswith(f"{Kind.MEMBER.value}_") else None,
            expires_at=self._clock.now() + timedelta(seconds=self.life_s),
        )
        owner = _hash(f"{principal.tenant}\n{principal.id}")
        await self._store.put_document(Document(_SESSION, session_id, owner, stored.model_dump_json()))
        newest = await self._store.list_documents(_SESSION, owner=owner, limit=MAX_SESSIONS)
        for earlier in await self._store.list_documents(_SESSION, owner=owner, before=newest[-1].id):
            await self._store.delete_document(_SESSION, earlier.id)
        return f"{PREFIX}{session_id.partition('_')[2]}_{secret}"

    async def authenticate(self, text: str) -> Principal:
        """Return the principal of a session.

        Raises:
            NotAuthenticated: the session is unknown, has ended or has expired, or its member was removed.
        """
        session_id, secret = _parts(text)
        stored = await self._valid(session_id)
        if not hmac.compare_digest(stored.sha256, _hash(secret)):
            raise NotAuthenticated(_REFUSED)
        return stored.principal

    async def require(self, session_id: str) -> None:
        """Check that the session with this id is valid.

        Raises:
            NotAuthenticated: it has ended or has expired, or its member was removed.
        """
        await self._valid(session_id)

    async def end(self, text: str) -> None:
        """End a session. Idempotent; a text that is not a session's changes nothing."""
        try:
            await self.authenticate(text)
        except NotAuthenticated:
            return
        await self._store.delete_document(_SESSION, session_id_of(text))

    async def _valid(self, session_id: str) -> _StoredSession:
        found = await self._store.get_document(_SESSION, session_id)
        if found is None:
            raise NotAuthenticated(_REFUSED)
        stored = _StoredSession.model_validate_json(found.record)
        if stored.expires_at <= self._clock.now():
            await self._store.delete_document(_SESSION, session_id)
            raise NotAuthenticated(_REFUSED)
        if stored.member_id is not None:
            try:
                member = await self._members.find(stored.member_id, stored.principal.tenant)
            except NotFound:
                raise NotAuthenticated(_REFUSED) from None
            if member.state != "active":
                raise NotAuthenticated("you were removed from the course; ask its staff")
        return stored


def session_id_of(text: str) -> str:
    """Return the id of the session whose text is ``text``.

    Raises:
        NotAuthenticated: it is not the text of a session.
    """
    return _parts(text)[0]


def _parts(text: str) -> tuple[str, str]:
    form = _FORM.fullmatch(text)
    if form is None:
        raise NotAuthenticated(_REFUSED)
    return f"{Kind.SESSION.value}_{form[1]}", form[2]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
