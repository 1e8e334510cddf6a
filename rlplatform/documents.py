"""The documents of the HTTP interface that are no domain models, shared by the API and the client."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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
    """What became of one row: ``evaluation`` where ``status`` is 202, a problem document as ``error`` otherwise."""

    status: int
    evaluation: Evaluation | None = None
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
