"""Wrappers of the rewards that are trained on; ``scores`` keep the environment's own."""

from __future__ import annotations

import numpy as np

from rlplatform.environments.vector_env import Array, Step, VectorEnv
from rlplatform.environments.wrapped_env import WrappedEnv


class _RewardEnv(WrappedEnv):
    def step(self, actions: Array) -> Step:
        step = self._env.step(actions)
        own = np.array(step.rewards) if step.scores is None else step.scores
        return step._replace(rewards=self._changed(step.rewards), scores=own)

    def _changed(self, rewards: Array) -> Array:
        raise NotImplementedError


class ClipRewardEnv(_RewardEnv):
    """Limits rewards to a range."""

    def __init__(self, env: VectorEnv, low: float, high: float) -> None:
        super().__init__(env, f"ClipReward({low:g}, {high:g})")
        self._low, self._high = low, high

    def _changed(self, rewards: Array) -> Array:
        return np.clip(rewards, self._low, self._high)


class ScaleRewardEnv(_RewardEnv):
    """Multiplies rewards."""

    def __init__(self, env: VectorEnv, factor: float) -> None:
        super().__init__(env, f"ScaleReward({factor:g})")
        self._factor = factor

    def _changed(self, rewards: Array) -> Array:
        changed: Array = rewards * self._factor
        return changed
