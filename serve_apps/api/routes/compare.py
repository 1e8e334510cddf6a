"""``/v1/compare``: trainings side by side."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from rlplatform.comparison.models import MAX_RUNS, RETURN, Axis, Comparison
from serve_apps.api.dependencies import Caller, Ctx
from serve_apps.api.openapi.document import problems
from serve_apps.api.routes.selection import SelectionQuery, selected

router = APIRouter(prefix="/v1", tags=["trainings"])


class CompareQuery(SelectionQuery):
    """Query parameters of a comparison."""

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
    trainings, _ = await selected(ctx, caller, query, MAX_RUNS)
    return await ctx.comparisons.compare(trainings, query.metric, query.x, query.max_points)
