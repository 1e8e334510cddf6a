"""API keys: ``rlp_<key id>_<secret>``, a secret of 256 random bits of which only a keyed hash is stored.

The hash is HMAC-SHA256 under the deployment's pepper: a stolen database yields no key, and with 256 bits of entropy a
slow hash would protect nothing further. A key is read from the store on every request: revoking one holds at once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import SecretStr

from rlplatform.access.principals import ApiKey, Principal, Scope
from rlplatform.errors import NotAuthenticated
from rlplatform.ids import Kind, new_id
from rlplatform.ports import Clock, KeyStore

_FORM = re.compile(r"rlp_([0-9a-hjkmnp-tv-z]{26})_([A-Za-z0-9_-]{43})")
_REFUSED = "the API key is not valid"


def prefix(key: ApiKey) -> str:
    """How the text of ``key`` begins: enough to recognise it, of no use to anybody."""
    return f"rlp_{key.id.removeprefix('key_')}_"


class KeyRing:
    """Mints and verifies API keys against a store."""

    def __init__(self, store: KeyStore, pepper: SecretStr, clock: Clock) -> None:
        self._store = store
        self._pepper = pepper.get_secret_value().encode()
        self._clock = clock

    async def mint(
        self,
        *,
        tenant: str,
        name: str,
        scopes: Iterable[Scope],
        expires_at: datetime | None = None,
        owner: str | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text. The text is shown this once: it cannot be had from the store."""
        secret = secrets.token_urlsafe(32)
        key = ApiKey(
            id=new_id(Kind.KEY),
            tenant=tenant,
            name=name,
            owner=owner,
            scopes=frozenset(scopes),
            secret_hmac=self._hash(secret),
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        await self._store.put_key(key)
        return key, prefix(key) + secret

    async def authenticate(self, text: str) -> Principal:
        """The principal that a key stands for.

        :raises NotAuthenticated: it is none of ours, or expired or revoked.
        """
        form = _FORM.fullmatch(text)
        if form is None:
            raise NotAuthenticated(_REFUSED)
        body, secret = form.groups()
        key = await self._store.get_key(f"key_{body}")
        stored = key.secret_hmac if key else self._hash("")
        if not hmac.compare_digest(stored, self._hash(secret)) or key is None:
            raise NotAuthenticated(_REFUSED)
        if key.revoked_at is not None:
            raise NotAuthenticated("the API key has been revoked")
        if key.expires_at is not None and key.expires_at <= self._clock.now():
            raise NotAuthenticated("the API key has expired")
        return Principal(id=key.owner or key.id, tenant=key.tenant, scopes=key.scopes)

    async def rotate(self, key: ApiKey, overlap_s: float) -> tuple[ApiKey, str]:
        """A new key for the same principal as ``key``, which goes on for ``overlap_s``, but not beyond its own end."""
        fresh = await self.mint(
            tenant=key.tenant,
            name=key.name,
            scopes=key.scopes,
            expires_at=key.expires_at,
            owner=key.owner or key.id,
        )
        end = self._clock.now() + timedelta(seconds=overlap_s)
        if key.expires_at is None or end < key.expires_at:
            await self._store.put_key(key.model_copy(update={"expires_at": end}))
        return fresh

    async def revoke(self, key: ApiKey) -> ApiKey:
        """``key``, of no use from this moment on. Idempotent."""
        if key.revoked_at is None:
            key = key.model_copy(update={"revoked_at": self._clock.now()})
            await self._store.put_key(key)
        return key

    def _hash(self, secret: str) -> str:
        return hmac.new(self._pepper, secret.encode(), hashlib.sha256).hexdigest()
