"""Vector environments behind one face: EnvPool, Gymnasium's vector entry points, and Gymnasium's SyncVectorEnv.

Not here: environments stepped in processes of their own, and observations other than Box, Discrete, MultiDiscrete and
MultiBinary (but for EnvPool's MiniGrid, which is flattened).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym

from rlplatform.training.vector_base import Step, VectorEnv
from rlplatform.training.vector_envpool import envpool_ids, make_envpool
from rlplatform.training.vector_gym import make_gym

__all__ = ["Step", "VectorEnv", "envpool_ids", "make_vector_env"]


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
            return make_gym(env, "vector_entry_point", seeds, env_config)
        if spec is not None and (env_config or env not in envpool_ids()):
            return make_gym(env, "sync", seeds, env_config)
        return make_envpool(env, seeds, env_config, training, threads)
