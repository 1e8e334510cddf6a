"""Checks of a training request, before anything is queued.

Importing this module loads neither Gymnasium nor torch nor Ray.
"""

from __future__ import annotations

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.presets import Preset, resolve
from rlplatform.environments.facts import EnvironmentFacts
from rlplatform.environments.options import EnvOptions
from rlplatform.errors import InvalidRequest
from rlplatform.training.models import CheckpointInfo, Resources, StopCriteria, Training, TrainingCheck, TrainingRequest

DEFAULT_NUM_ENVS = 8
MAX_ROLLOUT_BYTES = 4 << 30
"""Largest size in bytes of one rollout's observations, over all environments. An update holds about twice that."""


def check_hyperparameters(request: TrainingRequest) -> None:
    """Check preset and hyperparameters, without looking at the environment.

    Raises:
        UnknownName: a preset or a hyperparameter does not exist; suggests similar names.
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    hyperparameters.check(total_envs(request.resources, preset))


def planned(request: TrainingRequest) -> TrainingCheck:
    """Return the effective settings of ``request``.

    Raises:
        UnknownName, InvalidRequest: as :func:`check_hyperparameters`.
    """
    hyperparameters, preset = effective(request)
    num_envs = total_envs(request.resources, preset)
    each = None if request.engine == "simulated" else hyperparameters.n_steps * num_envs
    wanted = request.stop.env_steps
    return TrainingCheck(
        preset=preset.env if preset is not None else None,
        hyperparameters=hyperparameters.model_dump(mode="json"),
        num_envs=num_envs,
        env_steps_per_iteration=each,
        env_steps=-(-wanted // each) * each if wanted is not None and each is not None else None,
    )


def check_facts(request: TrainingRequest, facts: EnvironmentFacts) -> None:
    """Check the hyperparameters against the environment.

    Raises:
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    _check_rollout(hyperparameters.n_steps, total_envs(request.resources, preset), facts.observation_bytes)
    if hyperparameters.use_sde and not facts.box_actions:
        field = "hyperparameters.use_sde"
        raise InvalidRequest(f"{field}: {request.env} has no Box actions", field=field)


def _check_rollout(n_steps: int, n_envs: int, each: int) -> None:
    size = n_steps * n_envs * each
    if size > MAX_ROLLOUT_BYTES:
        field = "hyperparameters.n_steps"
        raise InvalidRequest(
            f"{field}: a rollout of n_steps * n_envs = {n_steps} * {n_envs} observations of {each} bytes is "
            f"{size / 2**30:.1f} GiB; at most {MAX_ROLLOUT_BYTES / 2**30:g} GiB are accepted",
            field=field,
        )


def effective(request: TrainingRequest) -> tuple[Hyperparameters, Preset | None]:
    """Return the hyperparameters of a request, and its preset.

    Given hyperparameters override the preset's (or the environment's own preset), which override the defaults.
    """
    return resolve(request.env, request.preset, request.hyperparameters)


def envs_per_runner(resources: Resources, preset: Preset | None) -> int:
    """Return the environments of each env runner: as requested, else the preset's number split over the runners."""
    if resources.num_envs_per_env_runner is not None:
        return resources.num_envs_per_env_runner
    total = preset.n_envs if preset is not None else DEFAULT_NUM_ENVS
    return -(-total // max(1, resources.num_env_runners))


def total_envs(resources: Resources, preset: Preset | None) -> int:
    """Return the total number of environments that sample."""
    return envs_per_runner(resources, preset) * max(1, resources.num_env_runners)


def check_request(request: TrainingRequest) -> bool:
    """Check that a request can be trained. Makes the environment in this process.

    Returns:
        True if its observations are images. False with the simulated engine, which makes no environment.

    Raises:
        UnknownName: environment, preset or hyperparameter does not exist; suggests similar names.
        InvalidRequest: names the field and says what is accepted.
    """
    from rlplatform.environments.probe import check_known, facts_of

    check_known(request.env)
    check_hyperparameters(request)
    if request.engine == "simulated":
        return False
    facts = facts_of(request.env, request.env_config, EnvOptions.of(request))
    check_facts(request, facts)
    return facts.image


def check_continues(stop: StopCriteria, parent: CheckpointInfo, trained: Training) -> None:
    """Refuse stop criteria that ``parent``, a checkpoint of ``trained``, has already met: the training would end at
    once.

    The training time is known for the newest checkpoint only, where it is the training's own.

    Raises:
        InvalidRequest: names the field, the value reached, and what is accepted.
    """
    newest = trained.progress.iteration == parent.iteration
    reached = {
        "env_steps": (parent.env_steps, f"{parent.env_steps:,} steps"),
        "iterations": (parent.iteration, f"{parent.iteration:,} iterations"),
        "wall_time_s": (trained.progress.train_wall_s if newest else 0.0, f"{trained.progress.train_wall_s:.1f} s"),
    }
    for name, (done, words) in reached.items():
        wanted = getattr(stop, name)
        if wanted is not None and wanted <= done:
            raise InvalidRequest(
                f"stop.{name} must be more than the {words} that checkpoint {parent.id} has done, which count; "
                f"got {wanted:,}",
                field=f"stop.{name}",
            )
