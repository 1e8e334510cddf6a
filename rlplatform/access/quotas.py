"""Quotas of a tenant: the operator's defaults, and those set for one tenant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Quotas(BaseModel):
    """Limits of one tenant; null: none. A day is a UTC day. `sandbox_cpu_s_per_day` and `checkpoint_bytes` are checked
    when something new is requested: runs that were accepted may exceed them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrent_evaluations: int | None = Field(default=None, ge=0)
    """Evaluations that wait or run at one time."""
    concurrent_trainings: int | None = Field(default=None, ge=0)
    """Trainings that wait or run at one time."""
    sandbox_cpu_s_per_day: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """CPU time of tests a day, in seconds."""
    env_steps_per_day: int | None = Field(default=None, ge=0)
    """Environment steps of trainings a day. A training that exceeds it is stopped, with a checkpoint."""
    checkpoint_bytes: int | None = Field(default=None, ge=0)
    """Size of all stored checkpoints, in bytes."""
    events_per_day: int | None = Field(default=None, ge=0)
    """Events of all runs a day. A training that exceeds it is stopped, with a checkpoint."""
    stored_bytes: int | None = Field(default=None, ge=0)
    """Size of the requests and events of all runs that are kept, in bytes; checkpoints count apart. A training that
    exceeds it is stopped, with a checkpoint."""
    file_bytes: int | None = Field(default=None, ge=0)
    """Size of all uploaded files, in bytes."""
    policies: int | None = Field(default=None, ge=0)
    """Published policies."""
    weight: int = Field(default=1, ge=1, le=100)
    """Share of the tenant in each round of the queues."""

    def with_overrides(self, overrides: Quotas) -> Quotas:
        """Return these quotas, with those given in ``overrides`` in place of them."""
        return self.model_copy(update=overrides.model_dump(exclude_unset=True))
