"""Who asks: a principal of a tenant, with scopes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from rlplatform.errors import NotAllowed, NotFound


class Scope(StrEnum):
    """What a key may be used for."""

    EVALUATE = "evaluate"
    TRAIN = "train"
    READ = "read"
    ADMIN = "admin"


class Principal(BaseModel):
    """The one who asks, as the API has authenticated them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tenant: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """:raises NotAllowed: the principal lacks ``scope`` (``admin`` has all)."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise NotAllowed(f"this needs the scope {scope.value!r}", scope=scope.value)

    def require_tenant(self, tenant: str, what: str) -> None:
        """:raises NotFound: ``what`` is another tenant's; nobody can tell that from one that does not exist."""
        if tenant != self.tenant:
            raise NotFound(f"no such {what}")


class ApiKey(BaseModel):
    """A stored API key: the secret's keyed hash, never the secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tenant: str
    name: str
    scopes: frozenset[Scope]
    secret_hmac: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
