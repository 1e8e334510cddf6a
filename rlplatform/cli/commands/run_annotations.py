"""``rlp runs label`` and ``rlp runs rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.client.call import UNCHANGED
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind


def label(
    ctx: typer.Context,
    runs_and_labels: Annotated[
        list[str],
        typer.Argument(metavar="RUN… [KEY=VALUE…] [KEY-…]", help="Runs; labels to set; labels to remove (key-)."),
    ],
    name: Annotated[str | None, typer.Option("--name", help="A new name; empty: none.")] = None,
    notes: Annotated[str | None, typer.Option("--notes", help="New notes; empty: none.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Change labels, name or notes of runs, finished or not."""
    output = output_of(ctx, json)
    labels: dict[str, str | None] = {}
    texts: list[str] = []
    for text in runs_and_labels:
        key, given, value = text.partition("=")
        if given:
            labels[key] = value
        elif text.endswith("-"):
            labels[text[:-1]] = None
        else:
            texts.append(text)
    if not texts:
        raise InvalidRequest("give the id of a run, and then its labels as key=value or key-", field="runs")
    if not labels and name is None and notes is None:
        raise InvalidRequest("give labels as key=value, or key- to remove one, or --name or --notes", field="labels")
    with connect(url, api_key) as client:
        for run_id in [full_id(client, text, Kind.TRAINING, Kind.EVALUATION) for text in texts]:
            run = client.update_run(
                run_id,
                name=UNCHANGED if name is None else name or None,
                labels=labels,
                notes=UNCHANGED if notes is None else notes or None,
            )
            told = " ".join(f"{key}={value}" for key, value in run.labels.items()) or "no labels"
            output.document(run, f"{run.id}: {f'{run.name}: ' if run.name else ''}{told}")


def rm(
    ctx: typer.Context,
    runs: Annotated[list[str], typer.Argument(help="train_… or eval_…, or the beginning or end of it.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Delete finished runs for good.

    Their events, checkpoints and files are deleted too.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        ids = [full_id(client, text, Kind.TRAINING, Kind.EVALUATION) for text in runs]
        if not yes and not output.lines:
            output.note("\n".join(ids))
            what = "this run" if len(ids) == 1 else f"these {len(ids)} runs"
            if not typer.confirm(f"Delete {what} for good?", err=True):
                raise typer.Exit(exit_codes.FAILED)
        for run_id in ids:
            client.delete_run(run_id)
            output.document({"id": run_id, "state": "deleted"}, f"{run_id}: deleted")
