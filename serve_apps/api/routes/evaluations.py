"""``/v1/evaluations``: submit, follow, cancel."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.errors import PlatformError, problem
from rlplatform.evaluation.models import (
    BatchResult,
    BatchRow,
    Evaluation,
    EvaluationBatch,
    EvaluationRequest,
    EvaluationState,
)
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.submission_archive import submission_archive
from rlplatform.evaluation.submission_models import Submission
from rlplatform.files.models import ZIP
from rlplatform.ids import Kind
from rlplatform.runs.pages import Page
from serve_apps.api.dependencies import Caller, CanEvaluate, Context, Ctx, IdempotencyKey, idempotency
from serve_apps.api.http.bodies import beside, body_of, validate
from serve_apps.api.http.paging import RunListing, list_runs
from serve_apps.api.http.responses import accepted, document, page, unchanged
from serve_apps.api.openapi.document import accepts, binary, problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.streams.sse import disconnected

router = APIRouter(prefix="/v1", tags=["evaluations"])
EXAMPLE = {
    "source": "print(int(input())*2)",
    "tests": [{"id": "t1", "stdin": "2\n", "expected_stdout": "4\n", "points": 1.0}],
    "checker": {"kind": "tokens"},
    "limits": {"cpu_time_s": 2.0, "wall_time_s": 6.0, "memory_mib": 256},
}
_MADE = headers("Location", "Idempotency-Replayed")
_STATES = list(get_args(EvaluationState))
_ROW_ERRORS = 5


class WaitQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wait: float = Field(
        default=0.0, ge=0, le=60, description="Time to wait for the result before answering 202, in seconds."
    )


@router.post(
    "/evaluations",
    summary="Submit code for evaluation",
    status_code=202,
    responses={
        200: {"model": Evaluation, "description": "Finished within `wait`.", "headers": _MADE},
        202: {"model": Evaluation, "description": "Queued.", "headers": _MADE},
        **problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
    },
    openapi_extra=accepts(EvaluationRequest, EXAMPLE),
)
async def submit(
    ctx: Ctx,
    request: Request,
    caller: CanEvaluate,
    query: Annotated[WaitQuery, Query()],
    body: Annotated[EvaluationRequest, Depends(body_of(EvaluationRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Queue a submission. With `wait`, answer 200 with the result if it is there in time. The same `Idempotency-Key`
    and body again give the same evaluation."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    await ctx.course.assignments.require_free_evaluation(caller)
    size = len(await request.body())
    repeatable = await beside(size, lambda: idempotency(key, caller, "evaluations", body))
    run, new = await ctx.services.commands.submit_evaluation(body, caller, repeatable)
    if query.wait:
        run = await _finished(ctx, request, run, min(query.wait, ctx.settings.api.max_wait_s))
    shown = shown_to(caller, run)
    return accepted(f"/v1/evaluations/{run.id}", shown, new=new, status=200 if run.final else 202)


@router.post(
    "/evaluations:batch",
    summary="Submit many at once",
    responses={
        200: {"model": BatchResult, "description": "The result of each row."},
        **problems(400, 401, 403, 408, 413, 415, 422, 429),
    },
    openapi_extra=accepts(EvaluationBatch, {"evaluations": [EXAMPLE]}),
)
async def submit_batch(
    ctx: Ctx,
    request: Request,
    caller: CanEvaluate,
    body: Annotated[EvaluationBatch, Depends(body_of(EvaluationBatch))],
    key: IdempotencyKey = None,
) -> BatchResult:
    """Queue up to 200 submissions. Each row is accepted or refused by itself, and the results are in the order of the
    request."""
    await ctx.limiter.spend(request.scope, caller.id, "creations", len(body.evaluations))
    await ctx.course.assignments.require_free_evaluation(caller)
    size = len(await request.body())
    rows = await beside(size, lambda: [_read_row(raw) for raw in body.evaluations])
    return BatchResult(
        results=[
            await _row(ctx, caller, row, f"{key}:{index}" if key is not None else None)
            for index, row in enumerate(rows)
        ]
    )


@router.get(
    "/evaluations",
    summary="List evaluations, newest first, without their tests",
    responses={
        200: {"model": Page[Evaluation], "description": "A page of evaluations.", "headers": headers("Link")},
        **problems(401, 403, 422),
    },
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: RunListing) -> Response:
    """Return one page of the evaluations that the caller sees, newest first. Their tests are left out."""
    runs, cursor = await list_runs(ctx.services.store, Kind.EVALUATION, query, caller, _STATES)
    return page(request, [run.document for run in runs], cursor)


@router.get(
    "/evaluations/{evaluation_id}",
    summary="Show an evaluation and its result",
    responses={
        200: {"model": Evaluation, "description": "The evaluation.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, evaluation_id: str) -> Response:
    """Return the state and, once finished, the result. Of hidden tests, learners see verdicts and points; keys with the
    scope `read` see everything. With `If-None-Match`, answer 304 if nothing has changed."""
    run = await ctx.evaluation(evaluation_id, caller)
    shown = shown_to(caller, run)
    if (place := await ctx.place(run)) is not None:
        shown = shown.placed(*place, ctx.services.clock.now())
    return document(request, shown)


@router.get(
    "/evaluations/{evaluation_id}/submission",
    summary="Show the program and the tests of an evaluation",
    responses={
        200: {"model": Submission, "description": "The submission.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def submission(ctx: Ctx, request: Request, caller: Caller, evaluation_id: str) -> Response:
    """Return the program, its files, the grader and the tests of an evaluation. Content of hidden tests and the source
    of a checker are for keys with the scope `read` only."""
    run = await ctx.evaluation(evaluation_id, caller)
    return document(request, Submission.of(run.id, run.request, staff=caller.sees_hidden))


@router.get(
    "/evaluations/{evaluation_id}/submission/archive",
    summary="Download the program of an evaluation",
    response_class=Response,
    responses={
        200: {
            "description": "A ZIP archive of the program's files.",
            "headers": headers("Content-Disposition", "ETag"),
            "content": binary(ZIP),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404, 503),
    },
)
async def archive(ctx: Ctx, request: Request, caller: Caller, evaluation_id: str) -> Response:
    """Return the program and its further files, as they were submitted. Uploaded data is not in the archive:
    `GET …/submission` names it, and `GET /v1/files/{file_id}/content` returns it."""
    run = await ctx.evaluation(evaluation_id, caller)
    packed = await submission_archive(run.request, ctx.files, caller)
    tag = f'"{hashlib.sha256(packed).hexdigest()[:32]}"'
    about = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if unchanged(request, tag):
        return Response(status_code=304, headers=about)
    about |= {"Content-Disposition": f'attachment; filename="{run.id}.zip"'}
    return Response(packed, media_type=ZIP, headers=about)


@router.delete(
    "/evaluations/{evaluation_id}",
    summary="Cancel an evaluation",
    status_code=202,
    responses={
        202: {"model": Evaluation, "description": "The evaluation, as it is now.", "headers": headers("Location")},
        **problems(401, 403, 404, 503),
    },
)
async def cancel(ctx: Ctx, caller: CanEvaluate, evaluation_id: str) -> Response:
    """Cancel an evaluation that waits or runs. A finished one stays unchanged."""
    await ctx.evaluation(evaluation_id, caller)
    run = await ctx.services.commands.cancel_evaluation(evaluation_id, caller)
    return accepted(f"/v1/evaluations/{run.id}", shown_to(caller, run))


def shown_to(caller: Principal, run: EvaluationRun) -> Evaluation:
    """Return the document of ``run`` as ``caller`` may see it."""
    return run.document if caller.sees_hidden else run.document.redacted()


def _read_row(raw: dict[str, Any]) -> EvaluationRequest | PlatformError:
    try:
        return validate(raw, EvaluationRequest, max_errors=_ROW_ERRORS)
    except PlatformError as error:
        return error


async def _row(
    ctx: Context, caller: Principal, request: EvaluationRequest | PlatformError, key: str | None
) -> BatchRow:
    try:
        if isinstance(request, PlatformError):
            raise request
        run, new = await ctx.services.commands.submit_evaluation(
            request, caller, idempotency(key, caller, "batch", request)
        )
    except PlatformError as error:
        return BatchRow(status=error.status, error=problem(error))
    return BatchRow(status=202, evaluation=shown_to(caller, run), replayed=not new)


async def _finished(ctx: Context, request: Request, run: EvaluationRun, wait_s: float) -> EvaluationRun:
    """``run`` as it is once finished, or after ``wait_s``, or when the client has left."""
    if run.final:
        return run
    waiting = asyncio.ensure_future(_end(ctx, run))
    leaving = asyncio.ensure_future(disconnected(request.receive))
    try:
        await asyncio.wait((waiting, leaving), timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
    finally:
        waiting.cancel()
        leaving.cancel()
        await asyncio.gather(waiting, leaving, return_exceptions=True)
    found = await ctx.services.store.get(run.id)
    assert isinstance(found, EvaluationRun)
    return found


async def _end(ctx: Context, run: EvaluationRun) -> None:
    async with ctx.hubs.open(run.stream, run.seq) as cursor:
        while not cursor.done:
            await cursor.next()
