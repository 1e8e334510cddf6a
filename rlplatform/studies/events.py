"""Events of a study."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from rlplatform.runs.events import Event
from rlplatform.studies.models import Interval, TrialReport, TrialState, TrialTraining


class StudyEvent(Event):
    """Base of all events of a study."""


class StudyQueued(StudyEvent):
    """The study was accepted."""

    type: Literal["study.queued"] = "study.queued"
    """Type of the event."""


class StudyStarted(StudyEvent):
    """An owner begins the study, or continues it after the loss of the owner before."""

    type: Literal["study.started"] = "study.started"
    """Type of the event."""
    epoch: int
    """Number of the owner: the fencing token of its writes."""


class StudyWaiting(StudyEvent):
    """A trial cannot start for now. It is tried again."""

    type: Literal["study.waiting"] = "study.waiting"
    """Type of the event."""
    reason: str
    """Reason, for example a full queue."""


class StudyTrialSuggested(StudyEvent):
    """The hyperparameters of a new trial were chosen."""

    type: Literal["study.trial_suggested"] = "study.trial_suggested"
    """Type of the event."""
    trial: int
    """Number of the trial, from 0."""
    hyperparameters: dict[str, JsonValue]
    """The searched ones."""
    env_steps: list[int] | None = None
    """Environment steps after which each of its trainings ends, in the order of the seeds; 0: that seed is left out;
    null: the trainings' own criteria end them."""
    parent: int | None = None
    """Number of the trial from whose checkpoints it continues; null: it starts afresh."""


class StudyTrialStarted(StudyEvent):
    """A training of a trial was queued."""

    type: Literal["study.trial_started"] = "study.trial_started"
    """Type of the event."""
    trial: int
    """Number of the trial."""
    seed: int
    """Seed of the training."""
    training_id: str
    """Id of the training."""
    from_env_steps: int = 0
    """Environment steps of the checkpoint that it continues from."""


class StudyTrialReported(StudyEvent):
    """A trial has an intermediate result."""

    type: Literal["study.trial_reported"] = "study.trial_reported"
    """Type of the event."""
    trial: int
    """Number of the trial."""
    report: TrialReport
    """The result."""


class StudyTrialPruned(StudyEvent):
    """A trial does badly; its trainings are stopped."""

    type: Literal["study.trial_pruned"] = "study.trial_pruned"
    """Type of the event."""
    trial: int
    """Number of the trial."""
    report: int
    """Number of the report that decided."""


class StudyTrialFinished(StudyEvent):
    """All trainings of a trial have ended."""

    type: Literal["study.trial_finished"] = "study.trial_finished"
    """Type of the event."""
    trial: int
    """Number of the trial."""
    state: TrialState
    """Final state of the trial."""
    trainings: list[TrialTraining]
    """Its trainings, with their results."""
    value: float | None = None
    """Mean over the seeds; null: no result."""
    interval: Interval | None = None
    """95 % interval of the value; null: fewer than two seeds."""
    importances: dict[str, float] = Field(default_factory=dict)
    """Importance of each searched hyperparameter, over all trials so far; empty: too few."""
    message: str | None = None
    """Explanation of a failure."""


class StudyPauseRequested(StudyEvent):
    """A pause was requested."""

    type: Literal["study.pause_requested"] = "study.pause_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""


class StudyPaused(StudyEvent):
    """All trainings of the study are paused or have ended."""

    type: Literal["study.paused"] = "study.paused"
    """Type of the event."""


class StudyResumeRequested(StudyEvent):
    """Continuing was requested."""

    type: Literal["study.resume_requested"] = "study.resume_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""


class StudyResumed(StudyEvent):
    """The study continues."""

    type: Literal["study.resumed"] = "study.resumed"
    """Type of the event."""


class StudyStopRequested(StudyEvent):
    """A stop was requested."""

    type: Literal["study.stop_requested"] = "study.stop_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""


class StudySucceeded(StudyEvent):
    """The study has ended: its trials, its budget or its target was reached."""

    final: ClassVar[bool] = True

    type: Literal["study.succeeded"] = "study.succeeded"
    """Type of the event."""
    stop_reason: str
    """Limit that was reached: `trials`, `budget_env_steps` or `target_return`."""


class StudyStopped(StudyEvent):
    """The study was stopped, with all its trainings."""

    final: ClassVar[bool] = True

    type: Literal["study.stopped"] = "study.stopped"
    """Type of the event."""
    stop_reason: str = "stop_requested"
    """Reason of the stop."""


class StudyFailed(StudyEvent):
    """The study has ended with an error."""

    final: ClassVar[bool] = True

    type: Literal["study.failed"] = "study.failed"
    """Type of the event."""
    code: str
    """Stable code of the error."""
    reason: str
    """Reason of the failure."""
