"""Models of quotas and usage."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from rlplatform.json_models import StrictModel
from rlplatform.settings import Quotas


class QuotaState(StrictModel):
    """Use of one quota."""

    quota: str
    """Name of the quota."""
    used: float
    """Amount that is used."""
    limit: float | None
    """Amount that may be used; null: no limit."""
    resets_at: datetime | None = None
    """Time at which `used` becomes 0; null: it does not reset by itself."""


class TenantQuotas(StrictModel):
    """Quotas of a tenant."""

    tenant: str
    """The tenant."""
    quotas: Quotas
    """Quotas that apply."""
    overrides: dict[str, int | float | None]
    """Quotas that were set for this tenant alone."""


class Usage(StrictModel):
    """Runs of a tenant now, and its use of the platform since midnight, UTC."""

    tenant: str
    """The tenant."""
    since: datetime
    """Midnight, UTC: the start of the numbers that end in `_today`."""
    queued_evaluations: int = 0
    """Evaluations that wait."""
    running_evaluations: int = 0
    """Evaluations that run."""
    queued_trainings: int = 0
    """Trainings that wait."""
    active_trainings: int = 0
    """Trainings that start, run or recover."""
    evaluations_today: int = 0
    """Evaluations that were submitted today."""
    sandbox_cpu_time_s_today: float = 0.0
    """CPU time of tests today, in seconds."""
    trainings_today: int = 0
    """Trainings that were started today."""
    env_steps_today: int = 0
    """Environment steps of trainings today."""
    events_today: int = 0
    """Events appended to the tenant's runs since midnight."""
    stored_bytes: int = 0
    """Size of the requests and events of the tenant's runs, in bytes."""
    checkpoint_bytes: int | None = None
    """Size of all stored checkpoints, in bytes; null: unknown."""
    policies: int = 0
    """Published policies."""
    file_bytes: int = 0
    """Size of all uploaded files, in bytes."""
    quotas: list[QuotaState] = Field(default_factory=list)
    """Use of each quota."""
