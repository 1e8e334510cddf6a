"""``/v1/assignments/…/similarity``: pairs of submissions whose code is alike, for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rlplatform.assignments.similarity.models import SimilarityReport, SimilarityRequest
from serve_apps.api.dependencies import CanRead, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["assignments"])
_BODY = (400, 401, 403, 404, 408, 413, 415, 422)


@router.post(
    "/assignments/{name}/similarity",
    summary="Compare the submissions that count; for staff",
    status_code=202,
    responses={
        202: {"model": SimilarityReport, "description": "Begun, or running already.", "headers": headers("Location")},
        **problems(*_BODY),
    },
    openapi_extra=accepts(SimilarityRequest, {"min_similarity": 0.6}),
)
async def compare_submissions(
    ctx: Ctx,
    request: Request,
    caller: CanRead,
    name: str,
    body: Annotated[SimilarityRequest, Depends(body_of(SimilarityRequest))],
) -> Response:
    """Begin to compare the submissions that count, pair by pair, as text: names, comments and the assignment's own code
    do not count. The report replaces the last one when it is ready."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    report = await ctx.course.similarity.start(name, body, caller)
    return accepted(f"/v1/assignments/{name}/similarity", report)


@router.get(
    "/assignments/{name}/similarity",
    summary="Show which submissions are alike; for staff",
    responses={200: {"model": SimilarityReport, "description": "The report."}, **problems(401, 403, 404)},
)
async def show_similarity(ctx: Ctx, caller: CanRead, name: str) -> SimilarityReport:
    """Return the report that is running, or the newest one: pairs, most similar first, with the lines that are alike.
    404 if nothing was compared yet."""
    return await ctx.course.similarity.report(name, caller)
