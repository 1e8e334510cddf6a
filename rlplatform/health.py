"""Health of the platform: dependencies, and readiness."""

from __future__ import annotations

from typing import Literal, NamedTuple

from rlplatform.json_models import StrictModel


class Dependency(NamedTuple):
    """One dependency of readiness."""

    name: str
    ok: bool
    detail: str | None = None


class PlatformStatus(NamedTuple):
    """State of the platform, as ``/readyz`` and ``rlp doctor`` show it."""

    dependencies: tuple[Dependency, ...]
    queued_evaluations: int = 0
    running_evaluations: int = 0
    running_trainings: int = 0


class Health(StrictModel):
    """The process answers."""

    status: Literal["alive"] = "alive"
    """Always `alive`."""


class DependencyState(StrictModel):
    """State of one part that the platform depends on."""

    name: str
    """Name of the part."""
    ok: bool
    """True if it answers."""
    detail: str | None = None
    """Explanation; null: none."""


class Readiness(StrictModel):
    """Readiness of the platform."""

    status: Literal["ready", "degraded", "unavailable"]
    """`degraded`: no sandbox, so evaluations are refused with 503 and trainings continue."""
    dependencies: list[DependencyState]
    """State of each part that the platform depends on."""
    queued_evaluations: int = 0
    """Evaluations that wait."""
    running_evaluations: int = 0
    """Evaluations that run."""
    running_trainings: int = 0
    """Trainings that run."""
