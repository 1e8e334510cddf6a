"""Vector environments behind one face: EnvPool, Gymnasium's vector entry points, and Gymnasium's SyncVectorEnv.

All have Gymnasium's autoreset, as NEXT_STEP or SAME_STEP. Not here: environments stepped in processes of their own, and
observations other than Box, Discrete, MultiDiscrete and MultiBinary (but for EnvPool's MiniGrid, which is flattened).
"""

from __future__ import annotations

import functools
import inspect
import pickle
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from rlplatform.errors import EngineError, InvalidRequest

Backend = Literal["envpool", "vector_entry_point", "sync"]
Array = NDArray[Any]
_SAVEABLE = "gymnasium.envs.classic_control."


class Step(NamedTuple):
    """One step of B environments. ``finals``: SAME_STEP only, last observations [K, *] and whose they are [K].

    ``scores`` and ``over`` [B]: what counts for the episode's return and its end where, for training, rewards are
    clipped and a lost life ends an episode.
    """

    obs: Array
    rewards: Array
    terminated: Array
    truncated: Array
    finals: tuple[Array, Array] | None = None
    scores: Array | None = None
    over: Array | None = None


class VectorEnv:
    """``len(seeds)`` copies of an environment. Arrays that :meth:`step` returns may be reused by the next step.

    ``autoreset`` is ``next_step`` (the step after the last one of an episode resets, ignoring the action) or
    ``same_step`` (the last step returns the reset observation).
    """

    backend: Backend
    autoreset: Literal["next_step", "same_step"] = "next_step"
    single_observation_space: spaces.Space[Any]
    single_action_space: spaces.Space[Any]
    max_episode_steps: int | None = None

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs

    def reset(self) -> Array:
        """Begin an episode in every environment; the first call uses the seeds."""
        raise NotImplementedError

    def step(self, actions: Array) -> Step:
        """One step in every environment, with actions of ``single_action_space``."""
        raise NotImplementedError

    def get_state(self) -> bytes | None:
        """Everything that decides what comes next, where the environment can be saved; else None."""
        return None

    def set_state(self, state: bytes) -> None:  # noqa: ARG002
        """Go on from what :meth:`get_state` of an equal environment gave. A pickle: only of our own checkpoints."""
        raise EngineError(f"{self.backend} environments cannot be restored")

    def close(self) -> None:
        """Free it. Idempotent."""


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


class EnvPoolVectorEnv(VectorEnv):
    """An EnvPool environment: NEXT_STEP, stepped in C++ on ``threads`` threads. Its state cannot be saved."""

    backend: Backend = "envpool"

    def __init__(self, env: Any, num_envs: int) -> None:
        super().__init__(num_envs)
        self._env = env
        if env.metadata["autoreset_mode"] != AutoresetMode.NEXT_STEP:
            raise InvalidRequest("env: EnvPool is expected to reset on the next step", field="env")
        space = env.single_observation_space
        self._image_and_mission = isinstance(space, spaces.Dict) and {"image", "mission"} <= set(space.spaces)
        self.single_observation_space = _flat_grid(space) if self._image_and_mission else _with_true_bounds(space)
        self.single_action_space = env.single_action_space
        self._action_dtype = self.single_action_space.dtype
        self.max_episode_steps = env.config.get("max_episode_steps")
        self._lives = "info:lives" in env._state_keys
        self._direct = None if self._lives else _direct(env)
        self._ids = np.arange(num_envs, dtype=np.int32)

    def reset(self) -> Array:
        obs, _ = self._env.reset()
        return self._flatten(obs) if self._image_and_mission else np.asarray(obs)

    def step(self, actions: Array) -> Step:
        if self._direct is not None:
            places, dtype = self._direct
            self._env._send([self._ids, self._ids, actions.astype(dtype, order="C", copy=False)])
            state = self._env._recv()
            done, truncated, rewards, obs = (state[place] for place in places)
            return Step(obs, rewards, done & ~truncated, truncated)
        obs, rewards, terminated, truncated, info = self._env.step(actions)
        if self._image_and_mission:
            obs = self._flatten(obs)
        if not self._lives:
            return Step(obs, rewards, terminated, truncated)
        over = truncated | info["terminated"].astype(np.bool_)
        return Step(obs, rewards, terminated, truncated, scores=info["reward"], over=over)

    def close(self) -> None:
        self._env.close()

    def _flatten(self, obs: Mapping[str, Array]) -> Array:
        image, mission = obs["image"], obs["mission"]
        return np.concatenate((image.reshape(len(image), -1), mission), axis=1)


def make_vector_env(
    env: str, env_config: Mapping[str, Any], seeds: Sequence[int], *, training: bool = True, threads: int = 1
) -> VectorEnv:
    """``len(seeds)`` copies of ``env``, one seed each (a vector entry point uses the first for all).

    Gymnasium's own vector entry point where it has one, EnvPool where it has the environment, else SyncVectorEnv. With
    ``env_config`` (keyword arguments of the Gymnasium environment, or EnvPool's options for one that only EnvPool has),
    Gymnasium comes first. Atari games are preprocessed as by Mnih et al. 2015; with ``training``, a lost life ends the
    episode and rewards are clipped to their sign.

    :raises InvalidRequest: it cannot be made as asked; names ``env`` or ``env_config``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spec = gym.registry.get(env)
        if spec is not None and spec.vector_entry_point is not None:
            return GymVectorEnv(
                _make_gym(env, "vector_entry_point", len(seeds), env_config), "vector_entry_point", seeds
            )
        if spec is not None and (env_config or not has_envpool(env)):
            return GymVectorEnv(_make_gym(env, "sync", len(seeds), env_config), "sync", seeds)
        return EnvPoolVectorEnv(_make_envpool(env, seeds, env_config, training, threads), len(seeds))


def has_envpool(env: str) -> bool:
    """Whether EnvPool is installed and has the environment."""
    return env in envpool_ids()


@functools.cache
def envpool_ids() -> frozenset[str]:
    """The ids of EnvPool's environments; none where it is not installed."""
    try:
        import envpool
    except ImportError:
        return frozenset()
    return frozenset(envpool.list_all_envs())


def _make_gym(env: str, backend: Backend, num_envs: int, env_config: Mapping[str, Any]) -> Any:
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
    """Refuse names that the environment's constructor does not have, before it is half built."""
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


def _make_envpool(env: str, seeds: Sequence[int], env_config: Mapping[str, Any], training: bool, threads: int) -> Any:
    import envpool

    options = dict(env_config)
    if _is_atari(env) and training:
        options = {"episodic_life": True, "reward_clip": True} | options
    try:
        return envpool.make_gymnasium(
            env, num_envs=len(seeds), seed=[int(seed) for seed in seeds], num_threads=threads, **options
        )
    except TypeError as error:
        raise InvalidRequest(f"env_config: EnvPool's {env} does not take it: {error}", field="env_config") from error
    except Exception as error:
        raise InvalidRequest(f"env: {env} cannot be made here: {error}", field="env") from error


def _is_atari(env: str) -> bool:
    from envpool.registration import registry

    return bool(registry.specs[env][0] == "envpool.atari")


def _direct(env: Any) -> tuple[list[int], Any] | None:
    """Places of done, truncation, reward and observation in what EnvPool's core returns, and its actions' type.

    A third of the time of a cheap step goes into EnvPool's conversion to and from nested dictionaries. None where this
    version, or this environment's observations, are not as expected: then that conversion does it.
    """
    try:
        keys, action_keys = list(env._state_keys), list(env._action_keys)
        places = [keys.index(name) for name in ("done", "trunc", "reward", "obs")]
        dtype = env._spec._action_spec[-1][0]
    except (AttributeError, ValueError, IndexError):
        return None
    return (places, dtype) if action_keys == ["env_id", "players.env_id", "action"] else None


def _flat_grid(space: spaces.Dict) -> spaces.Box:
    size = sum(int(np.prod(space[name].shape or ())) for name in ("image", "mission"))
    return spaces.Box(0, 255, (size,), np.float32)


def _with_true_bounds(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """EnvPool gives the smallest positive float as the lower bound where it means none at all."""
    if not isinstance(space, spaces.Box) or not np.issubdtype(space.dtype, np.floating):
        return space
    low = np.where((space.low > 0) & (space.low < 1e-30), -np.inf, space.low).astype(space.dtype)
    return spaces.Box(low, space.high, space.shape, low.dtype.type)
