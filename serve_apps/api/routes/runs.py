"""``/v1/runs/…``: name, label and delete runs of any kind."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import InvalidRequest, NotAllowed, NotFound
from rlplatform.evaluation.models import Evaluation
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import Kind, kind_of
from rlplatform.runs.annotations import RunPatch
from rlplatform.training.models import Training
from rlplatform.training.record import TrainingRun
from serve_apps.api.dependencies import Caller, Context, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import document
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.routes.evaluations import shown_to

router = APIRouter(prefix="/v1", tags=["runs"])
EXAMPLE = {"name": "baseline", "labels": {"course": "rl101", "old": None}, "notes": "The run of the report."}


@router.patch(
    "/runs/{run_id}",
    summary="Change the name, labels or notes of a run",
    responses={
        200: {"model": Evaluation | Training, "description": "The run.", "headers": headers("ETag")},
        **problems(400, 401, 403, 404, 408, 413, 415, 422),
    },
    openapi_extra=accepts(RunPatch, EXAMPLE),
)
async def annotate(
    ctx: Ctx, request: Request, caller: Caller, run_id: str, body: Annotated[RunPatch, Depends(body_of(RunPatch))]
) -> Response:
    """Change the annotations of an evaluation or a training, finished or not. Fields that are left out stay unchanged,
    and so do labels that are not in `labels`; a label with the value null is removed."""
    run = await _run(ctx, run_id, caller)
    caller.require(Scope.EVALUATE if isinstance(run, EvaluationRun) else Scope.TRAIN)
    changed = run.annotated(await ctx.services.store.annotate(run.id, body))
    return document(request, shown_to(caller, changed) if isinstance(changed, EvaluationRun) else changed.document)


@router.delete(
    "/runs/{run_id}",
    summary="Delete a finished run",
    status_code=204,
    responses={204: {"description": "The run is deleted."}, **problems(401, 403, 404, 409, 503)},
)
async def delete(ctx: Ctx, caller: Caller, run_id: str) -> Response:
    """Delete a finished evaluation or training for good, with its events, checkpoints and files. Policies that were
    published stay, and so does the usage. Needs the scope `read`; runs of others need the scope `admin`."""
    run = await _run(ctx, run_id, caller)
    caller.require(Scope.READ)
    if run.created_by != caller.id and not caller.has(Scope.ADMIN):
        raise NotAllowed("the run was submitted by somebody else: to delete it needs the scope 'admin'", scope="admin")
    await ctx.services.commands.delete_run(run.id, caller)
    return Response(status_code=204)


async def _run(ctx: Context, run_id: str, caller: Principal) -> EvaluationRun | TrainingRun:
    """Return the run of this id.

    Raises:
        NotFound: there is none that the caller sees.
    """
    try:
        kind = kind_of(run_id)
    except InvalidRequest:
        kind = None
    if kind is Kind.EVALUATION:
        return await ctx.evaluation(run_id, caller)
    if kind is Kind.TRAINING:
        return await ctx.training(run_id, caller)
    raise NotFound("no such run")
