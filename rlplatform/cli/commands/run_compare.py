"""``rlp runs compare`` and ``rlp runs plot``."""

from __future__ import annotations

import shutil
from typing import Annotated, Literal

import typer

from rlplatform.cli.formatting import comparisons as words
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, wanted_labels
from rlplatform.cli.plot import draw
from rlplatform.client import Client
from rlplatform.comparison.models import RETURN, Axis, Comparison
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind

_HEIGHT = 16
_WIDTH = 80

Trainings = Annotated[list[str] | None, typer.Argument(help="Trainings: train_…, or the beginning or end of it.")]
WithLabel = Annotated[
    list[str] | None, typer.Option("--label", "-l", help="Trainings with key=value, or key, in place of ids.")
]
Metric = Annotated[str, typer.Option(help="Metric to show.")]


def compare(
    ctx: typer.Context,
    trainings: Trainings = None,
    label: WithLabel = None,
    metric: Metric = RETURN,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Compare trainings, grouped by all but the seed.

    It prints returns with 95 % intervals, speed, and the settings that differ.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        comparison = _comparison(client, trainings, label, metric, "env_steps")
        page = _page(client, comparison)
    if output.lines:
        output.document(comparison, "")
        return
    output.table(comparison.groups, words.group_rows(comparison), "no trainings like that")
    if rows := words.setting_rows(comparison):
        output.verbatim("\n")
        output.table(comparison.settings, rows, "")
        if any("*" in value for row in rows for value in row.values()):
            output.note("* not given: the preset's value, or the default")
    if comparison.groups:
        what = "interquartile mean over runs [95 % bootstrap interval]"
        output.note(f"{metric}: {what}; EVALUATION: the deterministic policy's return\npage: {page}")
    if comparison.left_out:
        output.note(f"{comparison.left_out} more trainings were found and left out")


def plot(
    ctx: typer.Context,
    trainings: Trainings = None,
    label: WithLabel = None,
    metric: Metric = RETURN,
    x: Annotated[Literal["env_steps", "train_wall_s"], typer.Option(help="The horizontal axis.")] = "env_steps",
    height: Annotated[int, typer.Option(min=4, max=200, help="Lines of the plot.")] = _HEIGHT,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Draw learning curves in the terminal."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        comparison = _comparison(client, trainings, label, metric, x)
    if output.lines:
        output.document(comparison, "")
        return
    width = output.width or shutil.get_terminal_size((_WIDTH, 0)).columns
    axis = "steps" if x == "env_steps" else "s of training"
    curves = words.curves(comparison)
    output.drawing(draw(curves, width=width, height=height, title=metric, axis=axis, coloured=output.coloured))


def _comparison(
    client: Client, trainings: list[str] | None, label: list[str] | None, metric: str, x: Axis
) -> Comparison:
    if bool(trainings) == bool(label):
        raise InvalidRequest("give ids of trainings, or --label to find them; not both", field="trainings")
    if label:
        return client.compare(labels=wanted_labels(label), metric=metric, x=x)
    return client.compare(*(full_id(client, text, Kind.TRAINING) for text in trainings or ()), metric=metric, x=x)


def _page(client: Client, comparison: Comparison) -> str:
    ids = "&".join(f"id={run.id}" for group in comparison.groups for run in group.runs)
    return f"{client.url}/#/compare?{ids}"
