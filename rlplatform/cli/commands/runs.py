"""``rlp runs``: trainings and evaluations."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Literal, get_args

import typer

from rlplatform.cli import exit_codes
from rlplatform.cli.commands.run_annotations import label, rm
from rlplatform.cli.commands.run_clone import clone
from rlplatform.cli.commands.run_compare import compare, plot
from rlplatform.cli.commands.run_files import download, export
from rlplatform.cli.commands.run_verify import verify
from rlplatform.cli.evidence import evidence
from rlplatform.cli.follow import follow_evaluation, follow_training, page_of, summary
from rlplatform.cli.formatting import evaluations, runs, trainings
from rlplatform.cli.formatting.facts import FACT
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, moment_of, output_of, wanted_labels
from rlplatform.cli.output import Output
from rlplatform.cli.submitters import submitters
from rlplatform.client import Client
from rlplatform.client.filters import RunFilters
from rlplatform.errors import UnknownName
from rlplatform.evaluation.models import Evaluation, EvaluationState, Verdict
from rlplatform.ids import Kind, kind_of
from rlplatform.training.models import Training, TrainingState

app = typer.Typer(no_args_is_help=True, help="List, show, follow, label, compare, stop and delete runs.")

_STATES: dict[str, tuple[str, ...]] = {
    "trainings": tuple(state.value for state in TrainingState),
    "evaluations": get_args(EvaluationState),
}

RunId = Annotated[str, typer.Argument(help="train_… or eval_…, or the beginning or end of it.")]
TrainingId = Annotated[str, typer.Argument(help="train_…, or the beginning or end of it.")]


app.command()(label)
app.command()(clone)
app.command()(compare)
app.command()(plot)
app.command()(download)
app.command()(export)
app.command()(rm)
app.command()(verify)


@app.command("ls")
def index(
    ctx: typer.Context,
    kind: Annotated[Literal["trainings", "evaluations", "all"], typer.Option(help="What to list.")] = "all",
    state: Annotated[list[str] | None, typer.Option(help="Only runs in this state; may be given again.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", "-l", help="Only runs with key=value, or key; may be given again.")
    ] = None,
    env: Annotated[str | None, typer.Option(help="Only runs on this environment.")] = None,
    submitter: Annotated[str | None, typer.Option(help="Only runs that this principal submitted; `me` is you.")] = None,
    since: Annotated[str | None, typer.Option(help="Only runs started since: 2026-01-31, or 7d, 12h, 30m ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Only runs started before.")] = None,
    search: Annotated[str | None, typer.Option(help="Words of the id, name, labels, notes or environment.")] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="created_at, finished_at, name, env, state, score or env_steps; - first: greatest first."),
    ] = None,
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
    filters: RunFilters = {
        "labels": wanted_labels(label),
        "env": env,
        "submitter": submitter,
        "created_after": moment_of(since, "--since"),
        "created_before": moment_of(until, "--until"),
        "search": search,
        "sort": sort,
    }
    size = min(limit, 200)
    found: list[Training | Evaluation] = []
    with connect(url, api_key) as client:
        if "trainings" in asked and (asked["trainings"] or not state):
            filters["states"] = asked["trainings"]
            found += islice(client.trainings(page_size=size, **filters), limit)
        if "evaluations" in asked and (asked["evaluations"] or not state):
            filters["states"] = asked["evaluations"]
            found += islice(client.evaluations(page_size=size, **filters), limit)
        submitter_of = None if json else submitters(client, found)
    if sort is None:
        found.sort(key=lambda run: run.created_at, reverse=True)
    what = "runs" if kind == "all" else kind
    if any(value for name, value in filters.items() if name != "states"):
        empty = f"no {' or '.join(state) + ' ' if state else ''}{what} like that"
    elif state:
        empty = f"no {' or '.join(state)} {what}"
    else:
        empty = f"no {what} yet: start one with `rlp train` or `rlp evaluate`"
    rows = [runs.row(run) | ({"BY": submitter_of(run)} if submitter_of else {}) for run in found]
    output.table(found, rows, empty)


@app.command()
def show(ctx: typer.Context, run_id: RunId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show one run."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = _run(client, run_id)
        text = trainings.training(run) if isinstance(run, Training) else evaluations.evaluation(run)
        if not json and (submitter_of := submitters(client, [run])) is not None:
            text += f"\n{'submitted by':<{FACT}}{submitter_of(run)}"
        output.document(run, f"{text}\n{'page':<{FACT}}{page_of(client, run)}")
        if isinstance(run, Evaluation) and run.finished_at is not None:
            _explain(client, run, output)


@app.command()
def watch(
    ctx: typer.Context,
    run_id: RunId,
    after: Annotated[int, typer.Option(min=0, help="Only events behind this sequence number.")] = 0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Follow a run to its end. Ctrl-C leaves it running."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = _run(client, run_id)
        if isinstance(run, Training):
            training = follow_training(client, run, output, after=after)
            output.document(summary(training), trainings.training(training))
            done = training.state is not TrainingState.FAILED
        else:
            evaluation = follow_evaluation(client, run, output, after=after)
            done = evaluation.verdict is Verdict.ACCEPTED
            _explain(client, evaluation, output)
    raise typer.Exit(exit_codes.DONE if done else exit_codes.FAILED)


@app.command()
def stop(ctx: typer.Context, run_id: RunId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Stop a training or an evaluation. A training saves a last checkpoint."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run_id = full_id(client, run_id, Kind.TRAINING, Kind.EVALUATION)
        training = kind_of(run_id) is Kind.TRAINING
        run = client.stop_training(run_id) if training else client.cancel_evaluation(run_id)
    output.document(run, f"{run.id}: {'stop requested' if run.finished_at is None else str(run.state)}")


@app.command()
def pause(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Save a checkpoint of a training and free its resources."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.pause_training(full_id(client, training_id, Kind.TRAINING))
    output.document(run, f"{run.id}: pause requested")


@app.command()
def resume(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """Continue a paused training from its checkpoint.

    It starts as soon as there is room.
    """
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        run = client.resume_training(full_id(client, training_id, Kind.TRAINING))
    output.document(run, f"{run.id}: resume requested")


@app.command()
def checkpoints(
    ctx: typer.Context, training_id: TrainingId, json: Json = False, url: Url = None, api_key: ApiKey = None
) -> None:
    """List the checkpoints of a training, oldest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        found = client.checkpoints(full_id(client, training_id, Kind.TRAINING))
    output.table(found, [trainings.checkpoint(info) for info in found], "no checkpoints yet")


@app.command()
def source(
    ctx: typer.Context,
    evaluation_id: Annotated[str, typer.Argument(help="eval_…, or the beginning or end of it.")],
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="The archive to write; without it, eval_….zip, here.")
    ] = None,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Save the program of an evaluation as a ZIP archive. Uploaded data is saved with rlp files get."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        evaluation_id = full_id(client, evaluation_id, Kind.EVALUATION)
        target = target or Path(f"{evaluation_id}.zip")
        with output.transfer(target.name) as progress:
            client.download_submission(evaluation_id, target, progress=progress)
    output.document({"path": str(target), "size_bytes": target.stat().st_size}, str(target))


@app.command("delete-checkpoint")
def delete_checkpoint(
    ctx: typer.Context,
    checkpoint_id: Annotated[str, typer.Argument(help="ckpt_…, or the beginning or end of it.")],
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Delete a checkpoint. Policies that were published from it stay."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        checkpoint_id = full_id(client, checkpoint_id, Kind.CHECKPOINT)
        client.delete_checkpoint(checkpoint_id)
    output.document({"id": checkpoint_id, "state": "deleted"}, f"{checkpoint_id}: deleted")


def _asked(states: list[str], known: tuple[str, ...]) -> list[str]:
    return [state for state in states if state in known]


def _run(client: Client, text: str) -> Training | Evaluation:
    run_id = full_id(client, text, Kind.TRAINING, Kind.EVALUATION)
    return client.training(run_id) if kind_of(run_id) is Kind.TRAINING else client.evaluation(run_id)


def _explain(client: Client, evaluation: Evaluation, output: Output) -> None:
    """Show why tests failed, with what was submitted."""
    if output.lines or evaluation.verdict is Verdict.ACCEPTED:
        return
    submitted = client.submission(evaluation.id)
    given = {test.id: test.given for test in submitted.tests}
    output.note(evidence(evaluation, given, str(submitted.grader["kind"])), wrap=False)
