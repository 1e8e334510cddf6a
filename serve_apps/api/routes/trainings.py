"""``/v1/trainings``: start, steer, measure."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.ids import Kind
from rlplatform.runs.pages import Page
from rlplatform.training.metric_series import MetricSeries, read_series
from rlplatform.training.models import Training, TrainingCheck, TrainingRequest, TrainingState
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx, IdempotencyKey, idempotency
from serve_apps.api.http.bodies import beside, body_of
from serve_apps.api.http.paging import RunListing, list_runs
from serve_apps.api.http.responses import accepted, document, page
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["trainings"])
EXAMPLE = {
    "env": "CartPole-v1",
    "preset": "CartPole-v1",
    "seed": 1,
    "hyperparameters": {"learning_rate": "lin_0.001"},
    "stop": {"env_steps": 100_000, "episode_return_mean": 475},
}
_STATES = [state.value for state in TrainingState]
_COMMAND: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Training,
        "description": "Requested. The events tell when it is done.",
        "headers": headers("Location"),
    }
}


class SeriesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    names: str | None = Field(default=None, description="Names of metrics, separated by commas; all if left out.")
    max_points: int = Field(default=500, ge=2, le=10_000, description="Largest number of rows.")


@router.post(
    "/trainings",
    summary="Start a training",
    status_code=202,
    responses={
        202: {
            "model": Training,
            "description": "Queued.",
            "headers": headers("Location", "Idempotency-Replayed"),
        },
        **problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(TrainingRequest, EXAMPLE),
)
async def start(
    ctx: Ctx,
    request: Request,
    caller: CanTrain,
    body: Annotated[TrainingRequest, Depends(body_of(TrainingRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Queue a training. The same `Idempotency-Key` and body again give the same training."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    size = len(await request.body())
    repeatable = await beside(size, lambda: idempotency(key, caller, "trainings", body))
    run, new = await ctx.services.commands.start_training(body, caller, repeatable)
    return accepted(f"/v1/trainings/{run.id}", run.document, new=new)


@router.post(
    "/trainings:check",
    summary="Check a training and start nothing",
    description="Validates a training as starting it would, except for quotas and the queue. The answer has all "
    "hyperparameters, and the number of steps after which a limit of steps is met.",
    responses={200: {"model": TrainingCheck}, **problems(400, 401, 403, 404, 408, 413, 415, 422, 503)},
    openapi_extra=accepts(TrainingRequest, EXAMPLE),
)
async def check(
    ctx: Ctx,
    caller: CanTrain,
    body: Annotated[TrainingRequest, Depends(body_of(TrainingRequest))],
) -> TrainingCheck:
    return await ctx.services.commands.check_training(body, caller)


@router.get(
    "/trainings",
    summary="List trainings, newest first",
    responses={
        200: {"model": Page[Training], "description": "A page of trainings.", "headers": headers("Link")},
        **problems(401, 403, 422),
    },
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: RunListing) -> Response:
    """Return one page of the trainings that the caller sees, newest first."""
    runs, cursor = await list_runs(ctx.services.store, Kind.TRAINING, query, caller, _STATES)
    return page(request, [run.document for run in runs], cursor)


@router.get(
    "/trainings/{training_id}",
    summary="Show a training: state, progress, latest metrics",
    responses={
        200: {"model": Training, "description": "The training.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, training_id: str) -> Response:
    """Return the state, the progress and the newest metrics. With `If-None-Match`, answer 304 if nothing changed."""
    run = await ctx.training(training_id, caller)
    place = await ctx.place(run)
    return document(request, run.document.model_copy(update={"queue_position": place and place.position}))


@router.post(
    "/trainings/{training_id}/pause",
    summary="Pause a training",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def pause(ctx: Ctx, caller: CanTrain, training_id: str) -> Response:
    """Save a checkpoint, then free the training's resources. The events tell when that is done."""
    return await _command(ctx, caller, training_id, "pause")


@router.post(
    "/trainings/{training_id}/resume",
    summary="Continue a paused training from its checkpoint, as soon as there is room",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def resume(ctx: Ctx, caller: CanTrain, training_id: str) -> Response:
    """Queue a paused training again; it continues from its newest checkpoint."""
    return await _command(ctx, caller, training_id, "resume")


@router.post(
    "/trainings/{training_id}/stop",
    summary="Stop a training for good, after a last checkpoint",
    status_code=202,
    responses={**_COMMAND, **problems(401, 403, 404, 409, 503)},
)
async def stop(ctx: Ctx, caller: CanTrain, training_id: str) -> Response:
    """Save a last checkpoint, then end the training for good."""
    return await _command(ctx, caller, training_id, "stop")


@router.get(
    "/trainings/{training_id}/metrics",
    summary="Show the metrics of a training over time",
    responses={200: {"model": MetricSeries, "description": "The metrics."}, **problems(401, 403, 404, 422)},
)
async def metrics(ctx: Ctx, caller: Caller, training_id: str, query: Annotated[SeriesQuery, Query()]) -> MetricSeries:
    """Return each metric over time, thinned out evenly to at most `max_points` rows."""
    run = await ctx.training(training_id, caller)
    names = [name.strip() for name in query.names.split(",") if name.strip()] if query.names else None
    return await read_series(ctx.services.store, run, names, query.max_points)


async def _command(ctx: Context, caller: Principal, training_id: str, command: str) -> Response:
    await ctx.training(training_id, caller)
    run = await ctx.services.commands.command_training(training_id, command, caller)
    return accepted(f"/v1/trainings/{run.id}", run.document)
