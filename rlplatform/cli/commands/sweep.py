"""``rlp sweep``: many trainings, over hyperparameters and seeds, and which did best."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.cli import exit_codes, sweep_plan
from rlplatform.cli.follow import Interrupted, summary
from rlplatform.cli.options import ApiKey, Json, Url, connect, output_of, pairs
from rlplatform.cli.output import Output
from rlplatform.cli.sweep_plan import Row, Sweep
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest, TooManyRequests
from rlplatform.settings import read_settings
from rlplatform.training.models import Training, TrainingState

POLL_S = 1.0
EVAL_EPISODES = 100
"""More than of a single training: ten episodes do not tell settings apart."""


class SweepInterrupted(Interrupted):
    """Ctrl-C: started trainings continue, the others are not started."""

    def __init__(self, name: str, active: Mapping[str, Training], left: int) -> None:
        watch = f"   Watch one: rlp runs watch {next(iter(active.values())).id}" if active else ""
        Exception.__init__(
            self,
            f"{len(active)} trainings continue, {left} are not started yet. "
            f"Continue: the same command again (its name is {name}).{watch}",
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
    """Train over hyperparameters and seeds, then print a table, best evaluation first. Ctrl-C stops no training."""
    output = output_of(ctx, json)
    stop = {
        "env_steps": env_steps,
        "episode_return_mean": episode_return_mean,
        "wall_time_s": wall_time_s,
        "iterations": iterations,
    }
    stop = {key: value for key, value in stop.items() if value is not None}
    if not stop and ALGORITHMS["ppo"].find_preset(preset or env) is None:
        raise InvalidRequest(
            "say when to stop: --env-steps, --episode-return-mean, --wall-time-s or --iterations. "
            "Only a preset knows a number of steps by itself, and only for a training that starts afresh",
            field="stop",
        )
    base: dict[str, Any] = {"env": env, "engine": engine} | ({"stop": stop} if stop else {})
    base |= {key: value for key, value in (("preset", preset), ("priority", priority)) if value is not None}
    base |= {"hyperparameters": pairs(hyperparams or [], "--hyperparams")}
    base |= {"evaluation": {"episodes": eval_episodes}}
    requests = sweep_plan.plan(base, grid or [], sample or [], trials_, sweep_plan.seeds_of(seeds), name)
    folder = read_settings().state_dir / "sweeps"
    state = Sweep.load(folder, name, requests)
    with connect(url, api_key) as client:
        ended = _Runner(client, output, state, folder, requests, at_once).run()
    _tell(output, name, sweep_plan.rank(requests, ended))
    sound = all(training.state is TrainingState.SUCCEEDED for training in ended.values())
    raise typer.Exit(exit_codes.DONE if sound else exit_codes.FAILED)


class _Runner:
    """Keeps so many trainings of a sweep going until all have ended."""

    def __init__(
        self,
        client: Client,
        output: Output,
        state: Sweep,
        folder: Path,
        requests: Mapping[str, Mapping[str, Any]],
        at_once: int,
    ) -> None:
        self._client = client
        self._output = output
        self._state = state
        self._folder = folder
        self._requests = requests
        self._at_once = at_once
        self._active: dict[str, Training] = {}
        self._ended: dict[str, Training] = {}

    def run(self) -> dict[str, Training]:
        """Run all trainings to their ends; return them by key.

        Raises:
            InvalidRequest: one of the settings cannot be trained; nothing was started.
            SweepInterrupted: Ctrl-C.
        """
        if not self._state.started:
            self._check()
        try:
            with self._output.steps(self._state.name, len(self._requests)) as advance:
                for key, training_id in self._state.started.items():
                    self._take(key, self._client.training(training_id))
                while len(self._ended) < len(self._requests):
                    self._fill()
                    advance(len(self._ended), _figures(self._active))
                    time.sleep(POLL_S)
                    for key, training in list(self._active.items()):
                        self._take(key, self._client.training(training.id))
                    advance(len(self._ended), _figures(self._active))
        except KeyboardInterrupt:
            left = len(self._requests) - len(self._ended) - len(self._active)
            raise SweepInterrupted(self._state.name, self._active, left) from None
        return self._ended

    def _check(self) -> None:
        """Have every setting checked, before the first training starts; seeds need no check."""
        settings = {str(request["hyperparameters"]): request for request in self._requests.values()}
        for request in settings.values():
            try:
                self._client.check_training(request)
            except InvalidRequest as error:
                raise InvalidRequest(
                    f"nothing was started; with {_words(request['hyperparameters'])}: {error}", **error.extra
                ) from None

    def _fill(self) -> None:
        """Start what is missing. What the platform refuses for now is asked for again, while others run."""
        for key, request in self._requests.items():
            if len(self._active) >= self._at_once:
                return
            if key in self._active or key in self._ended:
                continue
            try:
                once = f"sweep:{self._state.name}:{self._state.definition[:16]}:{key}"
                training = self._client.start_training(request, idempotency_key=once)
            except TooManyRequests:
                if not self._active:
                    raise
                return
            self._state.started[key] = training.id
            self._state.save(self._folder)
            hyperparameters = _words(request["hyperparameters"])
            self._output.note_of(
                {"type": "started", "key": key, "training_id": training.id, **request},
                f"{training.id}: {hyperparameters} seed {request['seed']}",
            )
            self._take(key, training)

    def _take(self, key: str, training: Training) -> None:
        if not training.state.final:
            self._active[key] = training
            return
        self._active.pop(key, None)
        self._ended[key] = training
        outcome = "" if training.evaluation is None else f", return {training.evaluation.episode_return_mean:.1f}"
        self._output.note_of(
            {**summary(training), "type": "finished", "key": key},
            f"{training.id}: {training.state.value}{outcome}{f' ({training.message})' if training.message else ''}",
        )


def _tell(output: Output, name: str, rows: list[Row]) -> None:
    documents = [{"rank": place, **row._asdict()} for place, row in enumerate(rows, 1)]
    if output.lines:
        output.document({"type": "summary", "sweep": name, "rows": documents}, "")
        return
    shown = [
        {
            "RANK": str(place),
            "RETURN": ""
            if row.mean is None
            else f"{row.mean:.1f}" + (f" ± {row.std:.1f}" if row.std is not None else ""),
            "SEEDS": f"{row.finished}/{row.runs}",
            "HYPERPARAMETERS": _words(row.hyperparameters),
        }
        for place, row in enumerate(rows, 1)
    ]
    output.table([], shown, "no runs")


def _words(hyperparameters: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in hyperparameters.items()) or "as the preset says"


def _figures(active: Mapping[str, Training]) -> str:
    states = Counter(training.state.value for training in active.values())
    steps = sum(training.progress.env_steps for training in active.values())
    return ", ".join([*(f"{count} {state}" for state, count in states.items()), f"{steps:,} steps"])
