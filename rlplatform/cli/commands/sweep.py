"""``rlp sweep``: a study over hyperparameters and seeds, known by a name, and its ranking."""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from rlplatform.cli import exit_codes, sweep_plan
from rlplatform.cli.follow import Interrupted
from rlplatform.cli.formatting import studies
from rlplatform.cli.numbers import measure, plus_minus
from rlplatform.cli.options import ApiKey, Json, Url, connect, given, output_of, pairs
from rlplatform.cli.output import Output
from rlplatform.cli.stop_criteria import require_stop
from rlplatform.cli.sweep_plan import Sweep
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.runs.events import Event
from rlplatform.settings import read_settings
from rlplatform.studies.events import StudyTrialFinished, StudyTrialStarted, StudyTrialSuggested
from rlplatform.studies.models import Study, TrialState
from rlplatform.studies.ranking import in_order
from rlplatform.studies.space import merged

EVAL_EPISODES = 100
"""More than of a single training: ten episodes do not tell settings apart."""


class SweepInterrupted(Interrupted):
    """Ctrl-C: the sweep continues on the platform."""

    def __init__(self, name: str, study_id: str) -> None:
        Exception.__init__(
            self,
            f"the sweep continues on the platform. Follow it: the same command again (its name is {name}).   "
            f"Stop it: rlp study stop {study_id}",
        )


def sweep(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name: the same command again continues it.")],
    env: Annotated[str, typer.Option("--env", help="Gymnasium id; `rlp env ls` lists them.")],
    grid: Annotated[
        list[str] | None, typer.Option("--grid", "-G", help="name:value,value,…: every combination is tried.")
    ] = None,
    sample: Annotated[
        list[str] | None,
        typer.Option("--sample", "-S", help="name:low..high or name:log:low..high, drawn --trials times."),
    ] = None,
    trials_: Annotated[int, typer.Option("--trials", min=1, help="How often to draw what is sampled.")] = 10,
    seeds: Annotated[str, typer.Option(help="Each setting with each of these: 0,1,2 or 0..4.")] = "0,1,2",
    preset: Annotated[str | None, typer.Option(help="Tuned hyperparameters by name.")] = None,
    hyperparams: Annotated[
        list[str] | None, typer.Option("--hyperparams", "-H", help="name:value, the same for all.")
    ] = None,
    env_steps: Annotated[int | None, typer.Option("--env-steps", "-n", help="Stop each after so many steps.")] = None,
    episode_return_mean: Annotated[float | None, typer.Option(help="Stop at this return over 100 episodes.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Stop each after so many seconds of training.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Stop each after so many iterations.")] = None,
    eval_episodes: Annotated[
        int, typer.Option(help="Episodes of the last policy evaluation, which ranks.")
    ] = EVAL_EPISODES,
    engine: Annotated[str, typer.Option(help="rllib, or simulated: nothing is trained.")] = "rllib",
    priority: Annotated[
        Literal["high", "normal", "low"] | None,
        typer.Option(help="Among the tenant's own; high needs scope admin."),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Trainings at a time.")] = 2,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Train over hyperparameters and seeds.

    At the end it prints a table, best evaluation first. Ctrl-C stops nothing.
    """
    output = output_of(ctx, json)
    stop = given(
        env_steps=env_steps, episode_return_mean=episode_return_mean, wall_time_s=wall_time_s, iterations=iterations
    )
    fixed = pairs(hyperparams or [], "--hyperparams")
    training = given(env=env, engine=engine, stop=stop, preset=preset, priority=priority)
    training |= {"hyperparameters": fixed, "evaluation": {"episodes": eval_episodes}}
    request = {
        "name": name,
        "training": training,
        "space": sweep_plan.space_of(grid or [], sample or [], fixed),
        "sampler": {"kind": "grid", "draws": trials_ if sample else 1},
        "seeds": sweep_plan.seeds_of(seeds),
        "seed": int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 2**31,
        "parallel": at_once,
    }
    folder = read_settings().state_dir / "sweeps"
    state = Sweep.load(folder, name, request)
    with connect(url, api_key) as client:
        require_stop(client, training)
        if state.study_id is None:
            once = f"sweep:{state.name}:{state.definition[:16]}"
            state.study_id = _start(client, request, once).id
            state.save(folder)
        study = _follow(client, client.study(state.study_id), output, name)
    _tell(output, name, study)
    sound = all(trial.state is TrialState.COMPLETED for trial in study.trials)
    raise typer.Exit(exit_codes.DONE if sound else exit_codes.FAILED)


def _start(client: Client, request: Mapping[str, Any], once: str) -> Study:
    try:
        return client.start_study(request, idempotency_key=once)
    except InvalidRequest as error:
        raise InvalidRequest(f"nothing was started: {error}", **error.extra) from None


def _follow(client: Client, study: Study, output: Output, name: str) -> Study:
    """Show how the trials of a study come and end, until it has ended; return it.

    Raises:
        SweepInterrupted: Ctrl-C.
    """
    chosen: dict[int, dict[str, Any]] = {}
    ended = 0
    try:
        with output.steps(name, study.request.planned_trials or 0) as advance:
            for event in client.events(study.id):
                if isinstance(event, StudyTrialSuggested):
                    chosen[event.trial] = dict(event.hyperparameters)
                ended += isinstance(event, StudyTrialFinished)
                _note(output, event, chosen)
                advance(ended, f"{len(chosen) - ended} running")
    except KeyboardInterrupt:
        raise SweepInterrupted(name, study.id) from None
    return client.study(study.id)


def _note(output: Output, event: Event, chosen: Mapping[int, Mapping[str, Any]]) -> None:
    match event:
        case StudyTrialStarted():
            values = chosen[event.trial]
            document = {"type": "started", "trial": event.trial, "seed": event.seed, "training_id": event.training_id}
            words = studies.values(values) or "as the preset says"
            output.note_of({**document, "hyperparameters": values}, f"{event.training_id}: {words} seed {event.seed}")
        case StudyTrialFinished():
            document = event.model_dump(mode="json", include={"trial", "state", "value", "trainings", "message"})
            output.note_of({"type": "finished", **document}, studies.event(event) or "")


def _tell(output: Output, name: str, study: Study) -> None:
    fixed = study.request.training.hyperparameters
    rows: list[dict[str, Any]] = []
    for trial in in_order(study.trials):
        returns = [each.episode_return_mean for each in trial.trainings if each.episode_return_mean is not None]
        rows.append(
            {
                "rank": trial.rank,
                "hyperparameters": merged(fixed, trial.hyperparameters),
                "mean": trial.value,
                "std": statistics.stdev(returns) if len(returns) > 1 else None,
                "interval": trial.interval.model_dump() if trial.interval is not None else None,
                "finished": len(returns),
                "runs": len(study.request.seeds),
            }
        )
    if output.lines:
        output.document({"type": "summary", "sweep": name, "study_id": study.id, "rows": rows}, "")
        return
    shown = [
        {
            "RANK": str(row["rank"]) if row["rank"] is not None else "",
            "RETURN": ""
            if row["mean"] is None
            else measure(row["mean"])
            if row["std"] is None
            else plus_minus(row["mean"], row["std"]),
            "SEEDS": f"{row['finished']}/{row['runs']}",
            "HYPERPARAMETERS": studies.values(row["hyperparameters"]) or "as the preset says",
        }
        for row in rows
    ]
    output.table([], shown, "no runs")
