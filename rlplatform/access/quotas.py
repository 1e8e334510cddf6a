"""What a tenant may use: the operator's defaults, and what is set for one tenant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Quotas(BaseModel):
    """Limits of one tenant, None for none; ``weight`` is its share of a round when many wait.

    ``concurrent_…`` count what waits and what is at work, ``policies`` those that are published. A day is a UTC day.
    ``sandbox_cpu_s_per_day`` and ``checkpoint_bytes`` are looked at when something new is asked for: what was let in
    ends, and may go beyond them.
    A training that runs beyond ``env_steps_per_day`` is stopped, with a checkpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrent_evaluations: int | None = Field(default=None, ge=0)
    concurrent_trainings: int | None = Field(default=None, ge=0)
    sandbox_cpu_s_per_day: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    env_steps_per_day: int | None = Field(default=None, ge=0)
    checkpoint_bytes: int | None = Field(default=None, ge=0)
    policies: int | None = Field(default=None, ge=0)
    weight: int = Field(default=1, ge=1, le=100)

    def with_overrides(self, overrides: Quotas) -> Quotas:
        """These, but for what was given in ``overrides``."""
        return self.model_copy(update=overrides.model_dump(exclude_unset=True))
