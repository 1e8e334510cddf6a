"""Methods of a study: samplers, which choose trials, and pruners, which end bad ones early."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rlplatform.json_models import StrictModel

MAX_TRIALS = 1000


class TpeSampler(StrictModel):
    """Tree-structured Parzen estimator: searches near what did well (Bergstra et al., 2011)."""

    kind: Literal["tpe"] = "tpe"
    """Selects this sampler."""
    startup_trials: int = Field(default=10, ge=1, le=MAX_TRIALS)
    """Trials that are drawn at random before the estimator has a say."""


class RandomSampler(StrictModel):
    """Draws each trial at random, regardless of the others."""

    kind: Literal["random"] = "random"
    """Selects this sampler."""


class GridSampler(StrictModel):
    """Tries every combination of the choices."""

    kind: Literal["grid"] = "grid"
    """Selects this sampler."""
    draws: int = Field(default=1, ge=1, le=MAX_TRIALS)
    """Trials of each combination; ranges in the space are drawn at random for each. Without ranges it must be 1."""


class PopulationSampler(StrictModel):
    """Population-based training (Jaderberg et al., 2017). Each generation of trials continues from checkpoints of the
    one before: the worst members copy a good member's checkpoint and change its hyperparameters."""

    kind: Literal["population"] = "population"
    """Selects this sampler."""
    members: int = Field(default=8, ge=2, le=100)
    """Trials of each generation."""
    generations: int = Field(default=5, ge=2, le=100)
    """Generations; each trains an equal part of `training.stop.env_steps`."""
    quantile: float = Field(default=0.25, gt=0, le=0.5)
    """Share of members that is replaced, and share that is copied."""
    resample: float = Field(default=0.25, ge=0, le=1)
    """Probability that a changed hyperparameter is drawn from the space again; otherwise it is multiplied by 0.8 or
    1.25."""


AnySampler = Annotated[TpeSampler | RandomSampler | GridSampler | PopulationSampler, Field(discriminator="kind")]


class MedianPruner(StrictModel):
    """Prunes a trial whose best report so far is below the median of the other trials' reports at that point."""

    kind: Literal["median"] = "median"
    """Selects this pruner."""
    reports: int = Field(default=10, ge=2, le=100)
    """Policy evaluations of each training that are compared, at equal distances in environment steps."""
    startup_trials: int = Field(default=5, ge=1, le=MAX_TRIALS)
    """Trials that must have ended before any is pruned."""
    warmup_reports: int = Field(default=1, ge=0, le=99)
    """Reports of a trial before it can be pruned."""


class HyperbandPruner(StrictModel):
    """Prunes by successive halving, in brackets that begin it early or late (Li et al., 2018)."""

    kind: Literal["hyperband"] = "hyperband"
    """Selects this pruner."""
    reports: int = Field(default=9, ge=2, le=100)
    """Policy evaluations of each training that are compared, at equal distances in environment steps."""
    min_reports: int = Field(default=1, ge=1, le=99)
    """Reports of a trial before the earliest bracket can prune it."""
    reduction_factor: int = Field(default=3, ge=2, le=10)
    """At each halving the best of this many trials goes on."""

    @model_validator(mode="after")
    def _room(self) -> HyperbandPruner:
        if self.min_reports >= self.reports:
            raise ValueError(f"min_reports must be less than reports, {self.reports}; got {self.min_reports}")
        return self


AnyPruner = Annotated[MedianPruner | HyperbandPruner, Field(discriminator="kind")]
