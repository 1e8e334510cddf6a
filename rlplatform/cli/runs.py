"""``rlp runs``: what there is, and what to do with it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from rlplatform.cli import exits, words
from rlplatform.cli.follow import follow_evaluation, follow_training, summary
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of
from rlplatform.errors import UnknownName
from rlplatform.evaluation.models import Evaluation, EvaluationState, Verdict
from rlplatform.ids import Kind, check_id
from rlplatform.training.models import Training, TrainingState

app = typer.Typer(no_args_is_help=True, help="List, show, follow and steer trainings and evaluations.")

_STATES: dict[str, tuple[str, ...]] = {
    "trainings": tuple(state.value for state in TrainingState),
    "evaluations": get_args(EvaluationState),
}

RunId = Annotated[str, typer.Argument(help="train_… or eval_…")]
TrainingId = Annotated[str, typer.Argument(help="train_…")]


@app.command("ls")
def index(
    ctx: typer.Context,
    kind: Annotated[Literal["trainings", "evaluations", "all"], typer.Option(help="What to list.")] = "all",
    state: Annotated[list[str] | None, typer.Option(help="Only runs in this state; may be given again.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many of each.")] = 20,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List runs, newest first."""
    output = output_of(ctx, json)
    asked = {name: _asked(state or [], known) for name, known in _STATES.items() if kind in (name, "all")}
    for name in state or ():
        if not any(name in states for states in asked.values()):
            raise UnknownName("state", name, {each for known in asked for each in _STATES[known]}, field="--state")
    found: list[Training | Evaluation] = []
    with connect(url, api_key) as client:
        if "trainings" in asked and (asked["trainings"] or not state):
            found += islice(client.trainings(states=asked["trainings"], page_size=min(limit, 200)), limit)
        if "evaluations" in asked and (asked["evaluations"] or not state):
            found += islice(client.evaluations(states=asked["evaluations"], page_size=min(limit, 200)), limit)
    found.sort(key=lambda run: run.created_at, reverse=True)
    what = "runs" if kind == "all" else kind
    empty = f"no {what} are {' or '.join(state)}" if state else f"no {what} yet"
    output.table(found, [words.row(run) for run in found], empty)


@app.command()
def show(ctx: typer.Context, run_id: RunId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show one run."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.training(run_id) if _is_training(run_id) else client.evaluation(run_id)
    output.document(run, words.training(run) if isinstance(run, Training) else words.evaluation(run))


@app.command()
def watch(
    ctx: typer.Context,
    run_id: RunId,
    after: Annotated[int, typer.Option(min=0, help="Only events behind this sequence number.")] = 0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Follow a run to its end. Ctrl-C leaves it going."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        if _is_training(run_id):
            training = follow_training(client, client.training(run_id), output, after=after)
            output.document(summary(training), words.training(training))
            done = training.state is not TrainingState.FAILED
        else:
            done = follow_evaluation(client, client.evaluation(run_id), output, after=after).verdict is Verdict.ACCEPTED
    raise typer.Exit(exits.DONE if done else exits.FAILED)


@app.command()
def stop(ctx: typer.Context, run_id: RunId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """End a training or an evaluation. A training saves a last checkpoint."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.stop_training(run_id) if _is_training(run_id) else client.cancel_evaluation(run_id)
    output.document(run, f"{run.id}: {'stop asked for' if run.finished_at is None else str(run.state)}")


@app.command()
def pause(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Save a checkpoint of a training and free its resources."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.pause_training(check_id(training_id, Kind.TRAINING))
    output.document(run, f"{run.id}: pause asked for")


@app.command()
def resume(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Continue a paused training from its checkpoint, as soon as there is room."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.resume_training(check_id(training_id, Kind.TRAINING))
    output.document(run, f"{run.id}: resume asked for")


@app.command()
def checkpoints(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """List the checkpoints of a training, oldest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.checkpoints(check_id(training_id, Kind.TRAINING))
    output.table(found, [words.checkpoint(info) for info in found], "no checkpoints yet")


@app.command()
def download(
    ctx: typer.Context,
    checkpoint_id: Annotated[str, typer.Argument(help="ckpt_…")],
    target: Annotated[Path | None, typer.Option("--output", "-o", help="The archive to write.")] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save a checkpoint as a tar archive."""
    output = output_of(ctx, json)
    target = target or Path(f"{check_id(checkpoint_id, Kind.CHECKPOINT)}.tar")
    with connect(url, api_key) as client, output.transfer(target.name) as progress:
        client.download_checkpoint(checkpoint_id, target, progress=progress)
    output.document({"path": str(target), "size_bytes": target.stat().st_size}, str(target))


@app.command("delete-checkpoint")
def delete_checkpoint(
    ctx: typer.Context,
    checkpoint_id: Annotated[str, typer.Argument(help="ckpt_…")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Delete a checkpoint for good. Policies that were published from it stay."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        client.delete_checkpoint(check_id(checkpoint_id, Kind.CHECKPOINT))
    output.document({"id": checkpoint_id, "state": "deleted"}, f"{checkpoint_id}: deleted")


def _asked(states: list[str], known: tuple[str, ...]) -> list[str]:
    return [state for state in states if state in known]


def _is_training(run_id: str) -> bool:
    return check_id(run_id, Kind.TRAINING, Kind.EVALUATION).startswith(f"{Kind.TRAINING}_")
