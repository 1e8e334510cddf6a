"""Signed tokens (JWT) of others, verified with the keys that their issuer publishes (JWKS)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import jwt

from rlplatform.errors import NotAuthenticated, Unavailable

_TIMEOUT_S = 5.0
_REQUIRED = ("exp", "iss", "aud", "sub")
T = TypeVar("T")


class TokenKeys:
    """Keys of one issuer. They are fetched when an unknown key id arrives, and kept for five minutes."""

    def __init__(self, jwks_url: str, algorithms: Sequence[str], leeway_s: float) -> None:
        self._algorithms = list(algorithms)
        self._leeway_s = leeway_s
        self._keys = jwt.PyJWKClient(jwks_url, cache_jwk_set=True, lifespan=300, timeout=_TIMEOUT_S)

    async def claims(
        self, token: str, *, issuer: str, audience: str, required: Sequence[str] = _REQUIRED
    ) -> dict[str, Any]:
        """Return the claims of a token whose signature, issuer, audience and expiry are valid.

        Raises:
            NotAuthenticated: the token is not valid, or lacks a required claim.
            Unavailable: the issuer's keys cannot be fetched.
        """
        return await asyncio.to_thread(self._claims, token, issuer, audience, required)

    def _claims(self, token: str, issuer: str, audience: str, required: Sequence[str]) -> dict[str, Any]:
        key = self._key(_reading(lambda: jwt.get_unverified_header(token)).get("kid"))
        found: dict[str, Any] = _reading(
            lambda: jwt.decode(
                token,
                key,
                algorithms=self._algorithms,
                audience=audience,
                issuer=issuer,
                leeway=self._leeway_s,
                options={"require": list(required)},
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
