"""``/v1/policies``: publish a checkpoint's policy, act with it, take it away."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from rlplatform.documents import Page
from rlplatform.errors import Unavailable
from rlplatform.ids import Kind
from rlplatform.policies.models import Actions, ActRequest, PolicyInfo, PolicyRequest
from rlplatform.ports import Policies
from serve_apps.api.bodies import body_of
from serve_apps.api.deps import Caller, Context, Ctx, IdempotencyKey, Researcher, idempotency
from serve_apps.api.openapi import accepts, problems
from serve_apps.api.paging import Listing, list_runs
from serve_apps.api.responses import accepted, document, page

router = APIRouter(prefix="/v1", tags=["policies"])
EXAMPLE = {"training_id": "train_01k9zzzzzzzzzzzzzzzzzzzzzz", "which": "best", "name": "cart-pole"}
ACT_EXAMPLE = {"observations": [[0.01, -0.02, 0.03, 0.04], [0.0, 0.1, 0.0, -0.1]], "deterministic": True}
_STATES = ["published", "deleted"]
_MEDIA_TYPES = {"onnx": "application/octet-stream", "tar": "application/x-tar"}


@router.post(
    "/policies",
    summary="Publish the policy of a checkpoint",
    status_code=201,
    responses={
        201: {"model": PolicyInfo, "description": "copied, and ready to act; `Location` is where it is"},
        **problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(PolicyRequest, EXAMPLE),
)
async def publish(
    ctx: Ctx,
    request: Request,
    caller: Researcher,
    body: Annotated[PolicyRequest, Depends(body_of(PolicyRequest))],
    key: IdempotencyKey = None,
) -> Response:
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    record, new = await _policies(ctx).publish(body, caller, idempotency(key, caller, "policies", body))
    return accepted(f"/v1/policies/{record.id}", record.document, new=new, status=201)


@router.get(
    "/policies",
    summary="List policies, newest first; deleted ones only where `state` asks for them",
    responses={200: {"model": Page[PolicyInfo]}, **problems(401, 403, 422)},
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: Listing) -> Response:
    query = query.model_copy(update={"state": query.state or ["published"]})
    records, cursor = await list_runs(ctx.services.store, Kind.POLICY, query, caller, _STATES)
    return page(request, [record.document for record in records], cursor)


@router.get(
    "/policies/{policy_id}",
    summary="Show a policy: its spaces, its normaliser, where it comes from",
    responses={200: {"model": PolicyInfo}, 304: {"description": "unchanged"}, **problems(401, 403, 404)},
)
async def show(ctx: Ctx, request: Request, caller: Caller, policy_id: str) -> Response:
    return document(request, (await ctx.policy(policy_id, caller)).document)


@router.delete(
    "/policies/{policy_id}",
    summary="Delete a policy for good; again: nothing happens",
    responses={200: {"model": PolicyInfo}, **problems(401, 403, 404, 503)},
)
async def delete(ctx: Ctx, caller: Researcher, policy_id: str) -> PolicyInfo:
    return (await _policies(ctx).delete(policy_id, caller)).document


@router.post(
    "/policies/{policy_id}/act",
    summary="Actions for a batch of observations",
    responses={
        200: {"model": Actions, "description": "`Server-Timing` says how long it took, with how many observations"},
        **problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(ActRequest, ACT_EXAMPLE),
)
async def act(
    ctx: Ctx, caller: Caller, policy_id: str, body: Annotated[ActRequest, Depends(body_of(ActRequest))]
) -> Response:
    from rlplatform.policies.observations import parse  # NumPy: not at start-up

    policy = (await ctx.policy(policy_id, caller)).document
    observations = await asyncio.to_thread(parse, policy.observation_space, body.observations)
    acted = await _policies(ctx).act(policy, observations, deterministic=body.deterministic)
    answer = Actions(policy_id=policy.id, deterministic=body.deterministic, actions=acted.actions.tolist())
    timing = f'act;dur={acted.compute_s * 1000:.3f};desc="{acted.batch} observations"'
    return Response(answer.model_dump_json(), media_type="application/json", headers={"Server-Timing": timing})


@router.get(
    "/policies/{policy_id}/download",
    summary="A policy as an ONNX model that was seen to act as it does, or as the archive that `sha256` is of",
    responses={
        200: {
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted(_MEDIA_TYPES.values())
            }
        },
        **problems(401, 403, 404, 422, 503),
    },
)
async def download(
    ctx: Ctx,
    caller: Caller,
    policy_id: str,
    form: Annotated[Literal["onnx", "tar"], Query(alias="format")] = "onnx",
) -> Response:
    policy = (await ctx.policy(policy_id, caller)).document
    content = await (_policies(ctx).onnx(policy) if form == "onnx" else _policies(ctx).archive(policy))
    headers = {"Content-Disposition": f'attachment; filename="{policy.id}.{form}"'}
    return Response(content, media_type=_MEDIA_TYPES[form], headers=headers)


def _policies(ctx: Context) -> Policies:
    if ctx.services.policies is None:
        raise Unavailable("this deployment serves no policies")
    return ctx.services.policies
