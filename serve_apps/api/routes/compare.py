"""``/v1/compare``: trainings side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from rlplatform.access.principals import Principal
from rlplatform.comparison.models import MAX_RUNS, RETURN, Axis, Comparison
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.training.models import Training, TrainingState
from serve_apps.api.dependencies import Caller, Context, Ctx
from serve_apps.api.http.paging import RunFilterQuery, RunListQuery, list_runs
from serve_apps.api.openapi.document import problems

router = APIRouter(prefix="/v1", tags=["trainings"])
_STATES = [state.value for state in TrainingState]
_MOST_FOUND = 1000


class CompareQuery(RunFilterQuery):
    """Query parameters of a comparison."""

    run: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of trainings, separated by commas or given again; with them, no filter is accepted.",
    )
    metric: str = Field(default=RETURN, max_length=128, description="Metric to compare.")
    x: Axis = Field(default="env_steps", description="Axis: environment steps, or seconds of training.")
    max_points: int = Field(default=500, ge=2, le=10_000, description="Largest number of points of a run's curve.")


@router.get(
    "/compare",
    summary="Compare trainings, grouped by everything but the seed",
    responses={200: {"model": Comparison, "description": "The comparison."}, **problems(401, 403, 404, 422)},
)
async def compare(ctx: Ctx, caller: Caller, query: Annotated[CompareQuery, Query()]) -> Comparison:
    """Return the curves of a metric of up to 100 trainings, by id or by filter: for each group the interquartile mean
    with its 95 % bootstrap interval, and the settings that tell the groups apart."""
    trainings = await _trainings(ctx, caller, query)
    return await ctx.comparisons.compare(trainings, query.metric, query.x, query.max_points)


async def _trainings(ctx: Context, caller: Principal, query: CompareQuery) -> list[Training]:
    given = query.model_fields_set & RunFilterQuery.model_fields.keys()
    ids = [each for text in query.run for each in text.split(",") if each]
    if len(ids) > MAX_RUNS:
        raise InvalidRequest(f"run: {len(ids)} trainings were given; at most {MAX_RUNS} are compared", field="run")
    if ids and given:
        other = min(given)
        raise InvalidRequest(f"give run or filters, not both: run and {other} were given", field=other)
    if ids:
        return [(await ctx.training(run_id, caller)).document for run_id in dict.fromkeys(ids)]
    if not given:
        example = "run=train_…,train_…, or a filter such as label=key=value"
        raise InvalidRequest(f"give trainings to compare: {example}", field="run")
    filters = query.model_dump(include=set(RunFilterQuery.model_fields))
    listed = RunListQuery.model_construct(**filters, limit=_MOST_FOUND, cursor=None, sort="-created_at")
    found, _ = await list_runs(ctx.services.store, Kind.TRAINING, listed, caller, _STATES)
    return [summary.document for summary in found]
