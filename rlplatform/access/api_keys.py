"""API keys: ``rlp_<key id>_<secret>``, a secret of 256 random bits of which only a keyed hash is stored.

The hash is HMAC-SHA256 under the deployment's pepper: a stolen database yields no key, and with 256 bits of entropy a
slow hash would protect nothing further. A key that was read from the store is good for a short lease: whoever revokes
one is answered once every lease on it has run out, and from then on it is of no use anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated
from rlplatform.ids import Kind, new_id

_FORM = re.compile(r"rlp_([0-9a-hjkmnp-tv-z]{26})_([A-Za-z0-9_-]{43})")
_REFUSED = "the API key is not valid"
_MAX_LEASES = 10_000


def prefix(key: ApiKey) -> str:
    """How the text of ``key`` begins: enough to recognise it, of no use to anybody."""
    return f"rlp_{key.id.removeprefix('key_')}_"


def key_id_of(text: str) -> str:
    """Return the id of the key whose text is ``text``. :raises NotAuthenticated: it is not the text of a key."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise NotAuthenticated(_REFUSED)
    return f"key_{form[1]}"


class ApiKeyService:
    """Mints and verifies API keys against a store."""

    def __init__(self, store: KeyStore, pepper: SecretStr, clock: Clock, lease_s: float = 0.0) -> None:
        """``lease_s``: how long a key that was read is used without reading it again; the same for all rings of a
        store."""
        self._store = store
        self._pepper = pepper.get_secret_value().encode()
        self._clock = clock
        self._lease_s = lease_s
        self._leases: OrderedDict[str, tuple[ApiKey, float]] = OrderedDict()

    async def create(
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
        key = await self._get(f"key_{body}")
        stored = key.secret_hmac if key else self._hash("")
        if not hmac.compare_digest(stored, self._hash(secret)) or key is None:
            raise NotAuthenticated(_REFUSED)
        self._require_valid(key)
        return Principal(id=key.owner or key.id, tenant=key.tenant, scopes=key.scopes)

    async def require(self, key_id: str) -> None:
        """Check that the key of this id holds. :raises NotAuthenticated: it is gone, revoked, or has expired."""
        key = await self._get(key_id)
        if key is None:
            raise NotAuthenticated(_REFUSED)
        self._require_valid(key)

    async def rotate(self, key: ApiKey, overlap_s: float) -> tuple[ApiKey, str]:
        """Return a new key for the same principal as ``key``, which stays valid for ``overlap_s``, but not beyond
        its own end.

        Takes ``lease_s``, as :meth:`revoke` does.
        """
        fresh = await self.create(
            tenant=key.tenant,
            name=key.name,
            scopes=key.scopes,
            expires_at=key.expires_at,
            owner=key.owner or key.id,
        )
        end = self._clock.now() + timedelta(seconds=overlap_s)
        if key.expires_at is None or end < key.expires_at:
            await self._replace(key.model_copy(update={"expires_at": end}))
        return fresh

    async def revoke(self, key: ApiKey) -> ApiKey:
        """``key``, of no use from the moment on that this returns, after ``lease_s``. Idempotent."""
        if key.revoked_at is None:
            key = key.model_copy(update={"revoked_at": self._clock.now()})
        await self._replace(key)
        return key

    def _require_valid(self, key: ApiKey) -> None:
        if key.revoked_at is not None:
            raise NotAuthenticated("the API key has been revoked")
        if key.expires_at is not None and key.expires_at <= self._clock.now():
            raise NotAuthenticated("the API key has expired")

    async def _get(self, key_id: str) -> ApiKey | None:
        """The key of this id, as the store had it at most ``lease_s`` ago."""
        asked = self._clock.monotonic()
        held = self._leases.get(key_id)
        if held is not None and asked < held[1]:
            return held[0]
        key = await self._store.get_key(key_id)
        if key is not None and self._lease_s:
            self._leases[key_id] = key, asked + self._lease_s  # from before the store was asked: never too long
            if len(self._leases) > _MAX_LEASES:
                self._leases.popitem(last=False)
        return key

    async def _replace(self, key: ApiKey) -> None:
        """Store ``key`` again, and wait until no replica uses its former state."""
        await self._store.put_key(key)
        self._leases.pop(key.id, None)
        await self._clock.sleep(self._lease_s)

    def _hash(self, secret: str) -> str:
        return hmac.new(self._pepper, secret.encode(), hashlib.sha256).hexdigest()


class KeyStore(Protocol):
    """API keys: never the secret, only its keyed hash."""

    async def put_key(self, key: ApiKey) -> None:
        """Add or replace a key; a revoked one is left unchanged."""

    async def get_key(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, revoked or not; None if there is none."""

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""


class ApiKey(BaseModel):
    """A stored API key: the secret's keyed hash, never the secret. ``owner`` is the id of the first of its line of
    rotations, if it is not that itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tenant: str
    name: str
    owner: str | None = None
    scopes: frozenset[Scope]
    secret_hmac: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
