"""``rlp runs clone``."""

from __future__ import annotations

from typing import Annotated

import typer

from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Labels, Name, Notes, Url, connect, given, labels_of, output_of, pairs
from rlplatform.cli.training_start import start_and_follow
from rlplatform.ids import Kind
from rlplatform.training import variations

_LONG = {"lr": "learning_rate"}
"""Names of hyperparameters that everybody shortens."""


def clone(
    ctx: typer.Context,
    training_id: Annotated[str, typer.Argument(help="train_…, or the beginning or end of it.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyperparameter (lr=0.001), or another setting (seed=1, stop.env_steps=50000)."),
    ] = None,
    name: Name = None,
    label: Labels = None,
    notes: Notes = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, print its id, do not follow.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Train once more with the settings of a training.

    --set changes some of them.
    """
    output = output_of(ctx, json)
    changes = {_LONG.get(key, key): value for key, value in pairs(set_ or [], "--set").items()}
    changes |= {f"labels.{key}": value for key, value in labels_of(label).items()} | given(name=name, notes=notes)
    with connect(url, api_key) as client:
        original = client.training(full_id(client, training_id, Kind.TRAINING))
        raise typer.Exit(start_and_follow(client, output, variations.clone(original, changes), detach=detach))
