"""Time limit for EnvPool's environments, some of which ignore ``max_episode_steps``."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.vector_env import Array, Step, TimeLimit, VectorEnv
from rlplatform.environments.wrapped_env import WrappedEnv


class _Partial(Protocol):
    """Vector environment whose copies can be reset and stepped independently."""

    def reset_some(self, ids: NDArray[np.int32]) -> Any: ...
    def step_some(self, actions: Array, ids: NDArray[np.int32]) -> Step: ...


class LimitedVectorEnv(WrappedEnv):
    """Truncates episodes after ``limit.steps`` steps. The next step resets the copy, as under NEXT_STEP."""

    def __init__(self, env: VectorEnv, partial: _Partial, limit: TimeLimit) -> None:
        super().__init__(env, f"TimeLimit({limit.steps})")
        self._partial, self.time_limit = partial, limit
        self._steps = np.zeros(env.num_envs, np.int64)
        self._ended = np.zeros(env.num_envs, np.bool_)
        self._cut = np.zeros(env.num_envs, np.bool_)  # truncated by this limit; the environment itself would continue

    def reset(self) -> Any:
        for counted in (self._steps, self._ended, self._cut):
            counted[:] = 0
        return self._env.reset()

    def step(self, actions: Array) -> Step:
        assert self.time_limit is not None
        step = self._step_and_reset(actions) if self._cut.any() else self._env.step(actions)
        self._steps += 1
        self._steps[self._ended] = 0
        ended = step.terminated | step.truncated
        self._cut = (self._steps >= self.time_limit.steps) & ~ended
        self._ended = ended | self._cut
        if not self._cut.any():
            return step
        over = None if step.over is None else step.over | self._cut
        return step._replace(truncated=step.truncated | self._cut, over=over)

    def _step_and_reset(self, actions: Array) -> Step:
        """Reset the copies whose episodes the limit truncated, and step the others."""
        cut, others = (np.flatnonzero(mask).astype(np.int32) for mask in (self._cut, ~self._cut))
        first = self._partial.reset_some(cut)
        if not len(others):
            no = np.zeros(self.num_envs, np.bool_)
            return Step(first, np.zeros(self.num_envs, np.float32), no, no.copy())
        part = self._partial.step_some(np.asarray(actions)[others], others)
        columns: dict[str, Any] = {"obs": _join(first, part.obs, cut, others)}
        for name in ("rewards", "terminated", "truncated", "scores", "over"):
            column = getattr(part, name)
            if column is not None:
                columns[name] = _join(np.zeros(len(cut), column.dtype), column, cut, others)
        return Step(**columns)


def _join(one: Any, other: Any, ones: NDArray[np.int32], others: NDArray[np.int32]) -> Any:
    """Merge the rows of two batches, which may be nested in mappings, each row at its index."""
    if isinstance(one, dict):
        return {key: _join(one[key], other[key], ones, others) for key in one}
    joined = np.empty((len(ones) + len(others), *one.shape[1:]), one.dtype)
    joined[ones], joined[others] = one, other
    return joined
