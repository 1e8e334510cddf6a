"""``rlp train``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.cli import exit_codes, formatting
from rlplatform.cli.follow import follow_training, page_of, summary
from rlplatform.cli.ids import full_id
from rlplatform.cli.local_environment import is_local, push, require_ready, upload_of
from rlplatform.cli.options import ApiKey, Json, Labels, Name, Notes, Url, connect, given, labels_of, output_of, pairs
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.training.models import TrainingState


def train(
    ctx: typer.Context,
    env: Annotated[
        str,
        typer.Option("--env", help="Gymnasium id, env_… of your own, or ./grid.py:GridWorld; `rlp env ls` lists them."),
    ],
    algo: Annotated[str, typer.Option("--algo", help="The algorithm: ppo.")] = "ppo",
    preset: Annotated[str | None, typer.Option(help="Tuned hyperparameters by name.")] = None,
    env_steps: Annotated[
        int | None, typer.Option("--env-steps", "-n", "--n-timesteps", help="Stop after so many steps.")
    ] = None,
    episode_return_mean: Annotated[float | None, typer.Option(help="Stop at this return over 100 episodes.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Stop after so many seconds of training.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Stop after so many iterations.")] = None,
    seed: Annotated[int, typer.Option(help="Seeds everything.")] = 0,
    engine: Annotated[str, typer.Option(help="rllib, or simulated: nothing is trained.")] = "rllib",
    hyperparams: Annotated[
        list[str] | None, typer.Option("--hyperparams", "-H", help="name:value, as Stable-Baselines3 names them.")
    ] = None,
    env_kwargs: Annotated[list[str] | None, typer.Option(help="name:value for the environment.")] = None,
    env_backend: Annotated[str | None, typer.Option(help="envpool, gymnasium or auto.")] = None,
    max_episode_steps: Annotated[int | None, typer.Option(help="Time limit of an episode, in steps.")] = None,
    num_env_runners: Annotated[int | None, typer.Option(help="Processes that sample; 0: the trainer itself.")] = None,
    num_envs: Annotated[int | None, typer.Option(help="Environments in each of them.")] = None,
    num_learners: Annotated[int | None, typer.Option(help="Processes that learn; 0: the trainer itself.")] = None,
    eval_freq: Annotated[
        int | None, typer.Option(help="Evaluate the policy every so many iterations; 0, the default: at the end.")
    ] = None,
    eval_episodes: Annotated[int | None, typer.Option(help="Episodes of a policy evaluation.")] = None,
    save_freq: Annotated[int | None, typer.Option(help="Checkpoint every so many iterations.")] = None,
    resume_from: Annotated[
        str | None, typer.Option(help="Continue from this checkpoint: its id, or the beginning or end of it.")
    ] = None,
    name: Name = None,
    label: Labels = None,
    notes: Notes = None,
    priority: Annotated[
        Literal["high", "normal", "low"] | None,
        typer.Option(help="Among the tenant's own; high needs scope admin."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, show what would be trained, start nothing.")
    ] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, print its id, do not follow.")] = False,
    json: Json = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Train a policy with PPO, and follow it to its end. Ctrl-C leaves it running."""
    output = output_of(ctx, json)
    stop = given(
        env_steps=env_steps, episode_return_mean=episode_return_mean, wall_time_s=wall_time_s, iterations=iterations
    )
    if not stop and (resume_from is not None or ALGORITHMS["ppo"].find_preset(preset or env) is None):
        raise InvalidRequest(
            "say when to stop: --env-steps, --episode-return-mean, --wall-time-s or --iterations. "
            "Only a preset knows a number of steps by itself, and only for a training that starts afresh",
            field="stop",
        )
    request = given(
        name=name,
        labels=labels_of(label),
        notes=notes,
        env=env,
        algorithm=algo,
        engine=engine,
        seed=seed,
        preset=preset,
        stop=stop,
        hyperparameters=pairs(hyperparams or [], "--hyperparams"),
        env_config=pairs(env_kwargs or [], "--env-kwargs"),
        env_backend=env_backend,
        max_episode_steps=max_episode_steps,
        resources=given(num_env_runners=num_env_runners, num_envs_per_env_runner=num_envs, num_learners=num_learners),
        evaluation=given(every_iterations=eval_freq, episodes=eval_episodes),
        checkpoint=given(every_iterations=save_freq),
        resume_from=resume_from,
        priority=priority,
    )
    with connect(url, api_key) as client:
        if is_local(env):
            env = request["env"] = require_ready(push(client, output, upload_of(env))).id
        if resume_from is not None:
            request["resume_from"] = full_id(client, resume_from, Kind.CHECKPOINT)
        if dry_run:
            checked = client.check_training(request)
            output.document(checked, formatting.check(checked))
            return
        if told := formatting.beforehand(client.check_training(request), env, env_steps):
            output.note(told)
        training = client.start_training(request)
        page = f"page: {page_of(client, training)}"
        if detach:
            output.document(training, training.id)
            output.note(page)
            return
        output.note(f"{training.id}: {env} with {algo}\n{page}")
        if not stop:
            output.note(f"stops after {training.request.stop.env_steps:,} steps, as its preset says")
        training = follow_training(client, training, output)
    output.document(summary(training), formatting.training(training))
    raise typer.Exit(exit_codes.FAILED if training.state is TrainingState.FAILED else exit_codes.DONE)
