"""OpenID Connect as a relying party: authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636, 9207)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import ssl
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rlplatform import patterns
from rlplatform.access.signed_tokens import TokenKeys
from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated, Unavailable
from rlplatform.json_models import StrictModel
from rlplatform.settings import OidcSettings
from rlplatform.sign_in.models import SignInRefused

_TIMEOUT_S = 10.0
_KNOWN_S = 3600.0
_REQUIRED = ("exp", "iat", "iss", "aud", "sub")
_TRUSTED = Field(pattern=patterns.TRUSTED_ADDRESS)


class SignInState(StrictModel):
    """State of one sign-in, which the browser holds in a signed cookie."""

    state: str
    nonce: str
    verifier: str
    to: str
    """Route of the page to return to."""


class Metadata(BaseModel):
    """Part of the provider's metadata (OpenID Connect Discovery 1.0) that sign-in uses."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str
    authorization_endpoint: str = _TRUSTED
    token_endpoint: str = _TRUSTED
    jwks_uri: str = _TRUSTED
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class OpenIdProvider:
    """The configured provider. Its metadata are fetched when they are needed, and kept for an hour."""

    def __init__(self, settings: OidcSettings, redirect_uri: str, clock: Clock) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._tls = ssl.create_default_context()
        self._known: tuple[Metadata, TokenKeys, float] | None = None

    async def begin(self, to: str) -> tuple[SignInState, str]:
        """Return the state of a new sign-in, and the provider's address to send the browser to.

        Raises:
            SignInRefused: the provider does not answer.
        """
        metadata, _ = await self._metadata()
        begun = SignInState(
            state=secrets.token_urlsafe(24), nonce=secrets.token_urlsafe(24), verifier=secrets.token_urlsafe(48), to=to
        )
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._settings.client_id,
                "redirect_uri": self._redirect_uri,
                "scope": self._settings.scopes,
                "state": begun.state,
                "nonce": begun.nonce,
                "code_challenge": challenge_of(begun.verifier),
                "code_challenge_method": "S256",
            }
        )
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return begun, f"{metadata.authorization_endpoint}{joint}{query}"

    async def finish(self, begun: SignInState, answer: dict[str, str]) -> dict[str, Any]:
        """Return the claims of the person who signed in.

        Args:
            begun: the sign-in that this browser began.
            answer: parameters with which the provider sent the browser back.

        Raises:
            SignInRefused: the provider refused, does not answer, or its answer is not valid.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise SignInRefused("begin_again", "the state is another one")
        metadata, keys = await self._metadata()
        named = answer.get("iss", metadata.issuer if not _names_issuer(metadata) else "")
        if named != metadata.issuer:
            raise SignInRefused("not_valid", "the answer comes from another issuer")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused("declined", answer.get("error", "no code")[:100])
        token = await self._redeem(metadata, answer["code"], begun.verifier)
        return await verified_claims(keys, token, metadata.issuer, self._settings.client_id, begun.nonce)

    async def _redeem(self, metadata: Metadata, code: str, verifier: str) -> str:
        """Exchange a code for an ID token."""
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if settings.client_secret is None:
            form["client_id"] = settings.client_id
        elif "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            headers["Authorization"] = _basic(settings.client_id, settings.client_secret.get_secret_value())
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
        try:
            async with self._client() as client:
                response = await client.post(metadata.token_endpoint, data=form, headers=headers)
        except httpx2.HTTPError as error:
            raise SignInRefused("unavailable", f"token endpoint: {type(error).__name__}") from None
        if response.status_code >= 500:
            raise SignInRefused("unavailable", f"token endpoint: {response.status_code}")
        try:
            document = response.json()
            token = document["id_token"]
        except (ValueError, KeyError, TypeError):
            raise SignInRefused("not_valid", f"token endpoint: {response.status_code}, no ID token") from None
        if response.status_code != 200 or not isinstance(token, str):
            raise SignInRefused("not_valid", f"token endpoint: {response.status_code}")
        return token

    async def _metadata(self) -> tuple[Metadata, TokenKeys]:
        now = self._clock.monotonic()
        if self._known is not None and now < self._known[2]:
            return self._known[:2]
        address = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            async with self._client() as client:
                response = await client.get(address)
            response.raise_for_status()
            metadata = Metadata.model_validate_json(response.content)
        except (httpx2.HTTPError, ValidationError) as error:
            raise SignInRefused("unavailable", f"{address}: {type(error).__name__}: {error}"[:500]) from None
        if metadata.issuer != self._settings.issuer:
            raise SignInRefused("not_valid", f"{address} is of the issuer {metadata.issuer[:200]!r}")
        keys = TokenKeys(metadata.jwks_uri, self._settings.algorithms, self._settings.leeway_s)
        self._known = metadata, keys, now + _KNOWN_S
        return metadata, keys

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(verify=self._tls, timeout=_TIMEOUT_S, follow_redirects=False)


def challenge_of(verifier: str) -> str:
    """Return the ``S256`` challenge of a code verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


async def verified_claims(keys: TokenKeys, token: str, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """Return the claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7).

    Args:
        keys: the issuer's keys.
        client_id: audience that the token must have.
        nonce: nonce of this sign-in.

    Raises:
        SignInRefused: the token is not valid, is for another client or another sign-in, or the keys cannot be fetched.
    """
    try:
        claims = await keys.claims(token, issuer=issuer, audience=client_id, required=_REQUIRED)
    except NotAuthenticated as error:
        raise SignInRefused("not_valid", error.detail) from None
    except Unavailable as error:
        raise SignInRefused("unavailable", error.detail) from None
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise SignInRefused("not_valid", "the token was issued to another client")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise SignInRefused("not_valid", "the nonce is another one")
    return claims


def _names_issuer(metadata: Metadata) -> bool:
    return metadata.authorization_response_iss_parameter_supported


def _basic(client_id: str, secret: str) -> str:
    """Return HTTP Basic credentials of a client (RFC 6749, 2.3.1: form-encoded first)."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
