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
from rlplatform.ppo.observations import ObservationEncoder
from rlplatform.ppo.presets import unknown_env
from rlplatform.training.facts import (
    EnvironmentFacts,
    check_facts,
    check_hyperparameters,
    effective,
    envs_per_runner,
    total_envs,
)
from rlplatform.training.models import TrainingRequest
from rlplatform.training.vector_env import VectorEnv, envpool_ids, make_vector_env

__all__ = ["check_facts", "check_hyperparameters", "effective", "envs_per_runner", "total_envs"]


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


def facts_of(env: str, env_config: Mapping[str, Any]) -> EnvironmentFacts:
    """Make the environment once, and return what a request is checked against.

    Raises:
        UnknownName: there is no such environment; says which are near.
        InvalidRequest: it cannot be made with ``env_config``, or cannot be trained.
    """
    probed = probe(env, env_config)
    try:
        space = probed.single_observation_space
        if isinstance(space, spaces.Dict | spaces.Tuple):
            image, size = False, 4 * spaces.flatdim(space)
        else:
            encoder = ObservationEncoder.of(space)
            image, size = encoder.image, math.prod(encoder.shape) * encoder.dtype.itemsize
        return EnvironmentFacts(
            image=image,
            observation_bytes=size,
            box_actions=isinstance(probed.single_action_space, spaces.Box),
            backend=probed.backend,
            max_episode_steps=probed.max_episode_steps,
        )
    finally:
        probed.close()


def check_request(request: TrainingRequest) -> bool:
    """Refuse what cannot be trained, making the environment in this process. Whether its observations are images; False
    where nobody looks, with the simulated engine.

    :raises UnknownName: environment, preset or hyperparameter, with the nearest names.
    :raises InvalidRequest: names the field and says what is accepted.
    """
    check_known(request.env)
    check_hyperparameters(request)
    if request.engine == "simulated":
        return False
    facts = facts_of(request.env, request.env_config)
    check_facts(request, facts)
    return facts.image
