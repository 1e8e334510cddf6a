"""JWT bearer tokens of an external identity provider, verified with the keys that it publishes (JWKS).

Only the configured asymmetric algorithms, issuer and audience are accepted. A token must name its expiry, its subject
(``sub``) and its tenant. Unknown scopes are ignored, because providers add their own. Tokens cannot have the scope
``operate``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
from pydantic import StringConstraints, TypeAdapter, ValidationError

from rlplatform import patterns
from rlplatform.access.principals import Principal, Scope
from rlplatform.access.signed_tokens import TokenKeys
from rlplatform.errors import NotAuthenticated
from rlplatform.settings import JwtSettings

_GRANTABLE = {scope.value: scope for scope in Scope if scope is not Scope.OPERATE}
_SUBJECT = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")])
_TENANT = TypeAdapter(Annotated[str, StringConstraints(pattern=patterns.TENANT)])


class TokenVerifier:
    """Verifies tokens of one issuer."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._keys = TokenKeys(settings.jwks_url, settings.algorithms, settings.leeway_s)

    async def authenticate(self, token: str) -> Principal:
        """Return the principal of a token; its id is ``jwt:<sub>``.

        Raises:
            NotAuthenticated: the token is not valid, or lacks a required claim.
            Unavailable: the issuer's keys cannot be fetched.
        """
        settings = self._settings
        claims = await self._keys.claims(token, issuer=settings.issuer, audience=settings.audience)
        return Principal(
            id=principal_id(claims), tenant=tenant_of(claims, settings.tenant_claim), scopes=self._scopes(claims)
        )

    def ends_at(self, token: str, latest: datetime) -> datetime:
        """Return the expiry of an accepted token, or ``latest`` if that is sooner."""
        claims = jwt.decode(token, options={"verify_signature": False})
        return datetime.fromtimestamp(min(int(claims["exp"]), latest.timestamp()), UTC)

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        found = claims.get(self._settings.scope_claim, [])
        words = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        return frozenset(_GRANTABLE[word] for word in words if isinstance(word, str) and word in _GRANTABLE)


def principal_id(claims: dict[str, Any]) -> str:
    """Return the id of the principal that verified claims are about: ``jwt:<sub>``.

    Raises:
        NotAuthenticated: the subject is missing or not acceptable.
    """
    return f"jwt:{_claim(claims, 'sub', _SUBJECT)}"


def tenant_of(claims: dict[str, Any], name: str) -> str:
    """Return the tenant that the claim ``name`` of verified claims says.

    Raises:
        NotAuthenticated: the claim is missing or not acceptable.
    """
    return _claim(claims, name, _TENANT)


def _claim(claims: dict[str, Any], name: str, kind: TypeAdapter[str]) -> str:
    try:
        return kind.validate_python(claims.get(name))
    except ValidationError:
        raise NotAuthenticated(f"the token's {name!r} claim is missing, or is none that is accepted") from None
