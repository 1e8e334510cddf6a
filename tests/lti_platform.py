"""A learning platform, written to the specifications: LTI 1.3 core, 1EdTech Security Framework 1.0 (login, tokens for
services), Deep Linking 2.0 and Assignment and Grade Services 2.0.

``spoil`` changes the claims of its next messages, or returns another token, for attacks.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.openid_provider import KeyPair
from tests.serving import on_loopback

CLIENT, DEPLOYMENT, COURSE = "tool-1", "deployment-1", "course-7"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
LINKS = "https://purl.imsglobal.org/spec/lti-dl/claim/"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SCOPES = [
    "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
]


class LtiPlatformStub:
    """The platform; ``app`` is its ASGI application."""

    def __init__(self, keys_url: str) -> None:
        self.issuer = ""
        self.key = KeyPair("platform")
        self.keys_url = keys_url
        """Address of the tool's public keys."""
        self.tool_keys: Callable[[], Any] | None = None
        """Reads them, where the tool is in this process."""
        self.redirect_uri = ""
        self.now: Callable[[], float] = time.time
        """Time by which tokens of the tool expire."""
        self.spoil: Callable[[dict[str, Any]], str | None] = lambda claims: None
        self.message: dict[str, Any] = {}
        """Claims of the messages that browsers get at the authorization endpoint."""
        self.scores: list[dict[str, Any]] = []
        self.columns: dict[str, dict[str, Any]] = {}
        self.grants: list[str] = []
        self.away = False
        """True: the gradebook answers 503."""
        self._tokens: set[str] = set()
        self._assertions: set[str] = set()
        self.app = Starlette(
            routes=[
                Route("/authorize", self._authorize),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/items", self._make_column, methods=["POST"]),
                Route("/items/{column}/scores", self._score, methods=["POST"]),
            ]
        )

    def registration(self, **changes: Any) -> dict[str, Any]:
        """Return what an operator enters at the tool."""
        return {
            "name": "Stub",
            "tenant": "school",
            "issuer": self.issuer,
            "client_id": CLIENT,
            "deployment_ids": [DEPLOYMENT],
            "authorization_url": f"{self.issuer}/authorize",
            "token_url": f"{self.issuer}/token",
            "jwks_url": f"{self.issuer}/keys",
            **changes,
        }

    def login(self, target: str, person: str) -> dict[str, str]:
        """Return the parameters of a third-party login, as a click on a link sends them."""
        return {
            "iss": self.issuer,
            "login_hint": person,
            "target_link_uri": target,
            "lti_message_hint": "hint",
            "client_id": CLIENT,
            "lti_deployment_id": DEPLOYMENT,
        }

    def authorize(self, asked: dict[str, str], message: dict[str, Any]) -> dict[str, str]:
        """Return the form that the browser posts to the tool (Security Framework 5.1.1.2 and 5.1.1.3)."""
        fixed = {"scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none"}
        if any(asked.get(name) != value for name, value in fixed.items()) or asked.get("client_id") != CLIENT:
            return {"error": "invalid_request", "state": asked["state"]}
        if asked.get("redirect_uri") != self.redirect_uri or asked.get("lti_message_hint") != "hint":
            return {"error": "invalid_request", "state": asked["state"]}
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": [CLIENT],
            "sub": asked["login_hint"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            f"{LTI}version": "1.3.0",
            f"{LTI}deployment_id": DEPLOYMENT,
            f"{LTI}context": {"id": COURSE, "type": ["CourseSection"]},
            **message,
        }
        token = self.spoil(claims) or self.key.sign(claims)
        return {"state": asked["state"], "id_token": token}

    def link(self, target: str, role: str = "Learner", column: str | None = None, **more: Any) -> dict[str, Any]:
        """Return the claims of a link to a resource."""
        if column is not None:
            self.columns.setdefault(column, {"label": column, "scoreMaximum": 4})
        item = {"lineitem": f"{self.issuer}/items/{column}?type=lti"} if column is not None else {}
        return {
            f"{LTI}message_type": "LtiResourceLinkRequest",
            f"{LTI}target_link_uri": target,
            f"{LTI}resource_link": {"id": "link-1", "title": "Double"},
            f"{LTI}roles": [ROLE + role],
            "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {
                "scope": SCOPES,
                "lineitems": f"{self.issuer}/items",
                **item,
            },
            **more,
        }

    async def _authorize(self, request: Request) -> Response:
        """Have the browser post the message, as platforms do."""
        asked = dict(request.query_params)
        fields = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in self.authorize(asked, self.message).items()
        )
        form = f'<form method="post" action="{escape(asked["redirect_uri"])}">{fields}<button>Continue</button></form>'
        return HTMLResponse(f"<!doctype html><title>Platform</title>{form}")

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [self.key.jwk]})

    async def _token(self, request: Request) -> Response:
        """Grant a token to who proves to be the tool (RFC 7523)."""
        form = dict(parse_qsl((await request.body()).decode()))
        try:
            kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            assert (form["grant_type"], form["client_assertion_type"]) == ("client_credentials", kind)
            claims = await self.read(form["client_assertion"], f"{self.issuer}/token")
            assert claims["iss"] == claims["sub"] == CLIENT
            assert claims["jti"] not in self._assertions, "an assertion is good once"
            self._assertions.add(claims["jti"])
        except Exception as error:
            return JSONResponse({"error": "invalid_client", "error_description": repr(error)}, status_code=400)
        token = secrets.token_urlsafe(16)
        self._tokens.add(token)
        self.grants.append(form["scope"])
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": form["scope"]})

    async def read(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims of a token that the tool signed."""
        if self.tool_keys is not None:
            keys = await self.tool_keys()
        else:
            async with httpx2.AsyncClient() as client:
                keys = (await client.get(self.keys_url)).json()
        key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
        by_our_clock = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "aud", "iss"]}
        found: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience, options=by_our_clock)
        assert found["iat"] <= self.now() < found["exp"], "the token is expired, or not yet valid"
        return found

    async def _make_column(self, request: Request) -> Response:
        if (refused := self._refusal(request, "application/vnd.ims.lis.v2.lineitem+json")) is not None:
            return refused
        column = await request.json()
        name = f"column-{len(self.columns) + 1}"
        self.columns[name] = column
        return JSONResponse({"id": f"{self.issuer}/items/{name}", **column}, status_code=201)

    async def _score(self, request: Request) -> Response:
        if (refused := self._refusal(request, "application/vnd.ims.lis.v1.score+json")) is not None:
            return refused
        column = request.path_params["column"]
        if column not in self.columns:
            return Response(status_code=404)
        score = await request.json()
        for name in ("userId", "timestamp", "activityProgress", "gradingProgress"):
            assert name in score
        self.scores.append({"column": column, **score})
        return Response(status_code=204)

    def _refusal(self, request: Request, media_type: str) -> Response | None:
        if self.away:
            return Response(status_code=503)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return Response(status_code=401)
        return None if request.headers.get("content-type") == media_type else Response(status_code=415)


@asynccontextmanager
async def lti_platform(tool: str) -> AsyncIterator[LtiPlatformStub]:
    """Serve a platform on a free port of the loopback interface, for the tool at the address ``tool``."""
    stub = LtiPlatformStub(f"{tool}/lti/keys")
    stub.redirect_uri = f"{tool}/lti/launch"
    async with on_loopback(stub.app, log_level="critical", timeout_graceful_shutdown=1) as address:
        stub.issuer = f"http://{address}"
        yield stub
