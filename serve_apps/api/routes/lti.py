"""``/v1/lti``: learning platforms that operators register. ``/lti``: logins and launches, for browsers."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rlplatform import patterns
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import InvalidRequest, NotAuthenticated, NotFound, TooLarge
from rlplatform.lti.launches import Launched
from rlplatform.lti.models import LtiRegistration, LtiRegistrationList, LtiRegistrationRequest, LtiTool
from rlplatform.lti.service import KEYS, LAUNCH, LOGIN, Choice, LtiService
from rlplatform.sign_in.models import SignInRefused
from serve_apps.api.dependencies import CanAdminister, CanOperate, Context, Ctx
from serve_apps.api.http.bodies import body_of, read_bytes
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.routes.sign_in import refused, signed_in

router = APIRouter(tags=["lti"])
_BODY = (400, 401, 403, 404, 408, 409, 413, 415, 422)
_MAX_FORM = 65_536
_STATE = "lti"
_EXAMPLE = {
    "name": "Moodle",
    "tenant": "rl-course",
    "issuer": "https://moodle.example.edu",
    "client_id": "x7Fq2",
    "deployment_ids": ["1"],
    "authorization_url": "https://moodle.example.edu/mod/lti/auth.php",
    "token_url": "https://moodle.example.edu/mod/lti/token.php",
    "jwks_url": "https://moodle.example.edu/mod/lti/certs.php",
}
_NEW_WINDOW = "Set this tool to open in a new window: it does not work inside another page."


@router.post(
    "/v1/lti/registrations",
    summary="Register a learning platform",
    status_code=201,
    responses={201: {"model": LtiRegistration, "description": "The registration."}, **problems(*_BODY)},
    openapi_extra=accepts(LtiRegistrationRequest, _EXAMPLE),
)
async def register(
    ctx: Ctx,
    request: Request,
    caller: CanOperate,
    body: Annotated[LtiRegistrationRequest, Depends(body_of(LtiRegistrationRequest))],
) -> LtiRegistration:
    """Register a learning platform for a tenant, or change its registration, known by `issuer` and `client_id`."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return await _service(ctx).registrations.add(body, body.tenant or caller.tenant, caller.id)


@router.get(
    "/v1/lti/registrations",
    summary="List the learning platforms of the tenant",
    responses={200: {"model": LtiRegistrationList, "description": "The registrations."}, **problems(401, 403, 404)},
)
async def registrations(ctx: Ctx, caller: CanAdminister) -> LtiRegistrationList:
    """Return the registrations of the tenant, or of all tenants for operators."""
    tenant = None if caller.has(Scope.OPERATE) else caller.tenant
    return LtiRegistrationList(items=await _service(ctx).registrations.list(tenant))


@router.delete(
    "/v1/lti/registrations/{registration_id}",
    summary="Remove a learning platform",
    responses={200: {"model": LtiRegistration, "description": "The registration, removed."}, **problems(401, 403, 404)},
)
async def remove(ctx: Ctx, caller: CanAdminister, registration_id: str) -> LtiRegistration:
    """Remove a registration. Its platform can launch nothing any more, and gets no grades. Members stay."""
    service = _service(ctx)
    found = await service.registrations.get(registration_id)
    if found.tenant != caller.tenant and not caller.has(Scope.OPERATE):
        raise NotFound("no such registration")
    await service.registrations.remove(found)
    return found


@router.get(
    "/v1/lti/tool",
    summary="Show what to enter at a learning platform",
    responses={200: {"model": LtiTool, "description": "The addresses."}, **problems(401, 403, 404)},
)
async def tool(ctx: Ctx, _: CanAdminister) -> LtiTool:
    """Return the addresses of this tool, which a learning platform asks for when a tool is added."""
    return _service(ctx).tool


@router.get(f"/{KEYS}", include_in_schema=False)
async def keys(ctx: Ctx) -> dict[str, Any]:
    """Return the tool's public keys."""
    return await _service(ctx).key.public()


@router.get(f"/{LOGIN}", include_in_schema=False)
async def login(ctx: Ctx, request: Request) -> Response:
    """Begin a launch."""
    return await _login(ctx, dict(request.query_params))


@router.post(f"/{LOGIN}", include_in_schema=False)
async def login_by_form(ctx: Ctx, request: Request) -> Response:
    """Begin a launch."""
    return await _login(ctx, await _form(request))


@router.post(f"/{LAUNCH}", include_in_schema=False)
async def launch(ctx: Ctx, request: Request) -> Response:
    """Receive a person whom a learning platform sends."""
    service = _service(ctx)
    posted = await _form(request)
    try:
        with ctx.limiter.stranger():
            launched = await service.launches.finish(ctx.cookies.state(request, _STATE), posted)
            await _once(ctx, launched.nonce)
            response = await _arrive(ctx, request, service, launched)
    except SignInRefused as refusal:
        response = refused(ctx, refusal)
    ctx.cookies.end_state(response, _STATE, posted=True)
    return response


async def _login(ctx: Context, asked: dict[str, str]) -> Response:
    try:
        state, address = await _service(ctx).login(asked)
    except SignInRefused as refusal:
        return refused(ctx, refusal)
    response = RedirectResponse(address, status_code=303)
    ctx.cookies.set_state(response, _STATE, state, _service(ctx).launches.life_s, posted=True)
    return response


async def _arrive(ctx: Context, request: Request, service: LtiService, launched: Launched) -> Response:
    if launched.launch.deep_linking is not None and launched.launch.message_type == "LtiDeepLinkingRequest":
        return _choices(launched, await service.choices(launched))
    if request.headers.get("sec-fetch-dest") in ("iframe", "frame"):
        return _html(f"<p>{_NEW_WINDOW}</p>", "'none'", "*")
    route = await service.route(launched)
    request.scope["state"]["principal"] = Principal(
        id=launched.principal.id, tenant=launched.principal.tenant, scopes=frozenset()
    )
    return signed_in(ctx, await ctx.access.begin_session(launched.principal), route)


async def _once(ctx: Context, nonce: str) -> None:
    try:
        await ctx.limiter.use_once(f"lti:{nonce}")
    except NotAuthenticated:
        raise SignInRefused("begin_again", "the launch was used before") from None


def _choices(launched: Launched, choices: list[Choice]) -> Response:
    """Return a page with one form for each assignment, which posts the signed answer to the platform."""
    wanted = launched.launch.deep_linking
    assert wanted is not None
    address = wanted.deep_link_return_url
    if not patterns.is_trusted(address):
        raise SignInRefused("not_valid", "the return address is not HTTPS")
    forms = [
        f'<form method="post" action="{escape(address)}"><input type="hidden" name="JWT" value="{escape(one.answer)}">'
        f'<p><button type="submit">{escape(one.title)}</button></p></form>'
        for one in choices
    ]
    shown = "".join(forms) or "<p>The course has no assignment yet. Publish one first: rlp assignment push.</p>"
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    return _html(f"<h1>Choose an assignment</h1>{shown}", origin, origin)


def _html(body: str, form_action: str, ancestors: str) -> Response:
    policy = f"default-src 'none'; base-uri 'none'; form-action {form_action}; frame-ancestors {ancestors}"
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>rlplatform</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>'
        f"<body><main>{body}</main></body></html>"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form.

    Raises:
        TooLarge: it is larger than a login or a launch can be.
        InvalidRequest: it is no form.
    """
    body = await read_bytes(request)
    if len(body) > _MAX_FORM:
        raise TooLarge(f"the form is larger than {_MAX_FORM} bytes", max_body_bytes=_MAX_FORM)
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise InvalidRequest("the body is not a form") from None


def _service(ctx: Context) -> LtiService:
    if ctx.lti is None:
        raise NotFound("learning platforms need RLP_ACCESS__PUBLIC_URL: see docs/lti.md")
    return ctx.lti
