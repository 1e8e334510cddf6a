"""``/v1/files``: upload, list, download and delete files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from rlplatform.errors import (
    Malformed,
    RequestTimeout,
    Unavailable,
    UnsupportedMediaType,
)
from rlplatform.files.models import FileInfo
from rlplatform.files.service import FileService
from rlplatform.ids import Kind
from rlplatform.runs.pages import Page
from serve_apps.api.dependencies import Caller, CanEvaluate, Context, Ctx
from serve_apps.api.http.paging import PageQuery
from serve_apps.api.http.ranges import FileContent, part_of
from serve_apps.api.http.responses import document, page, unchanged
from serve_apps.api.openapi.document import binary, problems
from serve_apps.api.openapi.headers import headers

PATH = "/v1/files"
router = APIRouter(prefix="/v1", tags=["files"])
_BINARY = binary("application/octet-stream")
_BODY = {
    "required": False,
    "description": "Bytes of the file; none: an empty file. `Content-Type` becomes its media type.",
    "content": _BINARY,
}
_CONTENT = headers("Accept-Ranges", "Content-Disposition", "ETag", "Last-Modified")
# the file may be a web page
_SAFETY = {"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}


class UploadQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=255, description="Name of the file, without folders.")


@router.post(
    "/files",
    summary="Upload a file",
    status_code=201,
    responses={
        200: {
            "model": FileInfo,
            "description": "Uploaded before: these bytes are there.",
            "headers": headers("Location"),
        },
        201: {"model": FileInfo, "description": "Stored.", "headers": headers("Location")},
        **problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra={"requestBody": _BODY},
)
async def upload(ctx: Ctx, request: Request, caller: CanEvaluate, query: Annotated[UploadQuery, Query()]) -> Response:
    """Store the bytes of the body under a name. The same bytes again give the same file, with the name that it has: an
    upload can safely be repeated."""
    await ctx.limiter.spend(request.scope, caller.id, "creations")
    files = _service(ctx)
    media_type = _media_type(request)
    declared = request.headers.get("content-length", "")
    size = int(declared) if declared.isdecimal() and len(declared) < 19 else None
    info, new = await files.upload(query.name, media_type, caller, _body(request, ctx.settings.files.idle_s), size)
    answer = info.model_dump_json()
    location = {"Location": f"{PATH}/{info.id}"}
    return Response(answer, status_code=201 if new else 200, media_type="application/json", headers=location)


@router.get(
    "/files",
    summary="List files, newest first",
    responses={
        200: {"model": Page[FileInfo], "description": "A page of files.", "headers": headers("Link")},
        **problems(401, 403, 422, 503),
    },
)
async def index(ctx: Ctx, request: Request, caller: Caller, query: Annotated[PageQuery, Query()]) -> Response:
    """Return one page of the files that the caller sees, newest first."""
    query.check_cursor(Kind.FILE)
    found, cursor = await _service(ctx).list(caller, before=query.cursor, limit=query.limit)
    return page(request, found, cursor)


@router.get(
    "/files/{file_id}",
    summary="Show a file: its name, size and hash",
    responses={
        200: {"model": FileInfo, "description": "The file.", "headers": headers("ETag")},
        304: {"description": "Unchanged.", "headers": headers("ETag")},
        **problems(401, 403, 404, 503),
    },
)
async def show(ctx: Ctx, request: Request, caller: Caller, file_id: str) -> Response:
    """Return the name, size, hash and media type of a file."""
    return document(request, await _service(ctx).find(file_id, caller))


@router.get(
    "/files/{file_id}/content",
    summary="Download a file",
    response_class=Response,
    responses={
        200: {
            "description": "The bytes of the file.",
            "headers": _CONTENT,
            "content": _BINARY,
        },
        206: {
            "description": "The part that `Range` asks for.",
            "headers": _CONTENT | headers("Content-Range"),
            "content": _BINARY,
        },
        304: {"description": "Unchanged.", "headers": headers("ETag", "Last-Modified")},
        **problems(401, 403, 404, 416, 503),
    },
)
async def content(ctx: Ctx, request: Request, caller: Caller, file_id: str) -> Response:
    """Return the bytes of a file, with its media type. One range and `If-None-Match` are supported; a `Range` with
    several parts is ignored."""
    files = _service(ctx)
    info = await files.find(file_id, caller)
    tag, modified = f'"{info.sha256}"', format_datetime(info.created_at, usegmt=True)
    about = {"ETag": tag, "Cache-Control": "private, no-cache", "Last-Modified": modified}
    if unchanged(request, tag):
        return Response(status_code=304, headers=about)
    part = part_of(request.headers, info.size_bytes, tag, modified)
    reader = await files.open(file_id, caller)
    about |= _SAFETY | {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(info.name, safe='')}"}
    return FileContent(reader, part, info.sha256, info.media_type, about)


@router.delete(
    "/files/{file_id}",
    summary="Delete a file for good",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Deleted."}, **problems(401, 403, 404, 409, 503)},
)
async def delete(ctx: Ctx, caller: CanEvaluate, file_id: str) -> Response:
    """Delete a file. One that an unfinished run refers to is kept: 409."""
    await _service(ctx).delete(file_id, caller)
    return Response(status_code=204)


def _media_type(request: Request) -> str | None:
    """Return the media type as the client says it.

    Raises:
        UnsupportedMediaType: the body is a form, or compressed on the way.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"content-encoding {encoding[:80]!r} is not accepted; send the bytes unchanged")
    given = request.headers.get("content-type")
    if given is not None and given.strip().lower().startswith("multipart/"):
        raise UnsupportedMediaType(
            "a form is not accepted; send the bytes themselves as the body: curl -X POST -T FILE '…/v1/files?name=FILE'"
        )
    return given


async def _body(request: Request, idle_s: float) -> AsyncIterator[bytes]:
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise RequestTimeout(f"no byte of the body arrived for {idle_s:g} s") from None
        except ClientDisconnect:
            raise Malformed("the body broke off") from None
        yield chunk


def _service(ctx: Context) -> FileService:
    if ctx.files is None:
        raise Unavailable("this deployment keeps no files")
    return ctx.files
