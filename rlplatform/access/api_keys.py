"""API keys: ``rlp_<key id>_<secret>``. Only a keyed hash of the secret's 256 random bits is stored."""

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
    """Return the beginning of the text of ``key``: enough to recognise the key, but not to use it."""
    return f"rlp_{key.id.removeprefix('key_')}_"


def key_id_of(text: str) -> str:
    """Return the id of the key whose text is ``text``.

    Raises:
        NotAuthenticated: it is not the text of a key.
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise NotAuthenticated(_REFUSED)
    return f"key_{form[1]}"


class ApiKeyService:
    """Creates and verifies API keys in a store."""

    def __init__(self, store: KeyStore, pepper: SecretStr, clock: Clock, lease_s: float = 0.0) -> None:
        """Use the keys of ``store``.

        ``lease_s`` is the time in seconds for which a key is used without reading it again. It must be the same in all
        services of a store.
        """
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
        """Create a key; return it and its text. The text is available only now: the store does not have it."""
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
        """Return the principal of a key.

        Raises:
            NotAuthenticated: the key is unknown, expired or revoked.
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
        """Check that the key with this id is valid.

        Raises:
            NotAuthenticated: the key does not exist, was revoked, or has expired.
        """
        key = await self._get(key_id)
        if key is None:
            raise NotAuthenticated(_REFUSED)
        self._require_valid(key)

    async def rotate(self, key: ApiKey, overlap_s: float) -> tuple[ApiKey, str]:
        """Return a new key for the principal of ``key``.

        The old key stays valid for ``overlap_s`` seconds, but not beyond its own expiry. Takes ``lease_s`` seconds, as
        :meth:`revoke` does.
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
        """Revoke a key, and return it.

        Takes ``lease_s`` seconds, after which no replica accepts the key. Idempotent.
        """
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
        """Return the key with this id, at most ``lease_s`` seconds old."""
        asked = self._clock.monotonic()
        held = self._leases.get(key_id)
        if held is not None and asked < held[1]:
            return held[0]
        key = await self._store.get_key(key_id)
        if key is not None and self._lease_s:
            self._leases[key_id] = (
                key,
                asked + self._lease_s,
            )  # counted from before the read, so that the lease is never too long
            if len(self._leases) > _MAX_LEASES:
                self._leases.popitem(last=False)
        return key

    async def _replace(self, key: ApiKey) -> None:
        """Store ``key`` again, and wait until no replica uses its earlier state."""
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
