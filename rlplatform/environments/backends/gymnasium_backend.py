"""Gymnasium's vector environments: an environment's own vector entry point, or SyncVectorEnv."""

from __future__ import annotations

import functools
import importlib
import inspect
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode

from rlplatform.environments.action_masks import InfoMask
from rlplatform.environments.backends.refusal import refusal
from rlplatform.environments.vector_env import Array, Backend, Step, TimeLimit, VectorEnv
from rlplatform.errors import InvalidRequest

_SAVEABLE = "gymnasium.envs.classic_control."
_FAMILY_WRAPPERS = {"minigrid": ("minigrid.wrappers", "FlatObsWrapper")}
"""Wrapper for the environments of a package whose observations contain text; without it they cannot be trained on."""
_Around = Callable[[Any], Any]
_EXTRAS = {
    "gymnasium.envs.box2d": "Box2D pygame",
    "gymnasium.envs.mujoco": "mujoco imageio",
    "gymnasium.envs.toy_text": "pygame",
    "ale_py": "ale-py",
}


class GymVectorEnv(VectorEnv):
    """A Gymnasium vector environment."""

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        backend: Backend,
        seeds: Sequence[int],
        time_limit: TimeLimit | None = None,
    ) -> None:
        """Wrap ``env``.

        Raises:
            InvalidRequest: the environment's autoreset mode is unknown, or is neither NEXT_STEP nor SAME_STEP.
        """
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
        self.time_limit = time_limit
        self._single: gym.Env[Any, Any] | None = None
        if env.render_mode is not None and isinstance(env.unwrapped, CartPoleVectorEnv):  # it draws all of its copies
            self._single = gym.make("CartPole-v1", render_mode=env.render_mode)
            self._single.reset()

    def reset(self) -> Any:
        seeds, self._seeds = self._seeds, None
        if seeds is None:
            obs, _ = self._env.reset()
        elif self.backend == "sync":
            obs, _ = self._env.reset(seed=list(seeds))  # type: ignore[arg-type]
        else:
            obs, _ = self._env.reset(seed=seeds[0])
        return obs if isinstance(obs, Mapping | tuple) else np.asarray(obs)

    def step(self, actions: Array) -> Step:
        obs, rewards, terminated, truncated, info = self._env.step(actions)
        finals = None
        if self.autoreset == "same_step" and "final_obs" in info:
            index = np.flatnonzero(info["_final_obs"])
            finals = np.stack([info["final_obs"][i] for i in index]), index
        return Step(obs, rewards, terminated, truncated, finals)

    @property
    def frames_per_s(self) -> float | None:
        pace = (self._env.metadata or {}).get("render_fps")
        return float(pace) if pace else None

    def frame(self, place: int) -> Array | None:
        if self._env.render_mode is None:
            return None
        envs = getattr(self._env, "envs", None)
        if envs is not None:
            frame: Any = envs[place].render()
        elif self._single is not None:
            self._single.unwrapped.state = self._env.unwrapped.state[:, place]  # type: ignore[attr-defined]
            frame = self._single.render()
        else:
            frame = (self._env.render() or ())[place]
        return None if frame is None else np.asarray(frame)

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


def takes_limit(spec: EnvSpec, asked: int | None) -> bool:
    """True if the vector entry point of ``spec`` can enforce the requested time limit."""
    if TimeLimit.of(asked, spec.max_episode_steps).source == "environment":
        return True
    if (creator := _creator(spec.vector_entry_point)) is None:
        return False
    return "max_episode_steps" in inspect.signature(creator).parameters or spec.entry_point is None


def make_gym(
    env: str,
    backend: Backend,
    seeds: Sequence[int],
    env_config: Mapping[str, Any],
    asked: int | None,
    *,
    rendered: bool = False,
    mask: str | None = None,
) -> GymVectorEnv:
    """Make one copy for each seed, with episodes of at most ``asked`` steps, and with pictures if ``rendered``.

    With ``mask``, the action mask that ``info`` has under this key is a part of the observations (backend sync).

    Raises:
        InvalidRequest: the environment cannot be made with these options; names ``env`` or ``env_config``.
    """
    spec = gym.registry[env]
    limit = TimeLimit.of(asked, spec.max_episode_steps)
    wrapper = _family_wrapper(spec)
    if wrapper is not None:
        backend = "sync"
    _check_config(env, backend, env_config)
    config = dict(env_config)
    if rendered and _draws(spec, backend):
        config["render_mode"] = "rgb_array"
    around: list[_Around] = [wrapper] if wrapper is not None else []
    if mask is not None:
        around.append(functools.partial(InfoMask, key=mask))
    made = GymVectorEnv(_make(env, backend, len(seeds), config, limit, around), backend, seeds, limit)
    made.wrappers = (wrapper.__name__,) if wrapper is not None else ()
    return made


def _make(
    env: str,
    backend: Backend,
    num_envs: int,
    env_config: dict[str, Any],
    limit: TimeLimit,
    around: Sequence[_Around],
) -> Any:
    spec = gym.registry[env]
    try:
        if backend == "vector_entry_point":
            if limit.source == "environment" or _takes(spec.vector_entry_point, "max_episode_steps"):
                env_config["max_episode_steps"] = limit.steps
            return gym.make_vec(env, num_envs=num_envs, vectorization_mode=backend, **env_config)
        make = functools.partial(
            _make_one, env, around, {**env_config, "max_episode_steps": limit.steps, "disable_env_checker": True}
        )
        return gym.vector.SyncVectorEnv([make] * num_envs, copy=False, autoreset_mode=AutoresetMode.NEXT_STEP)
    except InvalidRequest:
        raise
    except (gym.error.DependencyNotInstalled, ImportError) as error:
        raise InvalidRequest(
            f"env: {env} needs what is not installed here: {error}{_advice(spec)}", field="env"
        ) from error
    except Exception as error:
        raise refusal(env, env_config, error) from error


def _draws(spec: EnvSpec, backend: Backend) -> bool:
    """True if the environment says that it can be drawn as an array of pixels."""
    creator = _creator(spec.vector_entry_point if backend == "vector_entry_point" else spec.entry_point)
    return "rgb_array" in (getattr(creator, "metadata", None) or {}).get("render_modes", ())


def _make_one(env: str, around: Sequence[_Around], kwargs: dict[str, Any]) -> Any:
    made: Any = gym.make(env, **kwargs)
    for wrap in around:
        made = wrap(made)
    return made


def _family_wrapper(spec: EnvSpec) -> type[gym.Wrapper[Any, Any, Any, Any]] | None:
    module, name = _FAMILY_WRAPPERS.get(str(spec.entry_point).partition(".")[0], (None, ""))
    return getattr(importlib.import_module(module), name) if module is not None else None


def _advice(spec: EnvSpec) -> str:
    packages = next((names for prefix, names in _EXTRAS.items() if str(spec.entry_point).startswith(prefix)), None)
    return f". Install it on every node: pip install {packages}" if packages else ""


def _creator(entry: Any) -> Any:
    """Return the callable that makes an environment; None if it cannot be imported here."""
    try:
        return entry if callable(entry) else load_env_creator(str(entry))
    except Exception:
        return None


def _takes(entry: Any, name: str) -> bool:
    creator = _creator(entry)
    return creator is not None and name in inspect.signature(creator).parameters


def _check_config(env: str, backend: Backend, env_config: Mapping[str, Any]) -> None:
    """Refuse names that the environment's constructor does not have, before the environment is built."""
    spec = gym.registry[env]
    creator = _creator(spec.vector_entry_point if backend == "vector_entry_point" else spec.entry_point)
    if creator is None:
        return
    parameters = inspect.signature(creator).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    accepted = sorted({*parameters, "max_episode_steps"} - {"num_envs", "render_mode"})
    for name in env_config:
        if name not in accepted:
            field = f"env_config.{name}"
            raise InvalidRequest(f"{field}: {env} takes {', '.join(accepted)}", field=field)
