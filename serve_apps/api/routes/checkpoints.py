"""Checkpoints of a training: what there are, one as a tar archive, one less."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from email.utils import format_datetime
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from rlplatform.access.principals import Principal
from rlplatform.documents import CheckpointList
from rlplatform.errors import InvalidRequest, NotFound, Unavailable
from rlplatform.ids import Kind, check_id
from rlplatform.ports import CheckpointStore
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.retention import ranked
from serve_apps.api.deps import Caller, Context, Ctx, Researcher
from serve_apps.api.downloads import Download, made
from serve_apps.api.openapi import problems
from serve_apps.api.responses import unchanged

router = APIRouter(prefix="/v1", tags=["checkpoints"])


@router.get(
    "/trainings/{training_id}/checkpoints",
    summary="The checkpoints of a training, oldest first",
    responses={200: {"model": CheckpointList}, **problems(401, 403, 404, 503)},
)
async def index(ctx: Ctx, caller: Caller, training_id: str) -> CheckpointList:
    run = await ctx.training(training_id, caller)
    found = await asyncio.to_thread(_store(ctx.services.checkpoints).list, run.id)
    return CheckpointList(items=ranked(found))


@router.get(
    "/checkpoints/{checkpoint_id}/download",
    summary="One checkpoint as a tar archive, verified file by file",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/x-tar": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "the part that `Range` asks for"},
        304: {"description": "unchanged"},
        **problems(401, 403, 404, 416, 503),
    },
)
async def download(ctx: Ctx, request: Request, caller: Caller, checkpoint_id: str) -> Response:
    store = _store(ctx.services.checkpoints)
    info = await _find(ctx, caller, checkpoint_id)
    headers = {"ETag": f'"{info.manifest_sha256}"', "Cache-Control": "private, no-cache"}
    headers["Last-Modified"] = format_datetime(info.created_at, usegmt=True)
    if unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    archive = await made(partial(_archive, store, info))
    return Download(archive, media_type="application/x-tar", filename=f"{info.id}.tar", headers=headers)


@router.delete(
    "/checkpoints/{checkpoint_id}",
    summary="Delete a checkpoint for good; not one that a training that goes on would be recovered from",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "it is gone"}, **problems(401, 403, 404, 409, 503)},
)
async def delete(ctx: Ctx, caller: Researcher, checkpoint_id: str) -> Response:
    info = await _find(ctx, caller, checkpoint_id)
    await ctx.services.commands.delete_checkpoint(info.id, caller)
    ctx.accounts.measure(caller.tenant)
    return Response(status_code=204)


async def _find(ctx: Context, caller: Principal, checkpoint_id: str) -> CheckpointInfo:
    """:raises NotFound: there is none such, or none that the caller sees."""
    try:
        check_id(checkpoint_id, Kind.CHECKPOINT)
        info = await asyncio.to_thread(_store(ctx.services.checkpoints).find, checkpoint_id)
        await ctx.training(info.training_id, caller)
    except (InvalidRequest, NotFound):
        raise NotFound("no such checkpoint") from None
    return info


def _archive(store: CheckpointStore, info: CheckpointInfo, directory: Path) -> Path:
    """The same bytes every time, so that a download that broke off can be taken up."""

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
