"""``rlp runs download`` and ``rlp runs export``: trainings as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, moment_of, output_of, wanted_labels
from rlplatform.client.filters import RunFilters
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind, kind_of


def download(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(metavar="ID", help="ckpt_…, or with --files train_…, or its end.")],
    files: Annotated[
        bool, typer.Option("--files", help="The whole run folder: events, manifest, tables, checkpoints.")
    ] = False,
    target: Annotated[Path | None, typer.Option("--output", "-o", help="The archive to write.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save a checkpoint or a run folder as a tar archive. An interrupted run folder is continued."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        kinds = (Kind.TRAINING,) if files else (Kind.CHECKPOINT, Kind.TRAINING)
        found = full_id(client, source, *kinds)
        if not files and kind_of(found) is Kind.TRAINING:
            raise InvalidRequest(f"{found} is a training: give --files for its run folder", field="--files")
        target = target or Path(f"{found}.tar")
        with output.transfer(target.name) as progress:
            save = client.download_run if files else client.download_checkpoint
            save(found, target, progress=progress)
    output.document({"path": str(target), "size_bytes": target.stat().st_size}, str(target))


def export(
    ctx: typer.Context,
    trainings: Annotated[list[str] | None, typer.Argument(help="Trainings: train_…, or the end of it.")] = None,
    form: Annotated[Literal["csv", "parquet"], typer.Option("--format", help="Form of the table.")] = "csv",
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="Trainings with key=value, or key; may be given again.")
    ] = None,
    env: Annotated[str | None, typer.Option(help="Trainings on this environment.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Trainings in this state; may be given again.")] = None,
    since: Annotated[str | None, typer.Option(help="Trainings started since: 2026-01-31, or 7d, 12h, 30m ago.")] = None,
    search: Annotated[str | None, typer.Option(help="Words of the id, name, labels, notes or environment.")] = None,
    target: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save the metrics of trainings as one table. It has a row for each iteration."""
    output = output_of(ctx, json)
    filters: RunFilters = {
        "labels": wanted_labels(label),
        "env": env,
        "states": state or [],
        "created_after": moment_of(since, "--since"),
        "search": search,
    }
    target = target or Path(f"trainings.{form}")
    with connect(url, api_key) as client:
        ids = [full_id(client, text, Kind.TRAINING) for text in trainings or ()]
        with output.transfer(target.name) as progress:
            client.export_metrics(target, *ids, form=form, progress=progress, **filters)
    output.document({"path": str(target), "size_bytes": target.stat().st_size}, str(target))
