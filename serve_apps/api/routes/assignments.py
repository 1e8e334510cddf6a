"""``/v1/assignments``: publish, read, extend. ``/v1/course``: settings of a course."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rlplatform import patterns
from rlplatform.assignments.deadlines import Extension
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.models import AssignmentList, AssignmentView, CourseSettings
from rlplatform.assignments.people.models import Member
from rlplatform.errors import InvalidRequest
from serve_apps.api.dependencies import Caller, CanAdminister, CanRead, Ctx
from serve_apps.api.http.bodies import body_of
from serve_apps.api.http.responses import accepted, document
from serve_apps.api.openapi.document import accepts, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["assignments"])
EXAMPLE = {
    "title": "Double a number",
    "statement": "Write a function `double(x)` that returns twice its argument.",
    "starter": [{"path": "main.py", "content": "def double(x):\n    ...\n"}],
    "grader": {"kind": "function", "entry": "double"},
    "tests": [
        {"id": "two", "args": [2], "expected": 4},
        {"id": "negative", "args": [-3], "expected": -6, "hidden": True},
    ],
    "due_at": "2030-01-31T23:59:00Z",
    "attempts": {"maximum": 10, "cool_down_s": 60},
}
_BODY = (400, 401, 403, 404, 408, 413, 415, 422)
_COURSE: dict[int | str, dict[str, Any]] = {200: {"model": CourseSettings, "description": "The settings."}}


@router.get(
    "/assignments",
    summary="List the assignments of the course",
    responses={200: {"model": AssignmentList, "description": "The assignments."}, **problems(401, 403)},
)
async def index(ctx: Ctx, caller: Caller) -> AssignmentList:
    """Return the assignments that the caller sees, by due date, with the caller's attempts and points. Learners see
    those that have opened."""
    return await ctx.course.assignments.list(caller)


@router.get(
    "/assignments/{name}",
    summary="Show an assignment",
    responses={
        200: {
            "model": AssignmentView,
            "description": "The assignment.",
            "headers": headers("ETag"),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, name: str) -> Response:
    """Return the statement, the starter files, the dates and the caller's attempts. Staff also see the tests, the
    versions and the extensions."""
    return document(request, await ctx.course.assignments.show(name, caller))


@router.get(
    "/assignments/{name}/versions/{version}",
    summary="Show a version of an assignment; for staff",
    response_model=None,
    responses={
        200: {
            "description": "The definition of the version, as an `AssignmentRequest`.",
            "content": {"application/json": {"schema": {"type": "object"}}},
            "headers": headers("ETag"),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404, 422),
    },
)
async def show_version(ctx: Ctx, request: Request, caller: CanRead, name: str, version: int) -> Response:
    """Return the definition of a version, as it was published."""
    return document(request, await ctx.course.assignments.definition(name, version, caller))


@router.put(
    "/assignments/{name}",
    summary="Publish an assignment, or a new version of it",
    responses={
        200: {"model": AssignmentView, "description": "Nothing has changed.", "headers": headers("Location")},
        201: {"model": AssignmentView, "description": "A new version.", "headers": headers("Location")},
        **problems(*_BODY, 409, 503),
    },
    openapi_extra=accepts(AssignmentRequest, EXAMPLE),
)
async def publish(
    ctx: Ctx,
    request: Request,
    caller: CanAdminister,
    name: str,
    body: Annotated[AssignmentRequest, Depends(body_of(AssignmentRequest))],
) -> Response:
    """Publish a version, which never changes. The same definition again makes no version. Submissions keep the version
    that they were accepted under; a regrade judges them by another one."""
    if not re.fullmatch(patterns.ASSIGNMENT, name):
        why = f"{name[:80]!r} cannot be the name of an assignment; use {patterns.ACCEPTED[patterns.ASSIGNMENT]}"
        raise InvalidRequest(why, field="name")
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    shown, new = await ctx.course.assignments.publish(name, body, caller)
    return accepted(f"/v1/assignments/{name}", shown, status=201 if new else 200)


@router.put(
    "/assignments/{name}/extensions/{member_id}",
    summary="Give a member later dates or further attempts",
    responses={200: {"model": Member, "description": "The member."}, **problems(*_BODY)},
    openapi_extra=accepts(Extension, {"due_at": "2030-02-07T23:59:00Z", "extra_attempts": 2, "reason": "illness"}),
)
async def extend(
    ctx: Ctx,
    caller: CanAdminister,
    name: str,
    member_id: str,
    body: Annotated[Extension, Depends(body_of(Extension))],
) -> Member:
    """Set the extension of a member. It replaces an earlier one, and also holds for what was submitted before."""
    return await ctx.course.assignments.extend(name, member_id, body, caller)


@router.delete(
    "/assignments/{name}/extensions/{member_id}",
    summary="Take a member's extension back",
    responses={200: {"model": Member, "description": "The member."}, **problems(401, 403, 404)},
)
async def end_extension(ctx: Ctx, caller: CanAdminister, name: str, member_id: str) -> Member:
    """Take the extension of a member back. The dates of all hold again, also for what was submitted before."""
    return await ctx.course.assignments.extend(name, member_id, None, caller)


@router.get("/course", summary="Show the settings of the course", responses={**_COURSE, **problems(401, 403)})
async def show_course(ctx: Ctx, caller: Caller) -> CourseSettings:
    """Return the settings of the caller's tenant as a course."""
    return await ctx.course.repository.course(caller.tenant)


@router.put(
    "/course",
    summary="Set the settings of the course",
    responses={**_COURSE, **problems(*(status for status in _BODY if status != 404))},
    openapi_extra=accepts(CourseSettings, {"learners_evaluate_freely": False}),
)
async def set_course(
    ctx: Ctx, caller: CanAdminister, body: Annotated[CourseSettings, Depends(body_of(CourseSettings))]
) -> CourseSettings:
    """Set the settings of the caller's tenant as a course. They hold everywhere within a second."""
    return await ctx.course.assignments.set_course(caller.tenant, body)
