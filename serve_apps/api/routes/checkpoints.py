"""Checkpoints of a training: list, download as a tar archive, delete."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from email.utils import format_datetime
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest, NotFound, Unavailable
from rlplatform.ids import Kind, check_id
from rlplatform.training.checkpoints.retention import ranked
from rlplatform.training.models import CheckpointInfo, CheckpointList
from rlplatform.training.ports import CheckpointStore
from serve_apps.api.dependencies import Caller, CanTrain, Context, Ctx
from serve_apps.api.http.downloads import Download, made
from serve_apps.api.http.responses import unchanged
from serve_apps.api.openapi.document import binary, problems
from serve_apps.api.openapi.headers import headers

router = APIRouter(prefix="/v1", tags=["checkpoints"])
_MEDIA_TYPES = ("application/x-tar", "application/octet-stream")
_HEADERS = headers("Accept-Ranges", "Content-Disposition", "ETag", "Last-Modified")


@router.get(
    "/trainings/{training_id}/checkpoints",
    summary="List the checkpoints of a training, oldest first",
    responses={200: {"model": CheckpointList, "description": "The checkpoints."}, **problems(401, 403, 404, 503)},
)
async def index(ctx: Ctx, caller: Caller, training_id: str) -> CheckpointList:
    """Return the committed checkpoints of a training. `best` marks the one with the highest mean return."""
    run = await ctx.training(training_id, caller)
    found = await asyncio.to_thread(_store(ctx.services.checkpoints).list, run.id)
    return CheckpointList(items=ranked(found))


@router.get(
    "/checkpoints/{checkpoint_id}/download",
    summary="Download a checkpoint as a tar archive, verified file by file",
    response_class=Response,
    responses={
        200: {"description": "The archive.", "headers": _HEADERS, "content": binary(*_MEDIA_TYPES)},
        206: {
            "description": "The part that `Range` asks for.",
            "headers": _HEADERS | headers("Content-Range"),
            "content": binary(*_MEDIA_TYPES, "multipart/byteranges"),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag", "Last-Modified")},
        **problems(401, 403, 404, 416, 503),
    },
)
async def download(ctx: Ctx, request: Request, caller: Caller, checkpoint_id: str) -> Response:
    """Return the files of a checkpoint as a tar archive. Ranges and `If-None-Match` are supported, and the same
    checkpoint always gives the same bytes. With `Accept: application/octet-stream` the archive has that media type."""
    store = _store(ctx.services.checkpoints)
    info = await find_checkpoint(ctx, caller, checkpoint_id)
    tag = f'"{info.manifest_sha256}"'
    about = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept"}
    about["Last-Modified"] = format_datetime(info.created_at, usegmt=True)
    if unchanged(request, tag):
        return Response(status_code=304, headers=about)
    archive = await made(partial(_archive, store, info))
    return Download(archive, media_type=_media_type(request), filename=f"{info.id}.tar", headers=about)


@router.delete(
    "/checkpoints/{checkpoint_id}",
    summary="Delete a checkpoint for good",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Deleted."}, **problems(401, 403, 404, 409, 503)},
)
async def delete(ctx: Ctx, caller: CanTrain, checkpoint_id: str) -> Response:
    """Delete a checkpoint at once. A checkpoint that an unfinished training would be recovered from, or starts from, is
    kept: 409."""
    info = await find_checkpoint(ctx, caller, checkpoint_id)
    await ctx.services.commands.delete_checkpoint(info.id, caller)
    ctx.accounts.measure(caller.tenant)
    return Response(status_code=204)


def _media_type(request: Request) -> str:
    """The first of the media types, unless only the other is accepted by name."""
    accepted = request.headers.get("accept", "")
    first, other = _MEDIA_TYPES
    return other if other in accepted and first not in accepted else first


async def find_checkpoint(ctx: Context, caller: Principal, checkpoint_id: str) -> CheckpointInfo:
    """Return a checkpoint.

    Raises:
        NotFound: there is none, or the caller may not see it.
    """
    try:
        check_id(checkpoint_id, Kind.CHECKPOINT)
        info = await asyncio.to_thread(_store(ctx.services.checkpoints).find, checkpoint_id)
        await ctx.training(info.training_id, caller)
    except (InvalidRequest, NotFound):
        raise NotFound("no such checkpoint") from None
    return info


def _archive(store: CheckpointStore, info: CheckpointInfo, directory: Path) -> Path:
    """Write the archive. The bytes are the same every time, so that an interrupted download can be resumed."""

    def same(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if entry.isdir() else 0o644
        entry.mtime = int(info.created_at.timestamp())
        return entry

    files = directory / info.id
    files.mkdir()
    store.fetch(info.training_id, info.id, files)
    archive = directory / f"{info.id}.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(files, arcname=info.id, filter=same)
    shutil.rmtree(files)
    return archive


def _store(store: CheckpointStore | None) -> CheckpointStore:
    if store is None:
        raise Unavailable("this deployment keeps no checkpoints")
    return store
