"""``/v1/policies``: publish a checkpoint's policy, act with it, take it away."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from rlplatform.errors import Unavailable
from rlplatform.ids import Kind
from rlplatform.policies.models import Actions, ActRequest, PolicyInfo, PolicyRequest
from rlplatform.policies.ports import PolicyService
from rlplatform.runs.pages import Page
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx, IdempotencyKey, idempotency
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.paging import Listing, list_runs
from serve_apps.api.http.responses import accepted, document, page
from serve_apps.api.openapi.document import accepts, binary, problems
from serve_apps.api.openapi.headers import headers

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
        201: {
            "model": PolicyInfo,
            "description": "Copied, and ready to act.",
            "headers": headers("Location", "Idempotency-Replayed"),
        },
        **problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(PolicyRequest, EXAMPLE),
)
async def publish(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    body: Annotated[PolicyRequest, Depends(body_of(PolicyRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Copy the policy of a checkpoint, or of a training's best or last checkpoint. The same `Idempotency-Key` and body
    again give the same policy."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    record, new = await _policies(ctx).publish(body, caller, idempotency(key, caller, "policies", body))
    return accepted(f"/v1/policies/{record.id}", record.document, new=new, status=201)


@router.get(
    "/policies",
    summary="List policies, newest first",
    responses={
        200: {"model": Page[PolicyInfo], "description": "A page of policies.", "headers": headers("Link")},
        **problems(401, 403, 422),
    },
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: Listing) -> Response:
    """Return one page of the policies that the caller sees, newest first. Deleted ones need `state=deleted`."""
    query = query.model_copy(update={"state": query.state or ["published"]})
    records, cursor = await list_runs(ctx.services.store, Kind.POLICY, query, caller, _STATES)
    return page(request, [record.document for record in records], cursor)


@router.get(
    "/policies/{policy_id}",
    summary="Show a policy: its spaces, its normaliser, where it comes from",
    responses={
        200: {"model": PolicyInfo, "description": "The policy.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, policy_id: str) -> Response:
    """Return the spaces, the normaliser and the origin of a policy. With `If-None-Match`, answer 304 if nothing has
    changed."""
    return document(request, (await ctx.policy(policy_id, caller)).document)


@router.delete(
    "/policies/{policy_id}",
    summary="Delete a policy for good",
    responses={200: {"model": PolicyInfo, "description": "The policy, deleted."}, **problems(401, 403, 404, 503)},
)
async def delete(ctx: Ctx, caller: CanTrain, policy_id: str) -> PolicyInfo:
    """Delete a policy and its files. Deleting it again changes nothing."""
    return (await _policies(ctx).delete(policy_id, caller)).document


@router.post(
    "/policies/{policy_id}/act",
    summary="Compute actions for observations",
    responses={
        200: {"model": Actions, "description": "The actions.", "headers": headers("Server-Timing")},
        **problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(ActRequest, ACT_EXAMPLE),
)
async def act(
    ctx: Ctx, caller: Caller, policy_id: str, body: Annotated[ActRequest, Depends(body_of(ActRequest))]
) -> Response:
    """Compute one action for each observation. Requests that arrive together are computed together."""
    from rlplatform.policies.observations import parse  # NumPy: not at start-up

    policy = (await ctx.policy(policy_id, caller)).document
    observations = await asyncio.to_thread(parse, policy.observation_space, body.observations)
    acted = await _policies(ctx).act(policy, observations, deterministic=body.deterministic)
    answer = Actions(policy_id=policy.id, deterministic=body.deterministic, actions=acted.actions.tolist())
    timing = f'act;dur={acted.compute_s * 1000:.3f};desc="{acted.batch} observations"'
    return Response(answer.model_dump_json(), media_type="application/json", headers={"Server-Timing": timing})


@router.get(
    "/policies/{policy_id}/download",
    summary="Download a policy, as an ONNX model or as an archive",
    response_class=Response,
    responses={
        200: {
            "description": "The file.",
            "headers": headers("Content-Disposition"),
            "content": binary(*_MEDIA_TYPES.values()),
        },
        **problems(401, 403, 404, 422, 503),
    },
)
async def download(
    ctx: Ctx,
    caller: Caller,
    policy_id: str,
    form: Annotated[Literal["onnx", "tar"], Query(alias="format", description="Form of the file.")] = "onnx",
) -> Response:
    """Return the policy as an ONNX model that was checked to act like it, or as the tar archive that `sha256` is of."""
    policy = (await ctx.policy(policy_id, caller)).document
    content = await (_policies(ctx).onnx(policy) if form == "onnx" else _policies(ctx).archive(policy))
    headers = {"Content-Disposition": f'attachment; filename="{policy.id}.{form}"'}
    return Response(content, media_type=_MEDIA_TYPES[form], headers=headers)


def _policies(ctx: Context) -> PolicyService:
    if ctx.services.policies is None:
        raise Unavailable("this deployment serves no policies")
    return ctx.services.policies
