"""The documents of the HTTP interface that are no domain models, shared by the API and the client."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, model_validator

from rlplatform import patterns
from rlplatform.access.principals import Role, Scope
from rlplatform.json_models import StrictModel


class KeyRequest(StrictModel):
    """An API key to create. Give either `role` or `scopes`."""

    name: str = Field(min_length=1, max_length=100)
    """Name for people."""
    role: Role | None = None
    """Usual set of scopes; null if `scopes` are given."""
    scopes: list[Scope] = Field(default_factory=list, max_length=20)
    """Permissions of the key."""
    tenant: str | None = Field(default=None, max_length=64, pattern=patterns.TENANT)
    """Tenant that the key belongs to; null: the caller's own. Another one needs the scope `operate`."""
    expires_in_s: float | None = Field(default=None, gt=0, le=10 * 366 * 86400)
    """Lifetime of the key, in seconds; null: it does not expire."""

    @model_validator(mode="after")
    def _one_of_both(self) -> KeyRequest:
        if (self.role is None) == (not self.scopes):
            raise ValueError("give either a role or scopes")
        return self

    @property
    def granted(self) -> frozenset[Scope]:
        """The scopes asked for."""
        return self.role.scopes if self.role is not None else frozenset(self.scopes)


class KeyRotation(StrictModel):
    """Overlap of the old and the new key."""

    overlap_s: float = Field(default=3600.0, ge=0, le=30 * 86400)
    """Time during which the old key keeps working, in seconds."""


class KeyInfo(StrictModel):
    """An API key, without its secret."""

    id: str
    """Id of the key."""
    prefix: str
    """Beginning of the key's text."""
    tenant: str
    """Tenant that it belongs to."""
    name: str
    """Name for people."""
    owner: str | None = None
    """Id of the first key of its rotations, which owns the runs; null: this one."""
    scopes: list[Scope]
    """Permissions of the key."""
    created_at: datetime
    """Time of creation."""
    expires_at: datetime | None = None
    """Time of expiry; null: it does not expire."""
    revoked_at: datetime | None = None
    """Time of revocation; null: not revoked."""


class KeyCreated(StrictModel):
    """A new API key."""

    key: KeyInfo
    """The key, without its secret."""
    api_key: str
    """Text of the key, shown this once."""


class KeyList(StrictModel):
    """API keys, oldest first."""

    items: list[KeyInfo]
    """The keys."""


class WhoAmI(StrictModel):
    """Principal that the credentials of the request stand for."""

    id: str
    """Id of the principal."""
    tenant: str
    """Tenant that it belongs to."""
    scopes: list[Scope]
    """Permissions that it has."""


class TicketRequest(StrictModel):
    """A ticket to create."""

    stream: str | None = Field(default=None, max_length=200)
    """Stream that the ticket is for, for example `trainings/train_…`; null: any stream of the tenant."""


class Ticket(StrictModel):
    """A ticket, good once, for `?ticket=` of an event stream or the `auth` message of `/v1/live`."""

    ticket: str
    """Text of the ticket."""
    expires_at: datetime
    """Time of expiry."""
