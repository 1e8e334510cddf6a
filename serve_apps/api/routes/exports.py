"""Trainings taken out of the platform: a run folder as an archive, and tables of metrics."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from rlplatform.errors import InvalidRequest
from rlplatform.runs.ports import EncodedEvent
from rlplatform.training.metric_table import ReadStream, TableFormat, write_table
from rlplatform.training.run_folder.archive import write_archive
from serve_apps.api.dependencies import Caller, Context, Ctx
from serve_apps.api.http.downloads import Download, made
from serve_apps.api.http.responses import unchanged
from serve_apps.api.openapi.document import binary, problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.routes.selection import MAX_FOUND, SelectionQuery, selected

router = APIRouter(prefix="/v1", tags=["trainings"])
_MEDIA_TYPES: dict[TableFormat, str] = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_HEADERS = headers("Accept-Ranges", "Content-Disposition", "ETag", "Last-Modified")


class ExportQuery(SelectionQuery):
    """Query parameters of a table of metrics."""

    form: TableFormat = Field(default="csv", alias="format", description="Form of the table.")


@router.get(
    "/trainings:export",
    summary="Export the metrics of trainings as one table",
    response_class=Response,
    responses={
        200: {
            "description": "The table.",
            "headers": _HEADERS,
            "content": binary(*_MEDIA_TYPES.values()),
        },
        206: {
            "description": "The part that `Range` asks for.",
            "headers": _HEADERS | headers("Content-Range"),
            "content": binary(*_MEDIA_TYPES.values(), "multipart/byteranges"),
        },
        **problems(401, 403, 404, 416, 422),
    },
)
async def export(ctx: Ctx, caller: Caller, query: Annotated[ExportQuery, Query()]) -> Response:
    """Return a row for each iteration of up to 1,000 trainings, by id or by filter, as CSV or Parquet: the training,
    counters, metrics, and the evaluation of the policy in the row of its iteration. What a recovery repeats is there
    once."""
    trainings, more = await selected(ctx, caller, query, MAX_FOUND)
    if more:
        raise InvalidRequest(
            f"more than {MAX_FOUND:,} trainings were found, the most that one table has; narrow the selection, for "
            "example with created_before"
        )
    read = _reader(ctx)
    name = f"trainings.{query.form}"
    table = await made(lambda folder: write_table(folder / name, query.form, trainings, read))
    return Download(table, media_type=_MEDIA_TYPES[query.form], filename=name, headers={"Cache-Control": "no-store"})


@router.get(
    "/trainings/{training_id}/files",
    summary="Download the run folder of a training as a tar archive",
    response_class=Response,
    responses={
        200: {"description": "The archive.", "headers": _HEADERS, "content": binary("application/x-tar")},
        206: {
            "description": "The part that `Range` asks for.",
            "headers": _HEADERS | headers("Content-Range"),
            "content": binary("application/x-tar", "multipart/byteranges"),
        },
        304: {"description": "Unchanged.", "headers": headers("ETag", "Last-Modified")},
        **problems(401, 403, 404, 416),
    },
)
async def files(ctx: Ctx, request: Request, caller: Caller, training_id: str) -> Response:
    """Return the run folder, made from the event log: events, manifest, configuration, tables, TensorBoard files and
    the kept checkpoints. `ETag` has the SHA-256 of the archive, which is the same until the training changes, so that
    an interrupted download continues with `Range` and `If-Range`."""
    run = await ctx.training(training_id, caller)
    read = partial(_reader(ctx), run.stream)
    archive = await made(partial(write_archive, run=run, read=read, checkpoints=ctx.services.checkpoints))
    tag = f'"{await asyncio.to_thread(_sha256, archive)}"'
    about = {"ETag": tag, "Cache-Control": "private, no-cache"}
    about["Last-Modified"] = format_datetime(run.document.finished_at or ctx.services.clock.now(), usegmt=True)
    download = Download(archive, media_type="application/x-tar", filename=f"{run.id}.tar", headers=about)
    if unchanged(request, tag):
        download.discard()
        return Response(status_code=304, headers=about)
    return download


def _reader(ctx: Context) -> ReadStream:
    """Return a function that reads the log from a thread."""
    loop = asyncio.get_running_loop()

    def read(stream: str, after: int, limit: int) -> Sequence[EncodedEvent]:
        reading = ctx.services.store.read(stream, after=after, limit=limit)
        return asyncio.run_coroutine_threadsafe(reading, loop).result()

    return read


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
