"""What every vector environment does: Gymnasium's autoreset as NEXT_STEP or SAME_STEP, and arrays for all copies."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.errors import EngineError

Backend = Literal["envpool", "vector_entry_point", "sync"]
Array = NDArray[Any]


class Step(NamedTuple):
    """One step of B environments. ``finals``: SAME_STEP only, last observations [K, *] and whose they are [K].

    ``scores`` and ``over`` [B]: what counts for the episode's return and its end where, for training, rewards are
    clipped and a lost life ends an episode.
    """

    obs: Array
    rewards: Array
    terminated: Array
    truncated: Array
    finals: tuple[Array, Array] | None = None
    scores: Array | None = None
    over: Array | None = None


class VectorEnv:
    """``len(seeds)`` copies of an environment. Arrays that :meth:`step` returns may be reused by the next step.

    ``autoreset`` is ``next_step`` (the step after the last one of an episode resets, ignoring the action) or
    ``same_step`` (the last step returns the reset observation).
    """

    backend: Backend
    autoreset: Literal["next_step", "same_step"] = "next_step"
    single_observation_space: spaces.Space[Any]
    single_action_space: spaces.Space[Any]
    max_episode_steps: int | None = None

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs

    def reset(self) -> Array:
        """Begin an episode in every environment; the first call uses the seeds."""
        raise NotImplementedError

    def step(self, actions: Array) -> Step:
        """One step in every environment, with actions of ``single_action_space``."""
        raise NotImplementedError

    def get_state(self) -> bytes | None:
        """Everything that decides what comes next, where the environment can be saved; else None."""
        return None

    def set_state(self, state: bytes) -> None:  # noqa: ARG002
        """Go on from what :meth:`get_state` of an equal environment gave. A pickle: only of our own checkpoints."""
        raise EngineError(f"{self.backend} environments cannot be restored")

    def close(self) -> None:
        """Free it. Idempotent."""
