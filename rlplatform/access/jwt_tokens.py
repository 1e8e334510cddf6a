"""JWT bearer tokens of an external identity provider, verified with the keys that it publishes (JWKS).

Only the configured asymmetric algorithms, issuer and audience are accepted. A token must name its expiry, its subject
(``sub``) and its tenant. Unknown scopes are ignored, because providers add their own. Tokens cannot have the scope
``operate``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import jwt
from pydantic import StringConstraints, TypeAdapter, ValidationError

from rlplatform import patterns
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import NotAuthenticated, Unavailable
from rlplatform.settings import JwtSettings

_GRANTABLE = {scope.value: scope for scope in Scope if scope is not Scope.OPERATE}
_SUBJECT = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")])
_TENANT = TypeAdapter(Annotated[str, StringConstraints(pattern=patterns.TENANT)])
_TIMEOUT_S = 5.0
T = TypeVar("T")


class TokenVerifier:
    """Verifies tokens of one issuer. Its keys are fetched when an unknown key id arrives, and kept for five minutes."""

    def __init__(self, settings: JwtSettings) -> None:
        self._settings = settings
        self._keys = jwt.PyJWKClient(settings.jwks_url, cache_jwk_set=True, lifespan=300, timeout=_TIMEOUT_S)

    async def authenticate(self, token: str) -> Principal:
        """Return the principal of a token; its id is ``jwt:<sub>``.

        Raises:
            NotAuthenticated: the token is not valid, or lacks a required claim.
            Unavailable: the issuer's keys cannot be fetched.
        """
        claims = await asyncio.to_thread(self._claims, token)
        return Principal(
            id=f"jwt:{_claim(claims, 'sub', _SUBJECT)}",
            tenant=_claim(claims, self._settings.tenant_claim, _TENANT),
            scopes=self._scopes(claims),
        )

    def ends_at(self, token: str, latest: datetime) -> datetime:
        """Return the expiry of an accepted token, or ``latest`` if that is sooner."""
        claims = jwt.decode(token, options={"verify_signature": False})
        return datetime.fromtimestamp(min(int(claims["exp"]), latest.timestamp()), UTC)

    def _claims(self, token: str) -> dict[str, Any]:
        key = self._key(_reading(lambda: jwt.get_unverified_header(token)).get("kid"))
        found: dict[str, Any] = _reading(
            lambda: jwt.decode(
                token,
                key,
                algorithms=list(self._settings.algorithms),
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=self._settings.leeway_s,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        )
        return found

    def _key(self, kid: object) -> jwt.PyJWK:
        if not isinstance(kid, str):
            raise NotAuthenticated("the token is not valid: its header has no 'kid'")
        try:
            return self._keys.get_signing_key(kid)
        except (jwt.PyJWKClientConnectionError, OSError, ValueError):  # the last two: interrupted, or not JSON
            raise Unavailable("the identity provider's keys cannot be fetched") from None
        except jwt.PyJWTError as error:
            raise NotAuthenticated(f"the token is not valid: {error}") from None

    def _scopes(self, claims: dict[str, Any]) -> frozenset[Scope]:
        found = claims.get(self._settings.scope_claim, [])
        words = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
        return frozenset(_GRANTABLE[word] for word in words if isinstance(word, str) and word in _GRANTABLE)


def _reading(read: Callable[[], T]) -> T:
    """Call ``read``, which parses a token, and blame every exception on the token.

    Raises:
        NotAuthenticated: the token is not valid. For claims of unexpected types the library raises other errors, too.
    """
    try:
        return read()
    except Exception as error:
        told = str(error)[:200] if isinstance(error, jwt.PyJWTError) else "it has claims that cannot be read"
        raise NotAuthenticated(f"the token is not valid: {told}") from None


def _claim(claims: dict[str, Any], name: str, kind: TypeAdapter[str]) -> str:
    try:
        return kind.validate_python(claims.get(name))
    except ValidationError:
        raise NotAuthenticated(f"the token's {name!r} claim is missing, or is none that is accepted") from None
