"""Models of a comparison of trainings: curves grouped by everything but the seed, and what tells the groups apart."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from rlplatform.json_models import StrictModel
from rlplatform.training.models import TrainingState

MAX_RUNS = 100
RETURN = "rollout/episode_return_mean"
Axis = Literal["env_steps", "train_wall_s"]


class Estimate(StrictModel):
    """Interquartile mean over runs, with its 95 % bootstrap interval (percentiles of resampled runs)."""

    iqm: float
    """Interquartile mean: the mean of the middle half of the runs."""
    low: float
    """Lower bound of the interval."""
    high: float
    """Upper bound of the interval."""
    mean: float
    """Mean of all runs."""
    runs: int
    """Runs that the estimate is of. With one run the interval is that run's value."""


class Band(StrictModel):
    """Interquartile mean of a group over the axis, with 95 % bootstrap intervals: columns of equal length."""

    x: list[float]
    """Places on the axis."""
    iqm: list[float]
    """Interquartile mean of the runs that have come that far."""
    low: list[float]
    """Lower bounds."""
    high: list[float]
    """Upper bounds."""
    runs: list[int]
    """Number of runs that have come that far."""


class EvaluatedPoint(StrictModel):
    """Evaluation of a policy, with its spread over episodes."""

    x: float
    """Place on the axis."""
    mean: float
    """Mean return of the episodes."""
    std: float
    """Standard deviation of the returns."""
    episodes: int
    """Number of episodes."""


class ComparedRun(StrictModel):
    """One training of a comparison."""

    id: str
    """Id of the training."""
    name: str | None
    """Name of the run; null: none."""
    seed: int
    """Seed of the training."""
    state: TrainingState
    """Present state."""
    env_steps: int
    """Environment steps so far."""
    train_wall_s: float
    """Time spent on training so far, in seconds."""
    x: list[float]
    """Places on the axis, in order."""
    y: list[float]
    """Values of the metric there."""
    evaluations: list[EvaluatedPoint]
    """Evaluations of the policy so far, oldest first."""


class ComparedGroup(StrictModel):
    """Trainings that differ in their seed alone."""

    title: str
    """Settings that tell the group from the others, in a line."""
    runs: list[ComparedRun]
    """Trainings of the group, by seed."""
    band: Band
    """Interquartile mean of the metric, with its interval."""
    final: Estimate | None
    """Estimate of the last value of the metric; null: no run has one."""
    best: Estimate | None
    """Estimate of the highest value of the metric, of those that the curves keep; null: no run has one."""
    evaluation: Estimate | None
    """Estimate of the mean return of the last policy evaluation; null: no run has been evaluated."""


class ComparedSetting(StrictModel):
    """A setting, with its value in each group."""

    name: str
    """Name of the setting, for example `hyperparameters.learning_rate`."""
    values: list[JsonValue]
    """Values, in the order of the groups; null where the setting does not apply."""
    given: list[bool]
    """True where the request gave the value: it overrides preset and default."""
    differs: bool
    """True if not all groups have the same value."""


class Comparison(StrictModel):
    """Comparison of trainings."""

    metric: str
    """Metric that is compared."""
    x: Axis
    """Axis: environment steps, or seconds of training."""
    metrics: list[str]
    """Metrics that the trainings have."""
    groups: list[ComparedGroup]
    """Groups, best final estimate first."""
    settings: list[ComparedSetting]
    """Settings of the groups: those that differ first, then by name."""
    left_out: int
    """Trainings that were found, but not compared because there were more than 100."""
