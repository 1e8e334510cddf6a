"""Wrappers of observations, for all copies at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.environments.observation_encoder import is_image
from rlplatform.environments.vector_env import Array, Step, VectorEnv
from rlplatform.environments.wrapped_env import ObservationEnv, WrappedEnv
from rlplatform.environments.wrapped_state import pack, unpack
from rlplatform.errors import InvalidRequest


class FrameStackEnv(WrappedEnv):
    """Stacks the last ``n`` observations along ``axis``; an episode begins with ``n`` times its first one."""

    def __init__(self, env: VectorEnv, n: int, *, field: str) -> None:
        super().__init__(env, f"FrameStack({n})")
        space = _box(env, "frame_stack", field)
        if not is_image(space) and len(space.shape) != 1:
            raise InvalidRequest(
                f"{field}: frame_stack stacks vectors and images; the observations are {space}. Put flatten before it",
                field=field,
            )
        last = is_image(space) and space.shape[-1] <= min(space.shape[:2])
        self._axis = -1 if last or not is_image(space) else 0
        self._n, self._size = n, space.shape[self._axis]
        low, high = (np.concatenate([bound] * n, self._axis) for bound in (space.low, space.high))
        self.single_observation_space = spaces.Box(low, high, dtype=space.dtype.type)  # type: ignore[union-attr,arg-type]
        self._axis_of_batch = self._axis if self._axis < 0 else self._axis + 1
        self._stack: Array = np.empty(0)
        self._done = np.zeros(env.num_envs, np.bool_)

    def reset(self) -> Array:
        self._done[:] = False
        self._stack = self._repeated(np.asarray(self._env.reset()))
        return self._stack.copy()

    def step(self, actions: Array) -> Step:
        step = self._env.step(actions)
        obs = np.asarray(step.obs)
        shifted = np.concatenate([self._older(self._stack), obs], self._axis_of_batch)
        finals = step.finals
        if finals is not None:
            last, places = finals
            finals = np.concatenate([self._older(self._stack[places]), last], self._axis_of_batch), places
        ended = step.terminated | step.truncated
        first = self._done if self.autoreset == "next_step" else ended
        if first.any():
            shifted[first] = self._repeated(obs[first])
        self._stack, self._done = shifted, ended
        return step._replace(obs=shifted.copy(), finals=finals)

    def get_state(self) -> bytes | None:
        inner = self._env.get_state()
        return None if inner is None else pack(inner, stack=self._stack, done=self._done)

    def set_state(self, state: bytes) -> None:
        inner, saved = unpack(state)
        self._env.set_state(inner)
        self._stack, self._done = saved["stack"], saved["done"]

    def _older(self, stack: Array) -> Array:
        """Return a stack without its oldest observation."""
        return np.take(stack, range(self._size, self._size * self._n), self._axis_of_batch)

    def _repeated(self, obs: Array) -> Array:
        return np.concatenate([obs] * self._n, self._axis_of_batch)


class TimeAwareEnv(WrappedEnv):
    """Appends the part of the time limit that has passed."""

    def __init__(self, env: VectorEnv, *, field: str) -> None:
        super().__init__(env, "TimeAware")
        space = _box(env, "time_aware", field)
        if len(space.shape) != 1 or env.time_limit is None:
            raise InvalidRequest(
                f"{field}: time_aware needs vectors and a time limit; the observations are {space}. Put flatten before "
                "it, or give max_episode_steps",
                field=field,
            )
        dtype = np.float64 if space.dtype == np.float64 else np.float32
        low, high = np.append(space.low, 0.0), np.append(space.high, 1.0)
        self.single_observation_space = spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
        self._dtype, self._limit = dtype, env.time_limit.steps
        self._ages = np.zeros(env.num_envs, np.int64)
        self._done = np.zeros(env.num_envs, np.bool_)

    def reset(self) -> Array:
        self._ages[:] = 0
        self._done[:] = False
        return self._with_time(self._env.reset(), self._ages)

    def step(self, actions: Array) -> Step:
        step = self._env.step(actions)
        ended = step.terminated | step.truncated
        finals = step.finals
        if finals is not None:
            finals = self._with_time(finals[0], self._ages[finals[1]] + 1), finals[1]
        self._ages += 1
        self._ages[self._done if self.autoreset == "next_step" else ended] = 0
        self._done = ended
        return step._replace(obs=self._with_time(step.obs, self._ages), finals=finals)

    def get_state(self) -> bytes | None:
        inner = self._env.get_state()
        return None if inner is None else pack(inner, ages=self._ages, done=self._done)

    def set_state(self, state: bytes) -> None:
        inner, saved = unpack(state)
        self._env.set_state(inner)
        self._ages, self._done = saved["ages"], saved["done"]

    def _with_time(self, obs: Any, ages: Array) -> Array:
        passed = np.minimum(ages / self._limit, 1.0)[:, None]
        return np.concatenate([np.asarray(obs), passed], 1).astype(self._dtype)


class FlattenEnv(ObservationEnv):
    """Makes a vector of each observation."""

    def __init__(self, env: VectorEnv, *, field: str) -> None:
        super().__init__(env, "Flatten")
        space = _box(env, "flatten", field)
        low, high = space.low.ravel().astype(np.float32), space.high.ravel().astype(np.float32)
        self.single_observation_space = spaces.Box(low, high, dtype=np.float32)

    def changed(self, obs: Any) -> Array:
        array = np.asarray(obs)
        return array.reshape(len(array), -1).astype(np.float32)


def _box(env: VectorEnv, name: str, field: str) -> spaces.Box:
    space = env.single_observation_space
    if not isinstance(space, spaces.Box):
        raise InvalidRequest(f"{field}: {name} takes observations in a Box; they are {str(space)[:100]}", field=field)
    return space
