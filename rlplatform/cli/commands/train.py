"""``rlp train``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from rlplatform.cli.formatting import trainings
from rlplatform.cli.ids import full_id
from rlplatform.cli.local_environment import is_local, push, require_ready, upload_of
from rlplatform.cli.local_reward import reward_of
from rlplatform.cli.options import ApiKey, Json, Labels, Name, Notes, Url, connect, given, labels_of, output_of, pairs
from rlplatform.cli.stop_criteria import require_stop
from rlplatform.cli.training_start import start_and_follow
from rlplatform.cli.wrapper_options import wrappers_of
from rlplatform.errors import InvalidRequest
from rlplatform.ids import Kind
from rlplatform.training.variations import continuation


def train(
    ctx: typer.Context,
    env: Annotated[
        str | None,
        typer.Option("--env", help="Gymnasium id, env_… of your own, or ./grid.py:GridWorld; `rlp env ls` lists them."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--from", help="Continue this training from its newest checkpoint, with its settings."),
    ] = None,
    algo: Annotated[str | None, typer.Option("--algo", help="The algorithm: ppo.", show_default="ppo")] = None,
    preset: Annotated[str | None, typer.Option(help="Tuned hyperparameters by name.")] = None,
    env_steps: Annotated[
        int | None, typer.Option("--env-steps", "-n", "--n-timesteps", help="Stop after so many steps in all.")
    ] = None,
    more_env_steps: Annotated[
        int | None, typer.Option(help="Stop so many steps after the checkpoint that is continued.")
    ] = None,
    episode_return_mean: Annotated[float | None, typer.Option(help="Stop at this return over 100 episodes.")] = None,
    wall_time_s: Annotated[float | None, typer.Option(help="Stop after so many seconds of training.")] = None,
    iterations: Annotated[int | None, typer.Option(help="Stop after so many iterations.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seeds everything.", show_default="0")] = None,
    engine: Annotated[
        str | None, typer.Option(help="rllib, or simulated: nothing is trained.", show_default="rllib")
    ] = None,
    hyperparams: Annotated[
        list[str] | None, typer.Option("--hyperparams", "-H", help="name:value, as Stable-Baselines3 names them.")
    ] = None,
    env_kwargs: Annotated[list[str] | None, typer.Option(help="name:value for the environment.")] = None,
    env_backend: Annotated[str | None, typer.Option(help="envpool, gymnasium or auto.")] = None,
    max_episode_steps: Annotated[int | None, typer.Option(help="Time limit of an episode, in steps.")] = None,
    wrapper: Annotated[
        list[str] | None,
        typer.Option(
            help="A wrapper with its settings, as frame_stack:n=4; may be given again. Others: time_aware, flatten, "
            "clip_reward, scale_reward."
        ),
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            metavar="FILE:FUNCTION",
            help="Train on a function's rewards, as ./reward.py:shaped. Returns stay the environment's own.",
        ),
    ] = None,
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
    if env is None and origin is None:
        raise InvalidRequest("give --env, or --from to continue a training", field="env")
    stop = given(
        env_steps=env_steps,
        more_env_steps=more_env_steps,
        episode_return_mean=episode_return_mean,
        wall_time_s=wall_time_s,
        iterations=iterations,
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
        wrappers=wrappers_of(wrapper) if wrapper else None,
        reward=reward_of(reward) if reward is not None else None,
        resources=given(num_env_runners=num_env_runners, num_envs_per_env_runner=num_envs, num_learners=num_learners),
        evaluation=given(every_iterations=eval_freq, episodes=eval_episodes),
        checkpoint=given(every_iterations=save_freq),
        priority=priority,
    )
    with connect(url, api_key) as client:
        if resume_from is not None:
            request["resume_from"] = full_id(client, resume_from, Kind.CHECKPOINT)
        if origin is None:
            require_stop(client, request)
        if env is not None and is_local(env):
            request["env"] = require_ready(push(client, output, upload_of(env))).id
        if origin is not None:
            continued = client.training(full_id(client, origin, Kind.TRAINING))
            request = continuation(continued, _by_part(request))
            require_stop(client, request)
        if dry_run:
            checked = client.check_training(request)
            output.document(checked, trainings.check(checked))
            return
        raise typer.Exit(start_and_follow(client, output, request, detach=detach))


def _by_part(request: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of a request by dotted name, so that those that were not given stay."""
    found: dict[str, Any] = {}
    for field, value in request.items():
        found |= (
            {f"{field}.{part}": each for part, each in value.items()} if isinstance(value, dict) else {field: value}
        )
    return found
