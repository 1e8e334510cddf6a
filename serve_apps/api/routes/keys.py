"""``/v1/keys``: the tenant's API keys. ``/v1/whoami``, ``/v1/tickets``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rlplatform.access.api_keys import ApiKey, prefix
from rlplatform.access.models import (
    KeyCreated,
    KeyInfo,
    KeyList,
    KeyRequest,
    KeyRotation,
    Ticket,
    TicketRequest,
    WhoAmI,
)
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import Conflict, NotFound
from serve_apps.api.dependencies import Caller, CanAdminister, Context, Credential, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["access"])
_CREATED: dict[int | str, dict[str, Any]] = {
    201: {"model": KeyCreated, "description": "Created. `api_key` is shown this once.", "headers": headers("Location")}
}
_BODY = (400, 401, 403, 408, 413, 415, 422)


@router.post(
    "/keys",
    summary="Create an API key",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY)},
    openapi_extra=accepts(KeyRequest, {"name": "course front end", "role": "learner", "expires_in_s": 86400}),
)
async def create_key(
    ctx: Ctx, request: Request, caller: CanAdminister, body: Annotated[KeyRequest, Depends(body_of(KeyRequest))]
) -> Response:
    """Create an API key with a role or with scopes, at most those of the caller. Its text is shown this once."""
    tenant = body.tenant or caller.tenant
    if tenant != caller.tenant:
        caller.require(Scope.OPERATE)
    for scope in body.granted:
        caller.require(scope)
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    expires_at = None
    if body.expires_in_s is not None:
        expires_at = ctx.services.clock.now() + timedelta(seconds=body.expires_in_s)
    key, text = await ctx.access.keys.create(tenant=tenant, name=body.name, scopes=body.granted, expires_at=expires_at)
    return _created(key, text)


@router.get(
    "/keys",
    summary="List API keys, oldest first",
    responses={200: {"model": KeyList, "description": "The keys."}, **problems(401, 403)},
)
async def list_keys(ctx: Ctx, caller: CanAdminister) -> KeyList:
    """Return the keys of the tenant, or of all tenants for operators, without their secrets."""
    tenant = None if caller.has(Scope.OPERATE) else caller.tenant
    return KeyList(items=[_info(key) for key in await ctx.services.store.list_keys(tenant)])


@router.delete(
    "/keys/{key_id}",
    summary="Revoke an API key",
    responses={200: {"model": KeyInfo, "description": "The key, revoked."}, **problems(401, 403, 404)},
)
async def revoke_key(ctx: Ctx, caller: CanAdminister, key_id: str) -> KeyInfo:
    """Revoke a key. Requests with it are refused from now on, on all replicas."""
    return _info(await ctx.access.keys.revoke(await _key(ctx, caller, key_id)))


@router.post(
    "/keys/{key_id}/rotate",
    summary="Replace an API key; the old one keeps working for a while",
    status_code=201,
    responses={**_CREATED, **problems(*_BODY, 404, 409)},
    openapi_extra=accepts(KeyRotation, {"overlap_s": 3600}),
)
async def rotate_key(
    ctx: Ctx,
    request: Request,
    caller: CanAdminister,
    key_id: str,
    body: Annotated[KeyRotation, Depends(body_of(KeyRotation))],
) -> Response:
    """Create a key that replaces this one. The old key keeps working for `overlap_s`."""
    key = await _key(ctx, caller, key_id)
    if key.revoked_at is not None:
        raise Conflict("the key has been revoked; make a new one", state="revoked")
    if key.expires_at is not None and key.expires_at <= ctx.services.clock.now():
        raise Conflict(f"the key expired at {key.expires_at:%Y-%m-%d %H:%M:%S} UTC; make a new one", state="expired")
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return _created(*await ctx.access.keys.rotate(key, body.overlap_s))


@router.get(
    "/whoami",
    summary="Show the principal that the credentials stand for",
    responses={200: {"model": WhoAmI, "description": "The principal."}, **problems(401)},
)
async def whoami(caller: Caller) -> WhoAmI:
    """Return the principal, its tenant and its scopes."""
    return WhoAmI(id=caller.id, tenant=caller.tenant, scopes=sorted(caller.scopes))


@router.post(
    "/tickets",
    summary="Create a one-use ticket for a browser's event stream",
    status_code=201,
    responses={201: {"model": Ticket, "description": "The ticket."}, **problems(*_BODY, 404)},
    openapi_extra=accepts(TicketRequest, {"stream": None}),
)
async def create_ticket(
    ctx: Ctx,
    caller: Caller,
    credential: Credential,
    body: Annotated[TicketRequest, Depends(body_of(TicketRequest))],
) -> Ticket:
    """Create a ticket for a browser, which cannot send headers with `EventSource` or `WebSocket`."""
    if body.stream is not None:
        await ctx.of_stream(body.stream, caller)
    assert credential is not None  # else there were no caller
    claims, text = ctx.access.issue(caller, credential, body.stream)
    return Ticket(ticket=text, expires_at=claims.expires_at)


async def _key(ctx: Context, caller: Principal, key_id: str) -> ApiKey:
    """The key of this id, for ``caller`` to end. :raises NotAllowed: it may do more than its ender."""
    key = await ctx.services.store.get_key(key_id)
    if key is None or (key.tenant != caller.tenant and not caller.has(Scope.OPERATE)):
        raise NotFound("no such key")
    for scope in key.scopes:
        caller.require(scope)
    return key


def _info(key: ApiKey) -> KeyInfo:
    return KeyInfo(prefix=prefix(key), scopes=sorted(key.scopes), **key.model_dump(exclude={"scopes", "secret_hmac"}))


def _created(key: ApiKey, text: str) -> Response:
    return accepted(f"/v1/keys/{key.id}", KeyCreated(key=_info(key), api_key=text), status=201)
