"""How long a rollout or an evaluation may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rlplatform.training.models import TrainingRequest

PROGRESS_S = 10.0
"""Seconds between two progress events of a long rollout or evaluation."""
LEAVE_S = 2.0
"""Seconds that a rollout may continue after a stop or a suspension was requested; then it is abandoned."""
OVERTIME_S = 5.0
"""Seconds that a rollout may continue after ``wall_time_s``, or a fifth of ``wall_time_s`` if that is longer."""


@dataclass(slots=True)
class Phase:
    """One rollout or evaluation. All times are those of one monotonic clock, in seconds."""

    kind: Literal["rollout", "evaluation"]
    request: TrainingRequest
    began: float
    train_wall_s: float
    """Seconds of training before this phase."""
    _told_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._told_at = self.began

    def progress_is_due(self, now: float) -> bool:
        """Return True if the last progress event is :data:`PROGRESS_S` ago. The next period then begins."""
        if now - self._told_at < PROGRESS_S:
            return False
        self._told_at = now
        return True

    def ends(self, now: float, env_steps: int, leaving_since: float | None) -> str | None:
        """Return the reason to interrupt the phase; None to continue it.

        Args:
            now: Current time.
            env_steps: Environment steps of this phase.
            leaving_since: Time at which a stop or a suspension was first requested; None if none was.
        """
        if self.kind == "rollout":
            return self._rollout_ends(now, leaving_since)
        return self._evaluation_ends(now, env_steps, leaving_since)

    def _rollout_ends(self, now: float, leaving_since: float | None) -> str | None:
        if leaving_since is not None and now - leaving_since >= LEAVE_S:
            return "the session is to end"
        limit_s = self.request.stop.wall_time_s
        if limit_s is not None:
            over_s = self.train_wall_s + (now - self.began) - limit_s
            if over_s >= max(OVERTIME_S, limit_s / 5):
                return f"it exceeds wall_time_s of {limit_s:g} s"
        return None

    def _evaluation_ends(self, now: float, env_steps: int, leaving_since: float | None) -> str | None:
        plan = self.request.evaluation
        if leaving_since is not None:
            return "the session is to end"
        if env_steps >= plan.max_env_steps:
            return f"it took {env_steps:,} environment steps; evaluation.max_env_steps is {plan.max_env_steps:,}"
        if now - self.began >= plan.max_wall_time_s:
            return f"it took {plan.max_wall_time_s:g} s, which is evaluation.max_wall_time_s"
        return None
