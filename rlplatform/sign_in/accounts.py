"""Accounts: maps what an OpenID provider says of a person to a tenant, a role and a member of the course."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlplatform.access.jwt_tokens import principal_id, tenant_of
from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.assignments.people.membership import Membership, scopes_of
from rlplatform.assignments.people.models import Member
from rlplatform.errors import Conflict, NotAuthenticated, NotFound
from rlplatform.ids import Kind, derived_id
from rlplatform.settings import OidcSettings
from rlplatform.sign_in.models import SignInRefused


class Accounts:
    """Finds the principal that verified claims of an ID token are about."""

    def __init__(self, settings: OidcSettings, members: Membership) -> None:
        self._settings = settings
        self._members = members

    async def principal(self, claims: Mapping[str, Any]) -> Principal:
        """Return the principal of ``claims``: the member if there is one, with the scopes of its role.

        Raises:
            SignInRefused: the account has no tenant or no role here, or is not on the roster.
        """
        settings = self._settings
        try:
            tenant = settings.tenant or tenant_of(dict(claims), settings.tenant_claim or "")
            subject = Principal(id=principal_id(dict(claims)), tenant=tenant, scopes=frozenset())
        except NotAuthenticated as error:
            raise SignInRefused("no_access", error.detail) from None
        roles = self._roles(claims)
        member = await self._member(claims, subject)
        if member is not None:
            scopes = scopes_of(member).union(*(role.scopes for role in roles))
            return Principal(id=member.id, tenant=tenant, scopes=scopes)
        if not roles:
            raise SignInRefused("no_access", f"{subject.id} has no role: {settings.role_claim} gives none")
        if settings.members_only and roles == {Role.LEARNER}:
            raise SignInRefused("not_a_member", f"{subject.id} is not on the roster of {tenant}")
        return subject.model_copy(update={"scopes": frozenset[Scope]().union(*(role.scopes for role in roles))})

    def _roles(self, claims: Mapping[str, Any]) -> set[Role]:
        given = _values(_claim(claims, self._settings.role_claim))
        found = {Role(role) for value, role in self._settings.roles.items() if value in given}
        if not found and self._settings.default_role is not None:
            found = {Role(self._settings.default_role)}
        return found

    async def _member(self, claims: Mapping[str, Any], subject: Principal) -> Member | None:
        if (member := await self._members.of(subject)) is not None:
            return member
        member = await self._on_roster(claims, subject.tenant)
        if member is None:
            return None
        if member.state != "active":
            raise SignInRefused("removed", f"{member.id} was removed from the course")
        try:
            await self._members.link(member, subject.id)
        except Conflict:  # the subject was this roster's other person, who was removed
            raise SignInRefused("removed", f"{subject.id} belongs to a member who was removed") from None
        return member

    async def _on_roster(self, claims: Mapping[str, Any], tenant: str) -> Member | None:
        name = self._settings.member_claim
        value = _claim(claims, name) if name is not None else None
        if not isinstance(value, str) or not value:
            return None
        if name == "email":
            if claims.get("email_verified") is not True:
                return None
            alike = [one for one in await self._members.list(tenant) if one.email.casefold() == value.casefold()]
            return alike[0] if len(alike) == 1 else None
        try:
            return await self._members.find(derived_id(Kind.MEMBER, tenant, value), tenant)
        except NotFound:
            return None


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim of this name; dots lead into objects: ``realm_access.roles``. None if there is none."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _values(claim: Any) -> set[str]:
    if isinstance(claim, str):
        return {claim, *claim.split()}
    return {value for value in claim if isinstance(value, str)} if isinstance(claim, list) else set()
