"""Checks of a training request, before anything is queued.

Importing this module loads neither Gymnasium nor torch nor Ray.
"""

from __future__ import annotations

from pydantic import BaseModel

from rlplatform.algorithms.base import Preset
from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.environments.facts import EnvironmentFacts
from rlplatform.errors import InvalidRequest
from rlplatform.training.models import CheckpointInfo, Resources, StopCriteria, Training, TrainingCheck, TrainingRequest

DEFAULT_NUM_ENVS = 8


def check_hyperparameters(request: TrainingRequest) -> None:
    """Check preset and hyperparameters, without looking at the environment.

    Raises:
        UnknownName: a preset or a hyperparameter does not exist; suggests similar names.
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    ALGORITHMS[request.algorithm].check(hyperparameters, total_envs(request.resources, preset))


def planned(request: TrainingRequest) -> TrainingCheck:
    """Return the effective settings of ``request``.

    Raises:
        UnknownName, InvalidRequest: as :func:`check_hyperparameters`.
    """
    hyperparameters, preset = effective(request)
    num_envs = total_envs(request.resources, preset)
    algorithm = ALGORITHMS[request.algorithm]
    iteration = rollout = None
    if request.engine != "simulated":
        iteration = algorithm.env_steps_per_iteration(hyperparameters, num_envs)
        rollout = algorithm.env_steps_per_rollout(hyperparameters, num_envs)
    wanted = request.stop.env_steps
    return TrainingCheck(
        preset=preset.env if preset is not None else None,
        hyperparameters=hyperparameters.model_dump(mode="json"),
        num_envs=num_envs,
        env_steps_per_iteration=iteration,
        env_steps_per_rollout=rollout,
        env_steps=-(-wanted // rollout) * rollout if wanted is not None and rollout is not None else None,
    )


def continued(request: TrainingRequest, parent: CheckpointInfo) -> TrainingRequest:
    """Return ``request`` as it is stored: continuing from ``parent`` by its id, with all steps counted."""
    stop = request.stop.counted_from(parent.env_steps)
    return request.model_copy(update={"resume_from": parent.id, "stop": stop})


def check_facts(request: TrainingRequest, facts: EnvironmentFacts) -> None:
    """Check the hyperparameters against the environment.

    Raises:
        InvalidRequest: names the field and says what is accepted.
    """
    hyperparameters, preset = effective(request)
    num_envs = total_envs(request.resources, preset)
    ALGORITHMS[request.algorithm].check_environment(hyperparameters, request.env, facts, num_envs)


def effective(request: TrainingRequest) -> tuple[BaseModel, Preset | None]:
    """Return the hyperparameters of a request, and its preset: what is given, over the preset, over the defaults."""
    return ALGORITHMS[request.algorithm].resolve(request.env, request.preset, request.hyperparameters)


def envs_per_runner(resources: Resources, preset: Preset | None) -> int:
    """Return the environments of each env runner: as asked for, else the preset's number split over the runners."""
    if resources.num_envs_per_env_runner is not None:
        return resources.num_envs_per_env_runner
    total = preset.n_envs if preset is not None else DEFAULT_NUM_ENVS
    return -(-total // max(1, resources.num_env_runners))


def total_envs(resources: Resources, preset: Preset | None) -> int:
    """Return the number of environments that sample, of all env runners together."""
    return envs_per_runner(resources, preset) * max(1, resources.num_env_runners)


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
                f"got {wanted:,}" + (". Give more_env_steps to count from there" if name == "env_steps" else ""),
                field=f"stop.{name}",
            )
