"""``/v1/assignments/…/submissions``: submit, follow, read, comment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from rlplatform.assignments.submissions.documents import (
    SubmissionDetail,
    SubmissionInfo,
    SubmissionList,
    SubmissionRequest,
)
from rlplatform.assignments.work import Comment, CommentRequest
from rlplatform.errors import NotFound
from rlplatform.evaluation.record import EvaluationRun
from serve_apps.api.dependencies import Caller, CanRead, Ctx, Follower, IdempotencyKey, Renewal
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted, document
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.routes.events import RESPONSES, EventsQuery, LastEventId, stream_response

router = APIRouter(prefix="/v1", tags=["assignments"])
EXAMPLE = {"files": [{"path": "main.py", "content": "def double(x):\n    return 2 * x\n"}], "version": 1}
_BODY = (400, 401, 403, 404, 408, 413, 415, 422)


class SubmissionsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    member: str | None = Field(default=None, description="Id of a member; all if left out. Learners see their own.")


@router.post(
    "/assignments/{name}/submissions",
    summary="Submit to an assignment",
    status_code=202,
    responses={
        202: {
            "model": SubmissionInfo,
            "description": "Accepted: it is stored, and will be judged.",
            "headers": headers("Location", "Idempotency-Replayed"),
        },
        **problems(*_BODY, 409),
    },
    openapi_extra=accepts(SubmissionRequest, EXAMPLE),
)
async def submit(
    ctx: Ctx,
    request: Request,
    caller: Caller,
    name: str,
    body: Annotated[SubmissionRequest, Depends(body_of(SubmissionRequest))],
    key: IdempotencyKey = None,
) -> Response:
    """Submit files. The answer comes when they are stored: the time of acceptance counts, and an attempt is spent. The
    same `Idempotency-Key` and body again give the same submission and spend nothing."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    made, new = await ctx.course.submissions.submit(name, body, caller, key)
    return accepted(f"/v1/assignments/{name}/submissions/{made.id}", made, new=new)


@router.get(
    "/assignments/{name}/submissions",
    summary="List submissions, newest first",
    responses={200: {"model": SubmissionList, "description": "The submissions."}, **problems(401, 403, 404, 422)},
)
async def list_submissions(
    ctx: Ctx, caller: Caller, name: str, query: Annotated[SubmissionsQuery, Query()]
) -> SubmissionList:
    """Return the caller's own submissions, newest first. Staff see those of all members, or of one."""
    return await ctx.course.submission_reader.list(name, caller, query.member)


@router.get(
    "/assignments/{name}/submissions/{submission_id}",
    summary="Show a submission with its files and results",
    responses={
        200: {"model": SubmissionDetail, "description": "The submission.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show_submission(ctx: Ctx, request: Request, caller: Caller, name: str, submission_id: str) -> Response:
    """Return the files of a submission, the results of its tests so far, and the comments of staff. Learners see of a
    hidden test its verdict and points only."""

    async def position(evaluation: EvaluationRun) -> int | None:
        place = await ctx.place(evaluation)
        return None if place is None else place.position

    return document(request, await ctx.course.submission_reader.show(name, submission_id, caller, position))


@router.get(
    "/assignments/{name}/submissions/{submission_id}/events",
    summary="Follow the judging of a submission",
    response_class=Response,
    responses=RESPONSES,
)
async def follow(
    ctx: Ctx,
    caller: Follower,
    renew: Renewal,
    name: str,
    submission_id: str,
    query: Annotated[EventsQuery, Query()],
    last: LastEventId = None,
) -> Response:
    """Stream the events of the evaluation that judges a submission: a verdict for each test as it comes. Hidden tests
    show their verdict and points only. 404 until it is queued."""
    found = await ctx.course.submission_reader.find(name, submission_id, caller)
    state = found.assignment.document
    overlay = await ctx.course.repository.overlay(state)
    evaluation = await ctx.course.submission_reader.evaluation_of(state, found.record, overlay)
    if evaluation is None:
        raise NotFound("the submission is not queued yet, or its events are no longer kept")
    return stream_response(ctx, caller, renew, evaluation, query, last)


@router.post(
    "/assignments/{name}/submissions/{submission_id}/comments",
    summary="Comment on a submission; for staff",
    status_code=201,
    responses={201: {"model": Comment, "description": "The comment."}, **problems(*_BODY)},
    openapi_extra=accepts(CommentRequest, {"path": "main.py", "line": 2, "text": "This loses the sign."}),
)
async def comment(
    ctx: Ctx,
    caller: CanRead,
    name: str,
    submission_id: str,
    body: Annotated[CommentRequest, Depends(body_of(CommentRequest))],
) -> Comment:
    """Comment on a file of a submission, or on a line of it. The learner sees it."""
    return await ctx.course.remarks.comment(name, submission_id, body, caller)
