"""``/v1/studies``: search hyperparameters with many trainings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.ids import Kind
from rlplatform.runs.pages import Page
from rlplatform.studies.models import Study, StudyRequest, StudyState
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx, IdempotencyKey, idempotency
from serve_apps.api.http.bodies import beside, body_of
from serve_apps.api.http.paging import Listing, list_runs
from serve_apps.api.http.responses import accepted, document, page
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["studies"])
EXAMPLE = {
    "name": "learning rate",
    "training": {"env": "CartPole-v1", "stop": {"env_steps": 100_000}},
    "space": {
        "learning_rate": {"kind": "float", "low": 0.0001, "high": 0.01, "log": True},
        "gamma": {"kind": "categorical", "choices": [0.98, 0.99, 0.995]},
    },
    "sampler": {"kind": "tpe"},
    "pruner": {"kind": "hyperband"},
    "seeds": [0, 1, 2],
    "budget_env_steps": 5_000_000,
}
_STATES = [state.value for state in StudyState]
_COMMAND: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Study,
        "description": "Requested. The events tell when it is done.",
        "headers": headers("Location"),
    }
}


@router.post(
    "/studies",
    summary="Start a study",
    status_code=202,
    responses={
        202: {
            "model": Study,
            "description": "Accepted.",
            "headers": headers("Location", "Idempotency-Replayed"),
        },
        **problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(StudyRequest, EXAMPLE),
)
async def start(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    body: Annotated[StudyRequest, Depends(body_of(StudyRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Search hyperparameters. Each trial trains one choice of them, with each of the seeds; its trainings are ordinary
    ones. The same `Idempotency-Key` and body again give the same study."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    size = len(await request.body())
    repeatable = await beside(size, lambda: idempotency(key, caller, "studies", body))
    run, new = await ctx.services.commands.start_study(body, caller, repeatable)
    return accepted(f"/v1/studies/{run.id}", run.document, new=new)


@router.get(
    "/studies",
    summary="List studies, newest first",
    responses={
        200: {"model": Page[Study], "description": "A page of studies, without trials.", "headers": headers("Link")},
        **problems(401, 403, 422),
    },
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: Listing) -> Response:
    """Return one page of the studies that the caller sees, newest first, without their trials."""
    runs, cursor = await list_runs(ctx.services.store, Kind.STUDY, query, caller, _STATES)
    return page(request, [run.document for run in runs], cursor)


@router.get(
    "/studies/{study_id}",
    summary="Show a study: state, trials, importances",
    responses={
        200: {"model": Study, "description": "The study.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, study_id: str) -> Response:
    """Return the state, all trials with their ranks, and the importance of each hyperparameter. With `If-None-Match`,
    answer 304 if nothing changed."""
    return document(request, (await ctx.study(study_id, caller)).document)


@router.post(
    "/studies/{study_id}/pause",
    summary="Pause a study and its trainings",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def pause(ctx: Ctx, caller: CanTrain, study_id: str) -> Response:
    """Pause the study's trainings, each with a checkpoint, and begin no others. The events tell when that is done."""
    return await _command(ctx, caller, study_id, "pause")


@router.post(
    "/studies/{study_id}/resume",
    summary="Continue a paused study",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def resume(ctx: Ctx, caller: CanTrain, study_id: str) -> Response:
    """Continue the study's trainings from their checkpoints, and start further trials."""
    return await _command(ctx, caller, study_id, "resume")


@router.post(
    "/studies/{study_id}/stop",
    summary="Stop a study and its trainings for good",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def stop(ctx: Ctx, caller: CanTrain, study_id: str) -> Response:
    """Stop the study's trainings, each with a last checkpoint, and end the study."""
    return await _command(ctx, caller, study_id, "stop")


async def _command(ctx: Context, caller: Principal, study_id: str, command: str) -> Response:
    await ctx.study(study_id, caller)
    run = await ctx.services.commands.command_study(study_id, command, caller)
    return accepted(f"/v1/studies/{run.id}", run.document)
