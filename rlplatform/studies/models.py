"""Models of a study: its request, its trials, its state."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, model_validator

from rlplatform.json_models import StrictModel, Text
from rlplatform.runs.states import RunState
from rlplatform.studies.methods import MAX_TRIALS, AnyPruner, AnySampler, GridSampler, PopulationSampler, TpeSampler
from rlplatform.studies.space import Parameter, grid_size
from rlplatform.training.models import TrainingRequest

MAX_TRAININGS = 2000


class StudyRequest(StrictModel):
    """A study to start (`POST /v1/studies`): a search over hyperparameters, whose trials are trainings."""

    name: Text | None = Field(default=None, min_length=1, max_length=100)
    """Name for people; null: none."""
    training: TrainingRequest
    """Training of each trial, as for `POST /v1/trainings`. The study sets its seed, adds the searched
    hyperparameters, and, with a pruner, when the policy is evaluated."""
    space: dict[str, Parameter] = Field(default_factory=dict, max_length=32)
    """Range or choices of each searched hyperparameter, by its name; a dot reaches inside, as in
    `policy_kwargs.net_arch`. A grid may search nothing, and compare seeds only."""
    sampler: AnySampler = Field(default_factory=TpeSampler)
    """Method that chooses the next trial's hyperparameters."""
    pruner: AnyPruner | None = None
    """Method that ends bad trials early; null: none."""
    seeds: list[Annotated[int, Field(ge=0, lt=2**31)]] = Field(default=[0], min_length=1, max_length=MAX_TRIALS)
    """Seeds that each trial is trained with; a trial's value is the mean of their last policy evaluations."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Seed of the sampler."""
    trials: int | None = Field(default=None, ge=1, le=MAX_TRIALS)
    """Largest number of trials; null: no such limit."""
    budget_env_steps: int | None = Field(default=None, ge=1, le=10**13)
    """Environment steps of all trainings together, met within an iteration; null: no such limit."""
    target_return: float | None = None
    """The study ends when a trial's value reaches this; null: no such rule."""
    parallel: int = Field(default=2, ge=1, le=64)
    """Trainings that run at a time."""

    @model_validator(mode="after")
    def _consistent(self) -> StudyRequest:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ from each other")
        if self.training.stop.env_steps is None and (why := self._counts_steps()) is not None:
            raise ValueError(f"training.stop.env_steps is needed with {why}")
        if self.training.resume_from is not None and (why := self._counts_steps()) is not None:
            raise ValueError(f"training.resume_from does not go with {why}, which counts steps from the beginning")
        if isinstance(self.sampler, PopulationSampler):
            self._check_population()
        elif isinstance(self.sampler, GridSampler):
            self._check_grid(self.sampler)
        elif not self.space:
            raise ValueError("space must not be empty, except with sampler grid")
        elif self.trials is None and self.budget_env_steps is None:
            raise ValueError("give at least one of trials, budget_env_steps")
        if (self.planned_trials or 0) * len(self.seeds) > MAX_TRAININGS:
            count = (self.planned_trials or 0) * len(self.seeds)
            raise ValueError(f"trials times seeds are {count:,} trainings; at most {MAX_TRAININGS:,} are accepted")
        return self

    @property
    def planned_trials(self) -> int | None:
        """Largest number of trials that the request allows; None: only the budget limits them."""
        sampler, most = self.sampler, self.trials
        if isinstance(sampler, PopulationSampler):
            return sampler.members * sampler.generations
        if isinstance(sampler, GridSampler):
            whole = grid_size(self.space) * sampler.draws
            return whole if most is None else min(whole, most)
        return most

    def _counts_steps(self) -> str | None:
        """Return the part of the request that needs to know the steps of a training; None if there is none."""
        if self.budget_env_steps is not None:
            return "budget_env_steps"
        if self.pruner is not None:
            return "a pruner"
        return "population-based training" if isinstance(self.sampler, PopulationSampler) else None

    def _check_population(self) -> None:
        if not self.space:
            raise ValueError("space must not be empty, except with sampler grid")
        if self.pruner is not None:
            raise ValueError("pruner does not go with population-based training, which replaces bad members itself")
        if self.trials is not None:
            raise ValueError("trials does not go with population-based training: give members and generations")

    def _check_grid(self, sampler: GridSampler) -> None:
        ranges = [name for name, parameter in self.space.items() if parameter.kind != "categorical"]
        if sampler.draws > 1 and not ranges:
            raise ValueError("sampler.draws must be 1 where all of space is categorical: the trials would be equal")
        if (size := grid_size(self.space) * sampler.draws) > MAX_TRIALS:
            raise ValueError(f"the grid has {size:,} trials; at most {MAX_TRIALS:,} are accepted")


class TrialState(StrEnum):
    """``running -> completed | pruned | cut_short | stopped | failed``."""

    RUNNING = "running"
    COMPLETED = "completed"
    PRUNED = "pruned"
    CUT_SHORT = "cut_short"
    STOPPED = "stopped"
    FAILED = "failed"


class TrialTraining(StrictModel):
    """A training of a trial."""

    seed: int
    """Its seed."""
    training_id: str
    """Its id: `train_…`."""
    from_env_steps: int = 0
    """Environment steps of the checkpoint that it continues from, in population-based training."""
    env_steps: int = 0
    """Environment steps of its own, once it has ended."""
    episode_return_mean: float | None = None
    """Mean return of its last policy evaluation; null: none, or not ended."""


class TrialReport(StrictModel):
    """An intermediate result of a trial."""

    number: int
    """Number of the report, from 1 to the pruner's `reports`."""
    env_steps: int
    """Environment steps of each training at that point."""
    value: float
    """Mean return of the policy evaluations, over the seeds that have come so far."""


class Interval(StrictModel):
    """Interval that holds the true mean with 95 % confidence (Student's t over seeds)."""

    low: float
    """Lower bound."""
    high: float
    """Upper bound."""


class Trial(StrictModel):
    """One choice of hyperparameters, trained with each seed."""

    number: int
    """Number of the trial, from 0."""
    state: TrialState = TrialState.RUNNING
    """`completed` trials are ranked; `cut_short`: the budget did not suffice for a whole one."""
    hyperparameters: dict[str, JsonValue]
    """The searched ones."""
    env_steps: list[int] | None = None
    """Environment steps after which each of its trainings ends, in the order of the seeds; 0: that seed is left out;
    null: the trainings' own criteria end them."""
    parent: int | None = None
    """Population-based training: number of the trial from whose checkpoints it continues."""
    trainings: list[TrialTraining] = Field(default_factory=list)
    """Its trainings, one for each seed that has begun."""
    reports: list[TrialReport] = Field(default_factory=list)
    """Intermediate results."""
    value: float | None = None
    """Mean over the seeds of their last policy evaluation; null: not ended, or without a result."""
    interval: Interval | None = None
    """95 % interval of the value; null: fewer than two seeds."""
    rank: int | None = None
    """1 plus the number of trials that are better beyond doubt: whose interval lies wholly above this one's. Null:
    not completed."""
    message: str | None = None
    """Explanation of a failure."""
    started_at: datetime
    """Time at which it was chosen."""
    finished_at: datetime | None = None
    """Time of its end."""


class StudyState(RunState):
    """``queued -> running <-> paused -> succeeded | stopped | failed``."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"


class Study(StrictModel):
    """State and trials of a study."""

    id: str
    """Id of the study: `study_…`."""
    seq: int = 0
    """Sequence number of the newest event that this document reflects. Events after it continue without a gap."""
    state: StudyState
    """Present state; `succeeded`, `stopped` and `failed` are final."""
    request: StudyRequest
    """The request that started the study."""
    trials: list[Trial] = Field(default_factory=list)
    """All trials, in order; empty in lists."""
    trial_count: int = 0
    """Trials so far."""
    env_steps: int = 0
    """Environment steps of the trainings that have ended."""
    best_trial: int | None = None
    """Number of the completed trial with the highest value; null: none has completed."""
    best_value: float | None = None
    """Value of that trial."""
    best_hyperparameters: dict[str, JsonValue] | None = None
    """Searched hyperparameters of that trial."""
    importances: dict[str, float] = Field(default_factory=dict)
    """Share of each searched hyperparameter in what tells good trials from others (PED-ANOVA), once four trials have
    completed."""
    message: str | None = None
    """Reason why the study waits or has failed; null: neither."""
    stop_reason: str | None = None
    """Reason of a regular end; null before the end."""
    created_at: datetime
    """Time of the request."""
    started_at: datetime | None = None
    """Time at which its owner began."""
    finished_at: datetime | None = None
    """Time of the end."""
