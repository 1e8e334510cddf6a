"""The documents of the HTTP interface that are no domain models, shared by the API and the client."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rlplatform import names
from rlplatform.access.principals import Role, Scope
from rlplatform.access.quotas import Quotas
from rlplatform.evaluation.models import Evaluation
from rlplatform.training.models import CheckpointInfo, EnvironmentInfo

T = TypeVar("T", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Page(_Strict, Generic[T]):
    """One page of a list, newest first. ``next_cursor`` goes into ``?cursor=``; null on the last page."""

    items: list[T]
    next_cursor: str | None = None


class EvaluationBatch(_Strict):
    """Up to 200 evaluations; each is accepted or refused by itself."""

    evaluations: list[dict[str, Any]] = Field(min_length=1, max_length=200, description="EvaluationRequest documents")


class BatchRow(_Strict):
    """What became of one row: ``evaluation`` where ``status`` is 202, a problem document as ``error`` otherwise.
    ``replayed``: the evaluation was made by an earlier batch with the same Idempotency-Key."""

    status: int
    evaluation: Evaluation | None = None
    replayed: bool = False
    error: dict[str, Any] | None = None


class BatchResult(_Strict):
    """One row for each evaluation, in the order of the request."""

    results: list[BatchRow]


class MetricSeries(_Strict):
    """Columns of equal length, a row for each iteration that was kept; null where an iteration had no such metric.

    Every ``stride``-th iteration is kept, and the last. Iterations done again after a recovery are there once.
    """

    training_id: str
    simulated: bool
    stride: int
    iteration: list[int]
    env_steps: list[int]
    train_wall_s: list[float]
    metrics: dict[str, list[float | None]]


class CheckpointList(_Strict):
    """The committed checkpoints of a training, oldest first."""

    items: list[CheckpointInfo]


class EnvironmentList(_Strict):
    """By id."""

    items: list[EnvironmentInfo]


class KeyRequest(_Strict):
    """What a new API key is for: a ``role``, or ``scopes``. ``tenant`` may be another's for an operator alone."""

    name: str = Field(min_length=1, max_length=100)
    role: Role | None = None
    scopes: list[Scope] = Field(default_factory=list)
    tenant: str | None = Field(default=None, pattern=names.TENANT)
    expires_in_s: float | None = Field(default=None, gt=0, le=10 * 366 * 86400)

    @model_validator(mode="after")
    def _one_of_both(self) -> KeyRequest:
        if (self.role is None) == (not self.scopes):
            raise ValueError("give either a role or scopes")
        return self

    @property
    def granted(self) -> frozenset[Scope]:
        """The scopes asked for."""
        return self.role.scopes if self.role is not None else frozenset(self.scopes)


class KeyRotation(_Strict):
    """For how long the old key goes on working."""

    overlap_s: float = Field(default=3600.0, ge=0, le=30 * 86400)


class KeyInfo(_Strict):
    """An API key without its secret. ``prefix`` is how its text begins; ``owner`` the key that it goes on for."""

    id: str
    prefix: str
    tenant: str
    name: str
    owner: str | None = None
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyCreated(_Strict):
    """A new key. ``api_key`` is its text, shown this once."""

    key: KeyInfo
    api_key: str


class KeyList(_Strict):
    """Oldest first."""

    items: list[KeyInfo]


class WhoAmI(_Strict):
    """The principal that a request's credentials stand for."""

    id: str
    tenant: str
    scopes: list[Scope]


class QuotaState(_Strict):
    """A quota: what is ``used`` of its ``limit`` (null: there is none), and when that begins anew, if by itself."""

    quota: str
    used: float
    limit: float | None
    resets_at: datetime | None = None


class TenantQuotas(_Strict):
    """What holds for a tenant, and what of it was set for this tenant alone."""

    tenant: str
    quotas: Quotas
    overrides: dict[str, int | float | None]


class Usage(_Strict):
    """What a tenant's runs are now, and what has been used since midnight, UTC (``…_today``)."""

    tenant: str
    since: datetime
    queued_evaluations: int = 0
    running_evaluations: int = 0
    queued_trainings: int = 0
    active_trainings: int = 0
    evaluations_today: int = 0
    sandbox_cpu_time_s_today: float = 0.0
    trainings_today: int = 0
    env_steps_today: int = 0
    checkpoint_bytes: int | None = None
    policies: int = 0
    quotas: list[QuotaState] = Field(default_factory=list)


class TicketRequest(_Strict):
    """``stream`` None: for any stream of the tenant."""

    stream: str | None = None


class Ticket(_Strict):
    """Good once, for ``?ticket=`` of an event stream or the ``auth`` message of ``/v1/live``, until ``expires_at``."""

    ticket: str
    expires_at: datetime


class Health(_Strict):
    """The process answers."""

    status: Literal["alive"] = "alive"


class DependencyState(_Strict):
    """One thing that the platform stands on."""

    name: str
    ok: bool
    detail: str | None = None


class Readiness(_Strict):
    """``degraded`` without a sandbox: trainings go on, evaluations are refused with 503."""

    status: Literal["ready", "degraded", "unavailable"]
    dependencies: list[DependencyState]
    queued_evaluations: int = 0
    running_evaluations: int = 0
    running_trainings: int = 0
