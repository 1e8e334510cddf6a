"""Rollout fragment: the arrays that one env runner records in T steps of B environments."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.environments.observation_encoder import ObservationEncoder

Autoreset = Literal["next_step", "same_step"]
_NAMES = (
    "obs", "actions", "logp", "rewards", "terminated", "truncated", "valid",
    "autoreset", "seq", "episode_returns", "episode_lengths", "final_obs", "final_index",
)  # fmt: skip


class Fragment:
    """Arrays of T steps in B environments.

    This is a plain class on purpose: dm-tree treats it as a leaf, and pickle sends its arrays out of band.

    - ``obs`` [T+1, B, *shape] float32 or uint8: row T is the observation after the last step.
    - ``actions`` [T, B] int64 (Discrete), [T, B, A] int64 (MultiDiscrete) or [T, B, A] float32 (Box, not clipped)
    - ``logp`` [T, B] float32: log-probability of the actions under the policy that acted
    - ``rewards`` [T, B] float32 (normalised if rewards are normalised); ``terminated``, ``truncated`` [T, B] bool
    - ``valid`` [T, B] bool: False for the reset rows of NEXT_STEP autoreset, which are never trained on or counted
    - ``autoreset``: ``"next_step"`` or ``"same_step"``; ``seq``: sequence number of the weights that acted
    - ``episode_returns`` [K] float64, ``episode_lengths`` [K] int64: episodes that ended in this fragment, with the
      environment's own rewards
    - ``final_obs`` [K, *shape], ``final_index`` [K, 2] int64 (t, b): SAME_STEP only, the last observations of episodes
    """

    __slots__ = _NAMES

    obs: NDArray[Any]
    actions: NDArray[Any]
    logp: NDArray[np.float32]
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    autoreset: Autoreset
    seq: int
    episode_returns: NDArray[np.float64]
    episode_lengths: NDArray[np.int64]
    final_obs: NDArray[Any] | None
    final_index: NDArray[np.int64] | None

    def __init__(self, **fields: Any) -> None:
        if set(fields) != set(_NAMES):
            raise TypeError(f"Fragment needs exactly {', '.join(_NAMES)}")
        for name, value in fields.items():
            setattr(self, name, value)

    @classmethod
    def empty(
        cls,
        steps: int,
        envs: int,
        encoder: ObservationEncoder,
        head: ActionHead,
        *,
        autoreset: Autoreset = "next_step",
        seq: int = 0,
    ) -> Fragment:
        """Return a fragment to fill: arrays are uninitialised, except ``valid``, which is True; there are no
        episodes yet."""
        return cls(
            obs=np.empty((steps + 1, envs, *encoder.shape), encoder.dtype),
            actions=np.empty((steps, envs, *head.shape), head.dtype),
            logp=np.empty((steps, envs), np.float32),
            rewards=np.empty((steps, envs), np.float32),
            terminated=np.zeros((steps, envs), np.bool_),
            truncated=np.zeros((steps, envs), np.bool_),
            valid=np.ones((steps, envs), np.bool_),
            autoreset=autoreset,
            seq=seq,
            episode_returns=np.empty(0, np.float64),
            episode_lengths=np.empty(0, np.int64),
            final_obs=None,
            final_index=None,
        )

    @property
    def steps(self) -> int:
        """Number of steps T, including reset rows."""
        return int(self.rewards.shape[0])

    @property
    def envs(self) -> int:
        """Number of environments B."""
        return int(self.rewards.shape[1])

    def env_steps(self) -> int:
        """Number of environment steps taken: the valid rows."""
        return int(np.count_nonzero(self.valid))

    def __len__(self) -> int:
        return self.env_steps()

    def set_episodes(self, returns: Any, lengths: Any) -> None:
        """Record the episodes that ended in this fragment."""
        self.episode_returns = np.asarray(returns, np.float64)
        self.episode_lengths = np.asarray(lengths, np.int64)

    def set_finals(self, final_obs: Any, index: Any) -> None:
        """Record the final observations of episodes under SAME_STEP. ``index`` [K, 2] holds their (t, b)."""
        self.final_index = np.asarray(index, np.int64).reshape(-1, 2)
        self.final_obs = np.asarray(final_obs, self.obs.dtype).reshape(-1, *self.obs.shape[2:])
        if len(self.final_obs) != len(self.final_index):
            raise ValueError("one index (t, b) for each final observation")

    @property
    def nbytes(self) -> int:
        """Size of all arrays, in bytes."""
        return sum(value.nbytes for name in _NAMES if isinstance(value := getattr(self, name), np.ndarray))

    def __getstate__(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in _NAMES)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(_NAMES, state, strict=True):
            setattr(self, name, value)
