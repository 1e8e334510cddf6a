"""``rlp study``: searches over hyperparameters."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli import exit_codes, sweep_plan
from rlplatform.cli.follow import follow_study
from rlplatform.cli.formatting import studies
from rlplatform.cli.ids import full_id
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of, pairs
from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.studies.models import Study, StudyState

app = typer.Typer(no_args_is_help=True, help="Search hyperparameters with many trainings.")

StudyId = Annotated[str, typer.Argument(help="study_…, or the beginning or end of it.")]


@app.command()
def create(
    ctx: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The whole request as JSON; the other options go over it.")
    ] = None,
    env: Annotated[str | None, typer.Option("--env", help="Gymnasium id; `rlp env ls` lists them.")] = None,
    space: Annotated[
        list[str] | None,
        typer.Option("--space", "-S", help="name:low..high, name:log:low..high or name:value,value,…"),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the study.")] = None,
    sampler: Annotated[
        Literal["tpe", "random", "grid", "population"] | None, typer.Option(help="How trials are chosen: tpe.")
    ] = None,
    pruner: Annotated[Literal["median", "hyperband"] | None, typer.Option(help="End bad trials early.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", min=1, help="At most so many trials.")] = None,
    budget: Annotated[
        int | None, typer.Option("--budget", min=1, help="Environment steps of all trainings together.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Each trial with each of these: 0,1,2 or 0..4.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the sampler.")] = None,
    target: Annotated[float | None, typer.Option("--target", help="End when a trial's value reaches this.")] = None,
    parallel: Annotated[int | None, typer.Option(min=1, max=64, help="Trainings at a time: 2.")] = None,
    env_steps: Annotated[int | None, typer.Option("--env-steps", "-n", help="Steps of each training.")] = None,
    preset: Annotated[str | None, typer.Option(help="Tuned hyperparameters by name.")] = None,
    hyperparams: Annotated[
        list[str] | None, typer.Option("--hyperparams", "-H", help="name:value, the same for all.")
    ] = None,
    eval_episodes: Annotated[int | None, typer.Option(help="Episodes of each policy evaluation.")] = None,
    engine: Annotated[str | None, typer.Option(help="rllib, or simulated: nothing is trained.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, print its id, do not follow.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Start a study, and follow it to its end. Ctrl-C leaves it running."""
    output = output_of(ctx, json)
    request = _read(file)
    training = dict(request.get("training") or {})
    training |= given(env=env, preset=preset, engine=engine)
    if "env" not in training:
        raise InvalidRequest("say what to train: --env CartPole-v1, or training.env in --file", field="--env")
    if env_steps is not None:
        training["stop"] = {**(training.get("stop") or {}), "env_steps": env_steps}
    if hyperparams:
        training["hyperparameters"] = {**(training.get("hyperparameters") or {}), **pairs(hyperparams, "--hyperparams")}
    if eval_episodes is not None:
        training["evaluation"] = {**(training.get("evaluation") or {}), "episodes": eval_episodes}
    request["training"] = training
    if space:
        request["space"] = dict(sweep_plan.parameter_of(text) for text in space)
    request |= given(
        name=name,
        sampler={"kind": sampler} if sampler is not None else None,
        pruner={"kind": pruner} if pruner is not None else None,
        trials=trials,
        budget_env_steps=budget,
        seeds=sweep_plan.seeds_of(seeds) if seeds is not None else None,
        seed=seed,
        target_return=target,
        parallel=parallel,
    )
    with connect(url, api_key) as client:
        study = client.start_study(request)
        if detach:
            output.document(study, study.id)
            return
        output.note(study.id)
        _watch(client, study, output, 0)


@app.command("ls")
def index(
    ctx: typer.Context,
    state: Annotated[list[StudyState] | None, typer.Option(help="Only in this state; may be given again.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 20,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """List studies, newest first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        states = [each.value for each in state or ()]
        found = list(islice(client.studies(states=states, page_size=min(limit, 200)), limit))
    output.table(found, [studies.row(study) for study in found], "no studies yet: start one with `rlp study create`")


@app.command()
def show(ctx: typer.Context, study_id: StudyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Show a study and its trials, best first."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        study = client.study(full_id(client, study_id, Kind.STUDY))
        _tell(output, study)


@app.command()
def watch(
    ctx: typer.Context,
    study_id: StudyId,
    after: Annotated[int, typer.Option(min=0, help="Only events behind this sequence number.")] = 0,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Follow a study to its end. Ctrl-C leaves it running."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        _watch(client, client.study(full_id(client, study_id, Kind.STUDY)), output, after)


@app.command()
def pause(ctx: typer.Context, study_id: StudyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Pause a study and its trainings."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        study = client.pause_study(full_id(client, study_id, Kind.STUDY))
    output.document(study, f"{study.id}: pause requested")


@app.command()
def resume(ctx: typer.Context, study_id: StudyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Continue a paused study."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        study = client.resume_study(full_id(client, study_id, Kind.STUDY))
    output.document(study, f"{study.id}: resume requested")


@app.command()
def stop(ctx: typer.Context, study_id: StudyId, json: Json = False, url: Url = None, api_key: ApiKey = None) -> None:
    """Stop a study and its trainings for good. Each training saves a last checkpoint."""
    output = output_of(ctx, json)
    with connect(url, api_key) as client:
        study = client.stop_study(full_id(client, study_id, Kind.STUDY))
    output.document(study, f"{study.id}: {'stop requested' if study.finished_at is None else study.state.value}")


def _tell(output: Output, study: Study) -> None:
    """Print a study: its facts, then its trials."""
    output.document(study, studies.study(study))
    if not output.lines and study.trials:
        output.table([], studies.trial_rows(study), "")


def _watch(client: Client, study: Study, output: Output, after: int) -> None:
    study = follow_study(client, study, output, after=after)
    _tell(output, study)
    raise typer.Exit(exit_codes.FAILED if study.state is StudyState.FAILED else exit_codes.DONE)


def _read(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        found = jsonlib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"--file: {file} cannot be read: {error}", field="--file") from None
    if not isinstance(found, Mapping):
        raise InvalidRequest(f"--file: {file} must hold a JSON object, as POST /v1/studies takes it", field="--file")
    return dict(found)
