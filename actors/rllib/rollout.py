"""Rollouts that env runners return to the driver, and the division of a fragment among learners."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import ray
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.network.normalizers import Moments
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.environments.sandboxed.faults import Fault


@dataclass
class Rollout:
    """Result of a remote env runner: references to fragments, one for each learner, and small values."""

    fragments: list[ray.ObjectRef]
    rows: list[int]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
    deltas: dict[str, Moments] = field(default_factory=dict)
    sampled: int = 0
    """Number of rows, including reset rows."""
    faults: list[Fault] = field(default_factory=list)
    """Faults of users' code in the env runner."""


def split(fragment: Fragment, pieces: int) -> list[Fragment]:
    """Cut a fragment along its environments into ``pieces`` of equal size, without episodes.

    One piece is the fragment itself.
    """
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
