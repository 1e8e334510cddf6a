"""``/v1/session``: the session of a browser. ``/sign-in``: to an OpenID provider and back, for browsers alone."""

from __future__ import annotations

import logging
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from rlplatform.access.models import WhoAmI
from rlplatform.access.principals import Principal
from rlplatform.errors import NotAuthenticated, NotFound
from rlplatform.sign_in.models import SessionInfo, SignInRefused
from rlplatform.sign_in.service import BEGIN, CALLBACK, SignInService
from serve_apps.api.dependencies import Caller, Context, Ctx
from serve_apps.api.openapi.document import problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(tags=["access"])
_LOG = logging.getLogger("rlplatform.api")
_STATE = "sign_in"


@router.get(
    "/v1/session",
    summary="Show the session of the browser",
    responses={200: {"model": SessionInfo, "description": "The session."}, **problems()},
)
async def show(ctx: Ctx, request: Request) -> SessionInfo:
    """Return the principal of the session cookie, and the provider whose accounts can sign in. Needs no key."""
    provider = ctx.sign_in.described if ctx.sign_in is not None else None
    text = ctx.cookies.session_of(request)
    try:
        found = await ctx.access.bearer(text) if text is not None else None
    except NotAuthenticated:
        found = None
    return SessionInfo(provider=provider, principal=_described(found) if found is not None else None)


@router.delete(
    "/v1/session",
    summary="Sign the browser out",
    status_code=204,
    response_class=Response,
    responses={
        204: {"description": "The session has ended.", "headers": headers("Set-Cookie")},
        **problems(401),
    },
)
async def end(ctx: Ctx, request: Request, _: Caller) -> Response:
    """End the session of the cookie, in all tabs of the browser. Keys stay valid."""
    if (text := ctx.cookies.session_of(request)) is not None:
        await ctx.access.end_session(text)
    response = Response(status_code=204)
    ctx.cookies.end_session(response)
    return response


@router.get(f"/{BEGIN}", include_in_schema=False)
async def begin(ctx: Ctx, to: str = "/") -> Response:
    """Send the browser to the provider."""
    service = _service(ctx)
    try:
        with ctx.limiter.stranger():
            state, address = await service.begin(to)
    except SignInRefused as refusal:
        return refused(ctx, refusal)
    response = RedirectResponse(address, status_code=303)
    ctx.cookies.set_state(response, _STATE, state, service.life_s)
    return response


@router.get(f"/{CALLBACK}", include_in_schema=False)
async def finish(ctx: Ctx, request: Request) -> Response:
    """Take the browser back from the provider, and give it a session."""
    service = _service(ctx)
    try:
        with ctx.limiter.stranger():
            principal, session, to = await service.finish(
                ctx.cookies.state(request, _STATE), dict(request.query_params)
            )
    except SignInRefused as refusal:
        response = refused(ctx, refusal)
    else:
        request.scope["state"]["principal"] = principal
        response = signed_in(ctx, session, to)
    ctx.cookies.end_state(response, _STATE)
    return response


def signed_in(ctx: Context, session: str, to: str) -> Response:
    """Return the way to a route of the page, with a session."""
    response = RedirectResponse(f"{page(ctx)}#signed-in=1&{quote(to, safe='/?=&,:%')}", status_code=303)
    ctx.cookies.begin_session(response, session, ctx.settings.access.session_life_s)
    return response


def refused(ctx: Context, refusal: SignInRefused) -> Response:
    """Return the way to the page, which explains why nobody is signed in."""
    _LOG.warning("a sign-in was refused: %s", str(refusal).encode("unicode_escape").decode())  # others' words: one line
    return RedirectResponse(f"{page(ctx)}#refused={refusal.reason}", status_code=303)


def page(ctx: Context) -> str:
    """Return the address of the page, never what a request says it is."""
    return f"{(ctx.settings.access.public_url or '').rstrip('/')}/"


def _service(ctx: Context) -> SignInService:
    if ctx.sign_in is None:
        raise NotFound("no provider is configured for sign-in: see RLP_ACCESS__OIDC__ISSUER in docs/settings.md")
    return ctx.sign_in


def _described(found: Principal) -> WhoAmI:
    return WhoAmI(id=found.id, tenant=found.tenant, scopes=sorted(found.scopes))
