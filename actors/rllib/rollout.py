"""What an env runner hands to the driver, and how a fragment is shared out among learners."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import ray
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.network.normalizers import Moments
from rlplatform.algorithms.ppo.rollout.fragment import Fragment


@dataclass
class Rollout:
    """What a remote env runner hands to the driver: references to fragments, one a learner, and the small things."""

    fragments: list[ray.ObjectRef]
    rows: list[int]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    deltas: dict[str, Moments] = field(default_factory=dict)
    sampled: int = 0
    """Rows in all, with those that are resets."""


def split(fragment: Fragment, pieces: int) -> list[Fragment]:
    """The fragment cut along its environments into ``pieces`` of equal size, episodes left out; itself for one."""
    if pieces == 1:
        return [fragment]
    share = fragment.envs // pieces
    parts = []
    for place in range(pieces):
        envs = slice(place * share, (place + 1) * share)
        fields = {
            name: getattr(fragment, name)[:, envs]
            for name in ("obs", "actions", "logp", "rewards", "terminated", "truncated", "valid")
        }
        final_obs, final_index = fragment.final_obs, fragment.final_index
        if final_obs is not None and final_index is not None:
            mine = (final_index[:, 1] >= envs.start) & (final_index[:, 1] < envs.stop)
            final_obs, final_index = final_obs[mine], final_index[mine] - [0, envs.start]
        parts.append(
            Fragment(
                **fields,
                autoreset=fragment.autoreset,
                seq=fragment.seq,
                episode_returns=np.empty(0),
                episode_lengths=np.empty(0, np.int64),
                final_obs=final_obs,
                final_index=final_index,
            )
        )
    return parts
