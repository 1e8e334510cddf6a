"""``rlp files``: uploaded files."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from rlplatform.cli.formatting import artifacts
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind

app = typer.Typer(no_args_is_help=True, help="Upload files, and use their ids in requests.")

FileId = Annotated[str, typer.Argument(help="file_…")]


@app.command()
def put(
    ctx: typer.Context,
    sources: Annotated[list[Path], typer.Argument(help="Files to upload.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(help="Name to store the file under; without it, its own.")] = None,
    media_type: Annotated[str | None, typer.Option("--type", help="Media type, as application/zip.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Upload files. Prints their ids; the same bytes again have the same id."""
    output = output_of(ctx, json)
    if name is not None and len(sources) > 1:
        raise InvalidRequest("--name goes with one file, not with several", field="--name")
    with connect(url, api_key) as client:
        for source in sources:
            with output.transfer(source.name) as progress:
                info = client.upload_file(source, name=name, media_type=media_type, progress=progress)
            output.document(info, info.id)


@app.command("ls")
def index(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List files, newest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = list(islice(client.files(page_size=min(limit, 200)), limit))
    output.table(found, [artifacts.file_row(info) for info in found], "no files; upload one with rlp files put FILE")


@app.command()
def get(
    ctx: typer.Context,
    file_id: FileId,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; without it, its own name, here.")
    ] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save a file. Without --output nothing that exists is replaced."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        info = client.file(full_id(client, file_id, Kind.FILE))
        if target is None:
            target = Path(Path(info.name).name or info.id)
            if target.exists():
                raise InvalidRequest(f"{target} exists; name another file with --output, or this one", field="--output")
        with output.transfer(info.name) as progress:
            client.download_file(info.id, target, progress=progress)
    output.document({"path": str(target), "size_bytes": info.size_bytes}, str(target))


@app.command()
def rm(
    ctx: typer.Context,
    file_ids: Annotated[list[str], typer.Argument(help="file_…, one or several.")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Delete files for good. A file that an unfinished run refers to stays."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        for given in file_ids:
            file_id = full_id(client, given, Kind.FILE)
            client.delete_file(file_id)
            output.document({"id": file_id, "deleted": True}, f"{file_id}: deleted")
