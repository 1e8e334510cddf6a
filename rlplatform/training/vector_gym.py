"""Gymnasium's vector environments: an environment's own vector entry point, or SyncVectorEnv."""

from __future__ import annotations

import functools
import inspect
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode

from rlplatform.errors import InvalidRequest
from rlplatform.training.vector_base import Array, Backend, Step, VectorEnv

_SAVEABLE = "gymnasium.envs.classic_control."


class GymVectorEnv(VectorEnv):
    """A Gymnasium vector environment."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any], backend: Backend, seeds: Sequence[int]) -> None:
        """:raises InvalidRequest: the environment does not say how it resets, or resets in another way."""
        super().__init__(len(seeds))
        self.backend = backend
        self._env = env
        self._seeds: Sequence[int] | None = seeds
        modes = {AutoresetMode.NEXT_STEP: "next_step", AutoresetMode.SAME_STEP: "same_step"}
        mode = (env.metadata or {}).get("autoreset_mode")
        if mode not in modes:
            raise InvalidRequest(f"env: its autoreset mode is {mode}; NEXT_STEP and SAME_STEP are handled", field="env")
        self.autoreset = modes[mode]  # type: ignore[assignment]
        self.single_observation_space = env.single_observation_space
        self.single_action_space = env.single_action_space
        self.max_episode_steps = env.spec.max_episode_steps if env.spec is not None else None

    def reset(self) -> Array:
        seeds, self._seeds = self._seeds, None
        if seeds is None:
            obs, _ = self._env.reset()
        elif self.backend == "sync":
            obs, _ = self._env.reset(seed=list(seeds))  # type: ignore[arg-type]
        else:
            obs, _ = self._env.reset(seed=seeds[0])
        return np.asarray(obs)

    def step(self, actions: Array) -> Step:
        obs, rewards, terminated, truncated, info = self._env.step(actions)
        finals = None
        if self.autoreset == "same_step" and "final_obs" in info:
            index = np.flatnonzero(info["_final_obs"])
            finals = np.stack([info["final_obs"][i] for i in index]), index
        return Step(obs, rewards, terminated, truncated, finals)

    def get_state(self) -> bytes | None:
        envs = getattr(self._env, "envs", [self._env])
        if not all(type(env.unwrapped).__module__.startswith(_SAVEABLE) for env in envs):
            return None
        return pickle.dumps((self._seeds, self._env))

    def set_state(self, state: bytes) -> None:
        self._env.close()
        self._seeds, self._env = pickle.loads(state)

    def close(self) -> None:
        self._env.close()


def make_gym(env: str, backend: Backend, seeds: Sequence[int], env_config: Mapping[str, Any]) -> GymVectorEnv:
    """One copy a seed. :raises InvalidRequest: it cannot be made as asked; names ``env`` or ``env_config``."""
    return GymVectorEnv(_make(env, backend, len(seeds), env_config), backend, seeds)


def _make(env: str, backend: Backend, num_envs: int, env_config: Mapping[str, Any]) -> Any:
    _check_config(env, backend, env_config)
    try:
        if backend == "vector_entry_point":
            return gym.make_vec(env, num_envs=num_envs, vectorization_mode=backend, **env_config)
        make = [functools.partial(gym.make, env, disable_env_checker=True, **env_config)] * num_envs
        return gym.vector.SyncVectorEnv(make, copy=False, autoreset_mode=AutoresetMode.NEXT_STEP)
    except gym.error.DependencyNotInstalled as error:
        raise InvalidRequest(f"env: {env} needs what is not installed here: {error}", field="env") from error
    except TypeError as error:
        raise InvalidRequest(f"env_config: {env} does not take it: {error}", field="env_config") from error
    except Exception as error:
        raise InvalidRequest(f"env: {env} cannot be made here: {error}", field="env") from error


def _check_config(env: str, backend: Backend, env_config: Mapping[str, Any]) -> None:
    """Refuse names that the environment's constructor does not have, before it is half built, and files of ours."""
    if "xml_file" in env_config:
        raise InvalidRequest("env_config.xml_file: files of this machine are not read", field="env_config.xml_file")
    spec = gym.registry[env]
    entry = spec.vector_entry_point if backend == "vector_entry_point" else spec.entry_point
    try:
        creator = entry if callable(entry) else load_env_creator(str(entry))
    except Exception:
        return
    parameters = inspect.signature(creator).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    accepted = sorted(set(parameters) - {"num_envs", "render_mode"})
    for name in env_config:
        if name not in accepted:
            field = f"env_config.{name}"
            raise InvalidRequest(f"{field}: {env} takes {', '.join(accepted) or 'nothing'}", field=field)
