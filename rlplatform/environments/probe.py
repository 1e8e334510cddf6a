"""Checks of environments and their spaces before a training is queued.

Importing this module loads neither torch nor Ray. ``module:Env-v0`` is accepted for the modules that the operator has
configured (``environment_modules``), and for no others.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rlplatform.environments import environment_modules
from rlplatform.environments.backends.atari import find_game
from rlplatform.environments.backends.envpool_backend import envpool_ids
from rlplatform.environments.backends.flattening import looks_like_image
from rlplatform.environments.factory import make_users, make_vector_env
from rlplatform.environments.facts import EnvironmentFacts
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.environments.spaces import FlatSpace
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.errors import InvalidRequest, UnknownName

_SPACES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
MAX_ONE_HOT = 16_384
"""Largest length of a one-hot observation; with more, an update would take too long."""


def known_environments() -> frozenset[str]:
    """Return the id of every environment that Gymnasium, a configured module or EnvPool registers here."""
    environment_modules.import_all()
    return frozenset(gym.registry) | envpool_ids()


def suggestions() -> frozenset[str]:
    """Return the known ids, except those recorded as impossible to make here."""
    from rlplatform.environments.recorded import impossible

    return known_environments() - impossible()


def check_known(env: str) -> str:
    """Check that an environment is registered. EnvPool is asked last, since its import takes a second.

    Returns:
        The id without the module that may precede it.

    Raises:
        UnknownName: it is not registered; suggests similar ids, and says how to add an environment.
    """
    if is_user_environment(env):
        return registry.find(env, field="env").label
    environment_modules.import_all()
    _, name = environment_modules.split(env)
    if name in gym.registry or name in envpool_ids():
        return name
    if (game := find_game(name)) is not None and game.envpool_id in envpool_ids():
        return name
    broken = "".join(f". {module} cannot be imported: {why}" for module, why in environment_modules.failures().items())
    raise UnknownName("environment", env, suggestions(), field="env", hint=f"{environment_modules.HOW_TO_ADD}{broken}")


def probe(env: str, env_config: Mapping[str, Any], options: EnvOptions = DEFAULT_OPTIONS) -> VectorEnv:
    """Make one copy of the environment, which the caller has to close.

    Raises:
        UnknownName: there is no such environment; suggests similar ids.
        InvalidRequest: it cannot be made with these options, or its spaces are not covered.
    """
    check_known(env)
    made = make_vector_env(env, env_config, [0], options=options)
    try:
        check_spaces(env, made.single_observation_space, made.single_action_space)
    except InvalidRequest:
        made.close()
        raise
    return made


def describe(env: str, made: VectorEnv) -> dict[str, Any]:
    """Return the manifest's description of the environment ``made``: backend, wrappers, limits, package."""
    name = env.rpartition(":")[2]
    module = environment_modules.module_of(name) if made.backend != "envpool" else None
    encoder = ObservationEncoder.of(made.single_observation_space)
    notes = list(made.notes)
    space = made.single_observation_space
    if isinstance(space, spaces.Box) and encoder.kind == "vector" and len(space.shape) > 1:
        what = f"observations {space.shape} {space.dtype} are flattened into a vector of {encoder.shape[0]} numbers"
        why = "; the convolutional network takes uint8 images [H, W, C] or [C, H, W] of at least 36 x 36"
        notes.append(what + (why if looks_like_image(space) else ""))
    return made.describe() | {
        "id": env,
        "package": environment_modules.version_of(module) if module is not None else None,
        "observations": encoder.kind,
        "notes": notes,
    }


def shared_spaces(observations: spaces.Space[Any], actions: spaces.Space[Any]) -> str:
    """Return a text that is equal for environments whose policies have the same network and the same actions.

    Bounds of observations are left out: nothing depends on them.
    """
    encoder = ObservationEncoder.of(observations)
    seen = observations.shape if isinstance(observations, spaces.Box) else observations
    masked = f" masked by {encoder.mask}" if encoder.mask is not None else ""
    described = f"{encoder.kind} {encoder.shape} of {seen} -> {actions}{masked}"
    return described if len(described) < 500 else hashlib.sha256(described.encode()).hexdigest()


def check_spaces(env: str, observations: spaces.Space[Any], actions: spaces.Space[Any]) -> None:
    """Check that a policy can be trained on the spaces.

    Raises:
        InvalidRequest: a space is not covered; says which ones are.
    """
    _check_observations(env, observations)
    if not isinstance(actions, _SPACES):
        raise InvalidRequest(
            f"env: {env}'s actions are {_short(actions)}; policies act on Box, Discrete, MultiDiscrete or MultiBinary. "
            "Make one of these of them, in the environment or with a gymnasium.ActionWrapper",
            field="env",
        )
    if isinstance(actions, spaces.Box) and not np.issubdtype(actions.dtype, np.floating):
        raise InvalidRequest(f"env: {env}'s actions are a Box of {actions.dtype}; floats are covered", field="env")


def _check_observations(env: str, space: spaces.Space[Any]) -> None:
    if not isinstance(space, _SPACES):
        raise InvalidRequest(
            f"env: {env}'s observations are {_short(space)}; Box, Discrete, MultiDiscrete, MultiBinary, and Dict and "
            "Tuple of these are covered. Make one of these of them with a gymnasium.ObservationWrapper",
            field="env",
        )
    one_hot = ObservationEncoder.of(space).shape[0] if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) else 0
    if isinstance(space, FlatSpace):
        one_hot = sum(part.size for part in space.parts if part.space.kind in ("discrete", "multi_discrete"))
    if one_hot > MAX_ONE_HOT:
        raise InvalidRequest(
            f"env: {env}'s observations are {space}: one-hot they are {one_hot} numbers, and at most "
            f"{MAX_ONE_HOT} are trained on, since every update passes over a weight for each. Use an environment that "
            "describes its state by fewer numbers, for example coordinates in a Box or a MultiDiscrete",
            field="env",
        )


def _short(space: spaces.Space[Any]) -> str:
    text = str(space)
    return text if len(text) <= 120 else f"of {type(space).__name__}"


def facts_of(
    env: str,
    env_config: Mapping[str, Any],
    options: EnvOptions = DEFAULT_OPTIONS,
) -> EnvironmentFacts:
    """Make the environment once, and return the facts that a request is checked against.

    Raises:
        UnknownName: there is no such environment; suggests similar ids.
        InvalidRequest: it cannot be made with ``env_config``, or cannot be trained.
    """
    probed = probe(env, env_config, options)
    try:
        return facts_of_made(probed)
    finally:
        probed.close()


def facts_of_made(made: VectorEnv) -> EnvironmentFacts:
    """Return the facts of an environment that was made."""
    encoder = ObservationEncoder.of(made.single_observation_space)
    return EnvironmentFacts(
        image=encoder.image,
        observation_bytes=math.prod(encoder.shape) * encoder.dtype.itemsize,
        box_actions=isinstance(made.single_action_space, spaces.Box),
        masked=encoder.mask is not None,
        backend=made.backend,
        max_episode_steps=made.max_episode_steps,
        spaces=shared_spaces(made.single_observation_space, made.single_action_space),
    )


def facts_of_code(code: UserCode, env_config: Mapping[str, Any], options: EnvOptions) -> EnvironmentFacts:
    """Return the facts of a user's environment without running it.

    Raises:
        InvalidRequest: it cannot be trained with these options.
    """
    made = make_users(code, env_config, [0], options)
    check_spaces(code.label, made.single_observation_space, made.single_action_space)
    return facts_of_made(made)
