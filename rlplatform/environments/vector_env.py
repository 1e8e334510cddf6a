"""Base of all vector environments: autoreset modes NEXT_STEP and SAME_STEP of Gymnasium, and arrays over all copies."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.errors import EngineError

Backend = Literal["envpool", "vector_entry_point", "sync", "sandbox"]
Array = NDArray[Any]

DEFAULT_MAX_EPISODE_STEPS = 10_000
"""Time limit of environments that have none of their own, unless a request gives one."""


class TimeLimit(NamedTuple):
    """Longest episode in steps, and the source of this limit."""

    steps: int
    source: Literal["request", "environment", "default"]

    @classmethod
    def of(cls, asked: int | None, own: int | None) -> TimeLimit:
        """Return the requested limit, else the environment's own, else the default."""
        if asked is not None:
            return cls(asked, "request")
        if own is not None:
            return cls(own, "environment")
        return cls(DEFAULT_MAX_EPISODE_STEPS, "default")


class Step(NamedTuple):
    """Results of one step of B environments.

    ``finals`` (SAME_STEP only) are the last observations [K, *] of episodes and the indices [K] of their environments.
    While training, rewards may be clipped, and a lost life may end an episode; ``scores`` and ``over`` [B] then hold
    the unclipped rewards and the true ends of episodes.
    """

    obs: Array
    rewards: Array
    terminated: Array
    truncated: Array
    finals: tuple[Array, Array] | None = None
    scores: Array | None = None
    over: Array | None = None


class VectorEnv:
    """``len(seeds)`` copies of an environment. The next step may reuse the arrays that :meth:`step` returns.

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
        """Longest episode in steps; None if only the environment itself ends an episode."""
        return self.time_limit.steps if self.time_limit is not None else None

    def describe(self) -> dict[str, Any]:
        """Return the manifest's description of this environment."""
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
        """Take one step in every environment, with actions of ``single_action_space``."""
        raise NotImplementedError

    @property
    def independent(self) -> bool:
        """True if a copy does the same by itself as among others, given its own seed and actions."""
        return self.backend in ("envpool", "sync", "sandbox")

    @property
    def frames_per_s(self) -> float | None:
        """Steps that the environment shows in a second, for people; None if it does not say."""
        return None

    def frame(self, place: int) -> Array | None:  # noqa: ARG002
        """Return a picture [H, W, 3] uint8 of one copy, made with ``rendered``; None if it has no picture."""
        return None

    def get_state(self) -> bytes | None:
        """Return everything that determines later steps; None if the environment cannot be saved."""
        return None

    def set_state(self, state: bytes) -> None:  # noqa: ARG002
        """Continue from the :meth:`get_state` of an equal environment.

        The state is a pickle: load only the platform's own.
        """
        raise EngineError(f"{self.backend} environments cannot be restored")

    def close(self) -> None:
        """Free the environment's resources. Idempotent."""
