"""Applies the wrappers of a request to an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlplatform.environments.vector_env import VectorEnv
from rlplatform.environments.wrappers.observations import FlattenEnv, FrameStackEnv, TimeAwareEnv
from rlplatform.environments.wrappers.rewards import ClipRewardEnv, ScaleRewardEnv

_OBSERVATIONS = {"frame_stack": FrameStackEnv, "time_aware": TimeAwareEnv, "flatten": FlattenEnv}
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
                wrapped = _OBSERVATIONS[name](wrapped, field=f"wrappers.{index}", **settings)
            elif training:
                wrapped = _REWARDS[name](wrapped, **settings)
    except BaseException:
        env.close()
        raise
    return wrapped
