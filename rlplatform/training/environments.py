"""What can be trained: environments by id, checked before anything is queued.

Importing this loads neither torch nor Ray. Not accepted: ids with a module to import (``module:Env-v0``); packages
register their environments through Gymnasium's plugin entry points instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlplatform.errors import InvalidRequest
from rlplatform.ppo.hyperparameters import Hyperparameters
from rlplatform.ppo.observations import ObservationEncoder
from rlplatform.ppo.presets import Preset, resolve, unknown_env
from rlplatform.training.models import Resources, TrainingRequest
from rlplatform.training.vector_env import VectorEnv, envpool_ids, make_vector_env

DEFAULT_NUM_ENVS = 8
MAX_ROLLOUT_BYTES = 4 << 30
"""Observations of one rollout, of all environments together: an update holds them about twice."""


def known_environments() -> frozenset[str]:
    """The id of every environment that Gymnasium or EnvPool has here, whether or not its dependencies are installed."""
    return frozenset(gym.registry) | envpool_ids()


def check_known(env: str) -> None:
    """Refuse an environment that nobody has. EnvPool, whose import takes a second, is asked last.

    :raises UnknownName: says which are near.
    """
    if env not in gym.registry and env not in known_environments():
        raise unknown_env(env, known_environments())


def probe(env: str, env_config: Mapping[str, Any]) -> VectorEnv:
    """One copy of the environment, to be closed by the caller.

    :raises UnknownName: there is no such environment; says which are near.
    :raises InvalidRequest: it cannot be made with ``env_config``, or its spaces are not covered.
    """
    check_known(env)
    made = make_vector_env(env, env_config, [0])
    try:
        observations, actions = made.single_observation_space, made.single_action_space
        several = made.backend == "sync" and isinstance(observations, spaces.Dict | spaces.Tuple)
        if several:
            for part in _parts(observations):
                _check_space(part, f"env: {env}'s observations", from_zero=True)
        else:
            _check_space(observations, f"env: {env}'s observations")
        _check_space(actions, f"env: {env}'s actions", from_zero=several)
        if isinstance(actions, spaces.Box) and not np.issubdtype(actions.dtype, np.floating):
            raise InvalidRequest(f"env: {env}'s actions are a Box of {actions.dtype}; floats are covered", field="env")
    except InvalidRequest:
        made.close()
        raise
    return made


def _parts(space: spaces.Space[Any]) -> Iterator[spaces.Space[Any]]:
    """What a Dict or a Tuple consists of in the end."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        for part in space.values() if isinstance(space, spaces.Dict) else space.spaces:
            yield from _parts(part)
    else:
        yield space


def _check_space(space: spaces.Space[Any], what: str, *, from_zero: bool = False) -> None:
    """``from_zero``: it is RLlib's own PPO that will train, which counts from 0 alone."""
    if not isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        covered = "Box, Discrete, MultiDiscrete and MultiBinary are covered"
        raise InvalidRequest(f"{what} are of {type(space).__name__}; {covered}", field="env")
    if from_zero and np.any(getattr(space, "start", 0)):
        why = "where observations have several parts, Discrete and MultiDiscrete spaces start at 0"
        raise InvalidRequest(f"{what} are of {space}; {why}", field="env")


def check_request(request: TrainingRequest) -> bool:
    """Refuse what cannot be trained, before it is queued. Whether its observations are images; False where nobody
    looks, with the simulated engine.

    :raises UnknownName: environment, preset or hyperparameter, with the nearest names.
    :raises InvalidRequest: names the field and says what is accepted.
    """
    check_known(request.env)
    hyperparameters, preset = resolve(request.env, request.preset, request.hyperparameters)
    hyperparameters.check(total_envs(request.resources, preset))
    if request.engine == "simulated":
        return False
    probed = probe(request.env, request.env_config)
    try:
        _check_rollout(hyperparameters.n_steps, total_envs(request.resources, preset), probed)
        if hyperparameters.use_sde and not isinstance(probed.single_action_space, spaces.Box):
            field = "hyperparameters.use_sde"
            raise InvalidRequest(f"{field}: {request.env} has no Box actions", field=field)
        space = probed.single_observation_space
        return not isinstance(space, spaces.Dict | spaces.Tuple) and ObservationEncoder.of(space).image
    finally:
        probed.close()


def _check_rollout(n_steps: int, n_envs: int, probed: VectorEnv) -> None:
    space = probed.single_observation_space
    if isinstance(space, spaces.Dict | spaces.Tuple):
        each = 4 * spaces.flatdim(space)
    else:
        encoder = ObservationEncoder.of(space)
        each = math.prod(encoder.shape) * encoder.dtype.itemsize
    size = n_steps * n_envs * each
    if size > MAX_ROLLOUT_BYTES:
        field = "hyperparameters.n_steps"
        raise InvalidRequest(
            f"{field}: a rollout of n_steps * n_envs = {n_steps} * {n_envs} observations of {each} bytes is "
            f"{size / 2**30:.1f} GiB; at most {MAX_ROLLOUT_BYTES / 2**30:g} GiB are accepted",
            field=field,
        )


def effective(request: TrainingRequest) -> tuple[Hyperparameters, Preset | None]:
    """The hyperparameters of a request: what is given, over its preset or the environment's own, over the defaults."""
    return resolve(request.env, request.preset, request.hyperparameters)


def envs_per_runner(resources: Resources, preset: Preset | None) -> int:
    """Environments of each env runner: what is asked for, else the preset's number split over the runners."""
    if resources.num_envs_per_env_runner is not None:
        return resources.num_envs_per_env_runner
    total = preset.n_envs if preset is not None else DEFAULT_NUM_ENVS
    return -(-total // max(1, resources.num_env_runners))


def total_envs(resources: Resources, preset: Preset | None) -> int:
    """Environments that sample in all."""
    return envs_per_runner(resources, preset) * max(1, resources.num_env_runners)
