"""Principals: who makes a request, of which tenant, with which scopes."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from rlplatform.errors import NotAllowed, NotFound


class Scope(StrEnum):
    """Permission of a key. `read` is for staff: it shows all runs of the tenant, hidden tests included. Everybody sees
    their own runs, without hidden tests. `admin` includes `evaluate`, `train` and `read`, and manages the tenant's
    keys. `operate` manages all tenants, and is included in nothing."""

    EVALUATE = "evaluate"
    TRAIN = "train"
    READ = "read"
    ADMIN = "admin"
    OPERATE = "operate"


class Role(StrEnum):
    """Usual set of scopes."""

    LEARNER = "learner"
    RESEARCHER = "researcher"
    INSTRUCTOR = "instructor"
    OPERATOR = "operator"

    @property
    def scopes(self) -> frozenset[Scope]:
        """Scopes that go with this role."""
        return _SCOPES[self]


_SCOPES = {
    Role.LEARNER: frozenset({Scope.EVALUATE}),
    Role.RESEARCHER: frozenset({Scope.EVALUATE, Scope.TRAIN, Scope.READ}),
    Role.INSTRUCTOR: frozenset({Scope.ADMIN}),
    Role.OPERATOR: frozenset({Scope.ADMIN, Scope.OPERATE}),
}


class Principal(BaseModel):
    """Authenticated sender of a request. ``id`` stays the same over all rotations of a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tenant: str
    scopes: frozenset[Scope]

    def has(self, scope: Scope) -> bool:
        """Return True if this principal has ``scope``."""
        return scope in self.scopes or (scope is not Scope.OPERATE and Scope.ADMIN in self.scopes)

    def require(self, scope: Scope) -> None:
        """Check that the principal has ``scope``.

        Raises:
            NotAllowed: it does not.
        """
        if not self.has(scope):
            raise NotAllowed(f"this needs the scope {scope.value!r}", scope=scope.value)

    def require_visible(self, tenant: str, created_by: str, what: str) -> None:
        """Check that the principal may see the resource ``what``.

        Raises:
            NotFound: it belongs to another tenant, or to another principal and this one may see only its own.
        """
        if not self.can_see(tenant, created_by):
            raise NotFound(f"no such {what}")

    @property
    def sees_hidden(self) -> bool:
        """True for staff, who see hidden tests of the runs that they see: they have the scope ``read``."""
        return self.has(Scope.READ)

    def can_see(self, tenant: str, created_by: str) -> bool:
        """Return True if this principal may see a run of ``tenant`` that ``created_by`` started."""
        return tenant == self.tenant and (created_by == self.id or self.has(Scope.READ))
