"""Metrics of a training over time."""

from __future__ import annotations

from rlplatform.json_models import StrictModel


class MetricSeries(StrictModel):
    """Metrics over time: columns of equal length, one row for each iteration that is kept. Iterations repeated after a
    recovery are there once."""

    training_id: str
    """Id of the training."""
    simulated: bool
    """True if the simulated engine runs it, which trains nothing."""
    stride: int
    """Every `stride`-th iteration is kept, and the last."""
    iteration: list[int]
    """Iterations."""
    env_steps: list[int]
    """Environment steps at each iteration."""
    train_wall_s: list[float]
    """Time spent on training at each iteration, in seconds."""
    metrics: dict[str, list[float | None]]
    """Values of each metric; null if an iteration has no such metric."""
