"""Action masks: their sizes, and masks of ``info`` as a part of the observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.errors import EngineError, InvalidRequest

WRAPPER = "action_mask"
MASK, OBSERVATION = "action_mask", "observation"
"""Parts of observations with the mask that ``info`` had."""


def info_key(wrappers: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the key of the mask in ``info`` that ``wrappers`` ask for; None if they do not."""
    asked = (each for each in wrappers if each["name"] == WRAPPER and each.get("source") == "info")
    return next((str(each.get("key", MASK)) for each in asked), None)


def mask_size(actions: spaces.Space[Any], field: str = "wrappers") -> int:
    """Return the length of a mask.

    Raises:
        InvalidRequest: actions of this kind have none.
    """
    if isinstance(actions, spaces.Discrete):
        return int(actions.n)
    if isinstance(actions, spaces.MultiDiscrete):
        return int(np.sum(actions.nvec))
    raise InvalidRequest(
        f"{field}: action_mask takes Discrete and MultiDiscrete actions; they are {str(actions)[:100]}", field=field
    )


def with_mask(observations: spaces.Space[Any], actions: spaces.Space[Any]) -> spaces.Dict:
    """Return the space of observations that have the mask as a part."""
    return spaces.Dict({MASK: spaces.MultiBinary(mask_size(actions)), OBSERVATION: observations})


class InfoMask(gym.Wrapper[Any, Any, Any, Any]):
    """Wrapper of one environment: puts the mask that its ``info`` has under ``key`` into its observations."""

    def __init__(self, env: gym.Env[Any, Any], key: str) -> None:
        super().__init__(env)
        self._key, self._size = key, mask_size(env.action_space)
        self.observation_space = with_mask(env.observation_space, env.action_space)

    def reset(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(**given)
        return {MASK: self._mask(info), OBSERVATION: obs}, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.env.step(action)
        ended = (terminated or truncated) and self._key not in info  # nothing is chosen any more
        mask = np.ones(self._size, np.int8) if ended else self._mask(info)
        return {MASK: mask, OBSERVATION: obs}, reward, terminated, truncated, info

    def _mask(self, info: Mapping[str, Any]) -> NDArray[np.int8]:
        if self._key not in info:
            raise EngineError(
                f"info has no {self._key!r}, the action mask; it has {', '.join(map(str, info)) or 'nothing'}"
            )
        given = info[self._key]
        parts = given if isinstance(given, tuple | list) else [given]
        mask = np.concatenate([np.ravel(np.asarray(part)) for part in parts])
        if mask.shape != (self._size,):
            raise EngineError(f"the action mask {self._key!r} has {len(mask)} numbers; {self._size} are wanted")
        return np.asarray(mask != 0, np.int8)
