"""``rlp export``: trainings in other tools, as they go on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import typer

from rlplatform.cli.exports.follower import Follower, Sink
from rlplatform.cli.exports.to_mlflow import MlflowSink
from rlplatform.cli.exports.to_tensorboard import TensorBoardSink
from rlplatform.cli.exports.to_wandb import WandbSink
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, wanted_labels
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.runs.events import Event
from rlplatform.training.models import Training

Tool = Literal["tensorboard", "mlflow", "wandb"]
_MOST = 1000


def export(
    ctx: typer.Context,
    trainings: Annotated[list[str] | None, typer.Argument(help="Trainings: train_…, or the end of it.")] = None,
    to: Annotated[Tool, typer.Option("--to", help="The tool.")] = "tensorboard",
    folder: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the output, and of the position in the log.")
    ] = Path("export"),
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="Trainings with key=value, or key, in place of ids.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Copy what there is, and do not wait for the end.")] = False,
    project: Annotated[str, typer.Option(help="W&B's project, or MLflow's experiment.")] = "rlplatform",
    tracking_uri: Annotated[
        str | None, typer.Option(help="MLflow's server; without it a folder of its own in --output.")
    ] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Copy trainings into TensorBoard, MLflow or W&B.

    Follows them to their end; W&B is written offline.

    Interrupt it and start it again as you like: it continues where it was, without a gap or a double.
    """
    output = output_of(ctx, json)
    if bool(trainings) == bool(label):
        raise InvalidRequest("give ids of trainings, or --label to find them; not both", field="trainings")
    with connect(url, api_key) as client:
        if label:
            found = list(islice(client.trainings(page_size=200, labels=wanted_labels(label)), _MOST))
        else:
            found = [client.training(full_id(client, text, Kind.TRAINING)) for text in trainings or ()]
        for training in found:
            path = folder / to / training.id
            path.mkdir(parents=True, exist_ok=True)
            follower = Follower(training, _sink(to, path, project, tracking_uri), path / "position.json")
            before = follower.cursor.seq
            try:
                follower.copy(_events(client, training, before, once))
            finally:
                follower.close(client.training(training.id))
            copied = {"training_id": training.id, "to": to, "path": str(path), "seq": follower.cursor.seq}
            output.document(copied, f"{training.id}: {_told(before, follower.cursor.seq)} to {path}")
    if not found:
        output.note("no trainings like that")
    elif to == "wandb":
        output.note(f"upload it with: wandb sync --append {folder}/wandb/*/part-*/wandb/offline-run-*")


def _told(before: int, now: int) -> str:
    return f"events {before + 1} to {now}" if now > before else "no new events"


def _events(client: Client, training: Training, after: int, once: bool) -> Iterator[Event]:
    if once and after >= training.seq:
        return
    for event in client.events(training.id, after=after):
        yield event
        if once and event.seq >= training.seq:
            return


def _sink(to: Tool, path: Path, project: str, tracking_uri: str | None) -> Sink:
    match to:
        case "tensorboard":
            return TensorBoardSink(path)
        case "mlflow":
            return MlflowSink(tracking_uri or (path.parent / "mlruns").absolute().as_uri(), project)
        case "wandb":
            return WandbSink(path, project)
