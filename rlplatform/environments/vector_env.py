"""What every vector environment does: Gymnasium's autoreset as NEXT_STEP or SAME_STEP, and arrays for all copies."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.errors import EngineError

Backend = Literal["envpool", "vector_entry_point", "sync"]
Array = NDArray[Any]

DEFAULT_MAX_EPISODE_STEPS = 10_000
"""Time limit of environments that have none of their own, unless a request gives one."""


class TimeLimit(NamedTuple):
    """Longest episode in steps, and who set it."""

    steps: int
    source: Literal["request", "environment", "default"]

    @classmethod
    def of(cls, asked: int | None, own: int | None) -> TimeLimit:
        """Return the limit that is asked for, else the environment's own, else the default."""
        if asked is not None:
            return cls(asked, "request")
        if own is not None:
            return cls(own, "environment")
        return cls(DEFAULT_MAX_EPISODE_STEPS, "default")


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
    time_limit: TimeLimit | None = None
    wrappers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs

    @property
    def max_episode_steps(self) -> int | None:
        """Longest episode in steps; None if nothing but the environment itself ends one."""
        return self.time_limit.steps if self.time_limit is not None else None

    def describe(self) -> dict[str, Any]:
        """Return what a run's manifest says of its environment."""
        return {
            "backend": self.backend,
            "max_episode_steps": self.max_episode_steps,
            "time_limit": self.time_limit.source if self.time_limit is not None else None,
            "observation_space": str(self.single_observation_space)[:500],
            "action_space": str(self.single_action_space)[:500],
            "wrappers": list(self.wrappers),
            "notes": list(self.notes),
        }

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
