"""Make vector environments with one interface: EnvPool, Gymnasium's vector entry points, and SyncVectorEnv.

Dict and Tuple observations are flattened into one vector. Not covered: environments stepped in separate processes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym

from rlplatform.environments import environment_modules
from rlplatform.environments.action_masks import info_key
from rlplatform.environments.backends.atari import AtariGame, find_game, make_atari
from rlplatform.environments.backends.envpool_backend import envpool_ids, make_envpool
from rlplatform.environments.backends.flattening import flatten
from rlplatform.environments.backends.gymnasium_backend import make_gym, takes_limit
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions, split_config
from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.user_code import UserCode, is_user_environment
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.environments.wrappers.chain import wrap
from rlplatform.errors import InvalidRequest


def make_vector_env(
    env: str,
    env_config: Mapping[str, Any],
    seeds: Sequence[int],
    *,
    options: EnvOptions = DEFAULT_OPTIONS,
    training: bool = True,
    threads: int = 1,
    rendered: bool = False,
) -> VectorEnv:
    """Make ``len(seeds)`` copies of ``env``, one seed each (a vector entry point uses the first for all).

    Backend "auto" takes Gymnasium's own vector entry point if there is one, then EnvPool if it has the environment,
    else SyncVectorEnv. Gymnasium comes first with ``env_config`` (keyword arguments of the Gymnasium environment, or
    EnvPool's options for one that only EnvPool has), and for ``module:Env-v0``. Atari games are preprocessed as in Mnih
    et al. 2015. With ``training``, losing a life ends the episode, and rewards are clipped to their sign, or are those
    of the reward function that is installed. With ``rendered``, :meth:`~VectorEnv.frame` gives pictures, if the
    environment has any.

    Raises:
        InvalidRequest: the environment cannot be made with these options; names ``env``, ``env_config`` or
            ``env_backend``.
    """
    if is_user_environment(env):
        code = registry.find(env, field="env")
        return make_users(code, env_config, seeds, options, training=training, rendered=rendered)
    environment_modules.import_all()
    module, name = environment_modules.split(env)
    config, options, notes = split_config(env_config, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = _make(name, config, seeds, options, training, threads, by_package=module is not None, rendered=rendered)
    made.notes = (*made.notes, *notes)
    return _wrapped(made, name, options, training=training)


def make_registered(env: str, seeds: Sequence[int], options: EnvOptions, *, rendered: bool = False) -> VectorEnv:
    """Make copies of ``env`` as graders play it: as it is registered, each copy by itself, without preprocessing.

    Raises:
        InvalidRequest: the environment cannot be made.
    """
    if is_user_environment(env):
        return make_users(registry.find(env, field="env"), {}, seeds, options, rendered=rendered)
    environment_modules.import_all()
    if env not in gym.registry:
        raise InvalidRequest(f"env: {env} cannot be made here: nothing registers it", field="env")
    return make_gym(env, "sync", seeds, {}, options.max_episode_steps, rendered=rendered)


def make_users(
    code: UserCode,
    env_config: Mapping[str, Any],
    seeds: Sequence[int],
    options: EnvOptions,
    *,
    training: bool = False,
    rendered: bool = False,
) -> VectorEnv:
    """Make copies of a user's environment, which start with the first reset.

    Raises:
        InvalidRequest: it cannot be made with these options, or has no contract.
    """
    env = code.label
    if options.backend != "auto":
        raise InvalidRequest(
            f"env_backend: {env} is stepped in a sandbox; leave env_backend out, not {options.backend}",
            field="env_backend",
        )
    config, options, notes = split_config(env_config, options)
    made = registry.make(code, config, seeds, options, rendered=rendered)
    made.notes = notes
    return _wrapped(made, env, options, training=training)


def _wrapped(made: VectorEnv, name: str, options: EnvOptions, *, training: bool) -> VectorEnv:
    """Add the reward function, for ``training``, then flattening, then the wrappers of ``options``."""
    flat = flatten(registry.rewarded(made) if training else made, name)
    return wrap(flat, options.wrappers, training=training)


def _make(
    env: str,
    config: dict[str, Any],
    seeds: Sequence[int],
    options: EnvOptions,
    training: bool,
    threads: int,
    *,
    by_package: bool,
    rendered: bool,
) -> VectorEnv:
    game, limit = find_game(env), options.max_episode_steps
    if config.get("obs_type", "rgb") != "rgb":  # the console's memory, which is not preprocessed
        game = None
    spec = gym.registry.get(env)
    if (mask := info_key(options.wrappers)) is not None:
        _check_has_info(env, options, known=spec is not None and game is None)
        return make_gym(env, "sync", seeds, config, limit, rendered=rendered, mask=mask)
    pooled = env if env in _envpool_ids_if_needed(env, options) else _envpool_name(game, options)
    if options.backend == "envpool":
        if pooled is None:
            raise InvalidRequest(
                f"env_backend: EnvPool does not have {env}; use auto or gymnasium", field="env_backend"
            )
        config = _pooled_config(game, env, pooled, config)
        return make_envpool(pooled, seeds, config, limit, training, threads, rendered=rendered)
    if spec is None and options.backend == "gymnasium":
        raise InvalidRequest(
            f"env_backend: Gymnasium does not have {env} here; use auto or envpool. {environment_modules.HOW_TO_ADD}.",
            field="env_backend",
        )
    if spec is None or (pooled == env and options.backend == "auto" and not config and not by_package):
        if pooled is None:
            raise InvalidRequest(f"env: {env} cannot be made here: nothing registers it", field="env")
        config = _pooled_config(game, env, pooled, config)
        made: VectorEnv = make_envpool(pooled, seeds, config, limit, training, threads, rendered=rendered)
        if (module := environment_modules.module_of(env)) is not None:
            made.notes += (
                f"EnvPool's own {env} is used, not that of {module}; env_backend gymnasium chooses the other",
            )
        return made
    if game is not None and game.rom is not None:
        return make_atari(env, game.rom, seeds, config, limit, training)
    vector = spec.vector_entry_point is not None and takes_limit(spec, limit)
    return make_gym(env, "vector_entry_point" if vector else "sync", seeds, config, limit, rendered=rendered)


def _check_has_info(env: str, options: EnvOptions, *, known: bool) -> None:
    """Refuse a mask of ``info`` where EnvPool steps the environment, which has no such info."""
    if not known or options.backend == "envpool":
        raise InvalidRequest(
            f"wrappers: action_mask with source info takes Gymnasium's environments; {env} is EnvPool's",
            field="wrappers",
        )


def _envpool_ids_if_needed(env: str, options: EnvOptions) -> frozenset[str]:
    """Return EnvPool's ids; empty if Gymnasium suffices, since importing EnvPool takes a second."""
    spec = gym.registry.get(env)
    if options.backend == "gymnasium" or (options.backend == "auto" and spec is not None and spec.vector_entry_point):
        return frozenset()
    return envpool_ids()


def _envpool_name(game: AtariGame | None, options: EnvOptions) -> str | None:
    """Return EnvPool's id of an Atari game with another id in ALE (``ALE/Pong-v5``, ``PongNoFrameskip-v4``)."""
    if game is None or options.backend == "gymnasium" or (game.rom is not None and options.backend == "auto"):
        return None
    return game.envpool_id if game.envpool_id in envpool_ids() else None


def _pooled_config(game: AtariGame | None, env: str, pooled: str, config: dict[str, Any]) -> dict[str, Any]:
    """Add the sticky actions that ALE's id implies to the configuration of EnvPool's game."""
    if game is None or env == pooled or "repeat_action_probability" in config:
        return config
    return {"repeat_action_probability": game.repeat_action_probability, **config}
