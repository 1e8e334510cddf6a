"""An OpenID provider, written to the specifications: Core 1.0, Discovery 1.0, RFC 6749, 7636 (PKCE) and 9207.

It signs in whoever ``person`` is, without a form. ``spoil`` changes the claims, the header or the key of its next ID
tokens, for attacks.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.serving import on_loopback

CLIENT, SECRET = "rl platform", "s3cret:/+"


@lru_cache
def _private_key(kid: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class KeyPair:
    """An RSA key, and its JWK."""

    def __init__(self, kid: str) -> None:
        self.kid = kid
        self.private = _private_key(kid)
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.jwk: dict[str, Any] = {**public, "kid": kid, "use": "sig", "alg": "RS256"}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """Return a token of ``claims``."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid, **headers})


class OpenIdProviderStub:
    """The provider; ``app`` is its ASGI application."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = KeyPair("first")
        self.person: dict[str, Any] = {"sub": "ada"}
        self.redirect_uris: set[str] = set()
        self.spoil: Callable[[dict[str, Any]], str | None] = lambda claims: None
        """Changes the claims of an ID token, or returns another token."""
        self.metadata: dict[str, Any] = {}
        """Further metadata, or other ones."""
        self.codes: dict[str, dict[str, str]] = {}
        self.refused: list[str] = []
        """Reasons for which the token endpoint refused requests."""
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "authorization_response_iss_parameter_supported": True,
                **self.metadata,
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.jwk]})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT or asked.get("redirect_uri") not in self.redirect_uris:
            return Response("unknown client or redirect URI", status_code=400)
        back = {"state": asked["state"], "iss": self.issuer}
        pkce = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split() or not pkce:
            back["error"] = "invalid_request"
        elif not self.person:
            back["error"] = "access_denied"
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", status_code=302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if (error := self._refusal(request, form)) is not None:
            self.refused.append(error)
            return JSONResponse({"error": error}, status_code=401 if error == "invalid_client" else 400)
        asked = self.codes.pop(form["code"])
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
        }
        token = self.spoil(claims) or self.key.sign(claims)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _refusal(self, request: Request, form: dict[str, str]) -> str | None:
        """Return the error of a token request (RFC 6749, 5.2), or None."""
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        pair = base64.b64decode(coded).decode().split(":") if scheme == "Basic" else []
        if [unquote(part) for part in pair] != [CLIENT, SECRET]:
            return "invalid_client"
        asked = self.codes.get(form.get("code", ""))
        if form.get("grant_type") != "authorization_code":
            return "unsupported_grant_type"
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return "invalid_grant"
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return None if challenge == asked["code_challenge"] else "invalid_grant"


@asynccontextmanager
async def openid_provider() -> AsyncIterator[OpenIdProviderStub]:
    """Serve a provider on a free port of the loopback interface."""
    stub = OpenIdProviderStub()
    async with on_loopback(stub.app, log_level="critical", timeout_graceful_shutdown=1) as address:
        stub.issuer = f"http://{address}"
        yield stub
