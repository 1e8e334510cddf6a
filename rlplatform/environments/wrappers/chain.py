"""Applies the wrappers of a request to an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlplatform.environments.spaces import FlatSpace
from rlplatform.environments.vector_env import VectorEnv
from rlplatform.environments.wrappers.masks import ActionMaskEnv
from rlplatform.environments.wrappers.observations import FlattenEnv, FrameStackEnv, TimeAwareEnv
from rlplatform.environments.wrappers.rewards import ClipRewardEnv, ScaleRewardEnv
from rlplatform.errors import InvalidRequest

_OBSERVATIONS = {
    "frame_stack": FrameStackEnv,
    "time_aware": TimeAwareEnv,
    "flatten": FlattenEnv,
    "action_mask": ActionMaskEnv,
}
_REWARDS = {"clip_reward": ClipRewardEnv, "scale_reward": ScaleRewardEnv}


def wrap(env: VectorEnv, asked: Sequence[Mapping[str, Any]], *, training: bool) -> VectorEnv:
    """Return ``env`` in the wrappers of a request, the first one innermost; those of rewards only for ``training``.

    Raises:
        InvalidRequest: a wrapper does not go with the observations; ``env`` is closed.
    """
    wrapped = env
    try:
        for index, each in enumerate(asked):
            settings = dict(each)
            name = settings.pop("name")
            if name in _OBSERVATIONS:
                _check_unmasked(wrapped, name, f"wrappers.{index}")
                wrapped = _OBSERVATIONS[name](wrapped, field=f"wrappers.{index}", **settings)
            elif training:
                wrapped = _REWARDS[name](wrapped, **settings)
    except BaseException:
        env.close()
        raise
    return wrapped


def _check_unmasked(env: VectorEnv, name: str, field: str) -> None:
    """Refuse a wrapper that would hide the action mask."""
    space = env.single_observation_space
    if isinstance(space, FlatSpace) and space.mask is not None:
        raise InvalidRequest(f"{field}: {name} would hide the action mask; give action_mask alone", field=field)
