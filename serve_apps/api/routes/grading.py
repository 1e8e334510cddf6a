"""``/v1/assignments/…``: grades, adjustments, the leaderboard and regrades."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.assignments.grading.documents import (
    Grades,
    Leaderboard,
    Regrade,
    RegradeList,
    RegradeReport,
    RegradeRequest,
)
from rlplatform.assignments.grading.formats import to_csv, to_gradescope
from rlplatform.assignments.work import Adjustment, Work
from serve_apps.api.dependencies import Caller, CanAdminister, CanRead, Ctx, IdempotencyKey, idempotency
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted
from serve_apps.api.http.zip_stream import MEDIA_TYPE, ZipStream
from serve_apps.api.openapi.document import accepts, binary, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["assignments"])
_BODY = (400, 401, 403, 404, 408, 413, 415, 422)
_REGRADE = {200: {"model": Regrade, "description": "The regrade."}, **problems(401, 403, 404, 409)}


class GradesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Literal["json", "csv", "gradescope"] = Field(
        default="json",
        description="`json`; `csv`: a table; `gradescope`: an object with the `results.json` of each external id.",
    )


@router.get(
    "/assignments/{name}/grades",
    summary="Show the grades of all learners; for staff",
    response_model=None,
    responses={
        200: {
            "model": Grades,
            "description": "The grades, in the format that was asked for.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **problems(401, 403, 404, 422),
    },
)
async def grades(ctx: Ctx, caller: CanRead, name: str, query: Annotated[GradesQuery, Query()]) -> Response:
    """Return one row for each learner: the submission that counts, the points of each test, the penalty, the adjustment
    and the grade."""
    found = await ctx.course.assignments.grades(name, caller)
    if query.format == "csv":
        disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(to_csv(found), media_type="text/csv; charset=utf-8", headers=disposition)
    if query.format == "gradescope":
        return JSONResponse(to_gradescope(found))
    return Response(found.model_dump_json(), media_type="application/json")


@router.get(
    "/assignments/{name}/archive",
    summary="Download everything of an assignment as a ZIP file; for staff",
    response_class=Response,
    responses={
        200: {
            "description": "The ZIP file.",
            "headers": headers("Content-Disposition"),
            "content": binary(MEDIA_TYPE),
        },
        **problems(401, 403, 404, 429),
    },
)
async def archive(ctx: Ctx, request: Request, caller: CanRead, name: str) -> Response:
    """Return a ZIP file with the statement, every version with its tests, the grades, and each submission's files,
    results and comments. It is made while it is sent: if the connection breaks off, it is not complete."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    return ZipStream(await ctx.course.archives.open(name, caller), f"{name}.zip")


@router.put(
    "/assignments/{name}/adjustments/{member_id}",
    summary="Adjust the grade of a member; for staff",
    responses={200: {"model": Work, "description": "The member's work."}, **problems(*_BODY)},
    openapi_extra=accepts(Adjustment, {"points": -1.5, "reason": "The report is missing."}),
)
async def adjust(
    ctx: Ctx,
    caller: CanAdminister,
    name: str,
    member_id: str,
    body: Annotated[Adjustment, Depends(body_of(Adjustment))],
) -> Work:
    """Add points to the grade of a member, or take away. The newest adjustment holds; all of them are kept, with who
    made them and when."""
    return await ctx.course.remarks.adjust(name, member_id, body, caller)


@router.get(
    "/assignments/{name}/leaderboard",
    summary="Show the leaderboard",
    responses={200: {"model": Leaderboard, "description": "The leaderboard."}, **problems(401, 403, 404)},
)
async def leaderboard(ctx: Ctx, caller: Caller, name: str) -> Leaderboard:
    """Return the members ranked by the submissions that count. Equal values share a rank. Once frozen, learners see it
    as it was then."""
    return await ctx.course.assignments.leaderboard(name, caller)


@router.post(
    "/assignments/{name}:regrade",
    summary="Judge all submissions again",
    status_code=202,
    responses={
        202: {"model": Regrade, "description": "Begun.", "headers": headers("Location", "Idempotency-Replayed")},
        **problems(*_BODY, 409),
    },
    openapi_extra=accepts(RegradeRequest, {"dry_run": True}),
)
async def regrade(
    ctx: Ctx,
    request: Request,
    caller: CanAdminister,
    name: str,
    body: Annotated[RegradeRequest, Depends(body_of(RegradeRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Judge all submissions by the newest version, or by another one. With `dry_run`, no grade changes until the
    regrade is committed. Live submissions go first."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    repeatable = idempotency(key, caller, f"regrade {name}", body)
    made, new = await ctx.course.regrades.start(name, body, caller, repeatable)
    return accepted(f"/v1/assignments/{name}/regrades/{made.id}", made, new=new)


@router.get(
    "/assignments/{name}/regrades",
    summary="List the regrades of an assignment, newest first",
    responses={200: {"model": RegradeList, "description": "The regrades."}, **problems(401, 403, 404)},
)
async def list_regrades(ctx: Ctx, caller: CanRead, name: str) -> RegradeList:
    """Return the regrades of an assignment."""
    return await ctx.course.regrades.all_of(name, caller)


@router.get(
    "/assignments/{name}/regrades/{regrade_id}",
    summary="Show a regrade, and who gains and loses",
    responses={200: {"model": RegradeReport, "description": "The regrade."}, **problems(401, 403, 404)},
)
async def show_regrade(ctx: Ctx, caller: CanRead, name: str, regrade_id: str) -> RegradeReport:
    """Return how far a regrade is. Once it is ready, the members whose grades it changes, greatest loss first."""
    return await ctx.course.regrades.report(name, regrade_id, caller)


@router.post("/assignments/{name}/regrades/{regrade_id}:commit", summary="Commit a regrade", responses=_REGRADE)
async def commit(ctx: Ctx, caller: CanAdminister, name: str, regrade_id: str) -> Regrade:
    """Make the results of a regrade hold, all at once."""
    return await ctx.course.regrades.commit(name, regrade_id, caller)


@router.post("/assignments/{name}/regrades/{regrade_id}:discard", summary="Discard a regrade", responses=_REGRADE)
async def discard(ctx: Ctx, caller: CanAdminister, name: str, regrade_id: str) -> Regrade:
    """Abandon a regrade. It changes no grade."""
    return await ctx.course.regrades.discard(name, regrade_id, caller)
