"""Events of a training."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rlplatform.episodes.models import EpisodeInfo
from rlplatform.runs.events import Event
from rlplatform.training.models import CheckpointInfo, EvaluationReport, Progress


class TrainingEvent(Event):
    """Common fields of all events of a training."""

    simulated: bool = False
    """True if the simulated engine runs the training, which trains nothing."""


class TrainingQueued(TrainingEvent):
    """The training was accepted and waits."""

    type: Literal["training.queued"] = "training.queued"
    """Type of the event."""
    queue_position: int | None = None
    """Trainings served before this one at that moment; null: unknown."""


class TrainingWaiting(TrainingEvent):
    """It is the training's turn, but the cluster has no room for it at the moment. It starts as soon as there is."""

    type: Literal["training.waiting"] = "training.waiting"
    """Type of the event."""
    reason: str
    """Resources that the training waits for."""


class TrainingStarting(TrainingEvent):
    """A trainer has been placed; its engine is being built."""

    type: Literal["training.starting"] = "training.starting"
    """Type of the event."""
    epoch: int
    """Number of the trainer, counted up with every placement: the fencing token of its writes."""


class TrainingStarted(TrainingEvent):
    """The first iteration begins."""

    type: Literal["training.started"] = "training.started"
    """Type of the event."""
    manifest: dict[str, object]
    """Record of how the training is run: request, seed, package versions, code hash and hardware."""


class TrainingIterationCompleted(TrainingEvent):
    """An iteration has ended."""

    telemetry: ClassVar[bool] = True

    type: Literal["training.iteration_completed"] = "training.iteration_completed"
    """Type of the event."""
    iteration: int
    """Iterations so far."""
    env_steps: int
    """Environment steps so far."""
    episodes: int
    """Episodes that have ended so far."""
    train_wall_s: float
    """Time spent on training so far, in seconds."""
    metrics: dict[str, float]
    """Metrics of the iteration, by `group/name`."""
    parameters_sha256: str | None = None
    """SHA-256 over all parameters of policy and value function after the iteration; null: recorded before this was."""


class TrainingEvaluated(TrainingEvent):
    """The policy was evaluated."""

    type: Literal["training.evaluated"] = "training.evaluated"
    """Type of the event."""
    iteration: int
    """Iterations so far."""
    env_steps: int
    """Environment steps so far."""
    report: EvaluationReport
    """Result of the evaluation."""
    episodes: list[EpisodeInfo] = Field(default_factory=list)
    """Episodes of it that were recorded; empty: none."""


class TrainingProgressed(TrainingEvent):
    """A long rollout or evaluation continues: it has come so far."""

    telemetry: ClassVar[bool] = True

    type: Literal["training.progressed"] = "training.progressed"
    """Type of the event."""
    phase: Literal["rollout", "evaluation"]
    """Kind of work: a rollout or an evaluation."""
    iteration: int
    """Number of the iteration that the rollout belongs to, or that the evaluation follows."""
    env_steps: int
    """Environment steps taken in it so far."""


class TrainingEvaluationCutShort(TrainingEvent):
    """An evaluation ended before all its episodes had. Training is not affected."""

    type: Literal["training.evaluation_cut_short"] = "training.evaluation_cut_short"
    """Type of the event."""
    iteration: int
    """Number of the last completed iteration."""
    env_steps: int
    """Environment steps of the training so far."""
    reason: str
    """Reason: its bound of steps or seconds, or a command."""
    report: EvaluationReport | None = None
    """Report over the episodes that had ended; null: none had. Short episodes end first, so it is biased."""


class TrainingEnvironmentFault(TrainingEvent):
    """Code of a user failed: an environment, whose episode was truncated, or a reward function, whose reward was 0."""

    type: Literal["training.environment_fault"] = "training.environment_fault"
    """Type of the event."""
    iteration: int
    """Number of the last completed iteration."""
    source: str
    """Id of the environment, or `reward`."""
    kind: Literal["exception", "malformed", "invalid", "crash", "hang", "memory"]
    """Kind of the fault: an exception; a result of another form; NaN or a value outside its space; the end of its
    process; no answer in time; too much memory."""
    count: int
    """Copies that it concerned."""
    message: str
    """Error, with the lines of the user's code."""
    total: int
    """Faults of the training so far; more than `max_environment_faults` end it."""


class TrainingCheckpointSaved(TrainingEvent):
    """A checkpoint was saved."""

    type: Literal["training.checkpoint_saved"] = "training.checkpoint_saved"
    """Type of the event."""
    checkpoint: CheckpointInfo
    """The checkpoint."""


class TrainingPauseRequested(TrainingEvent):
    """A pause was requested."""

    type: Literal["training.pause_requested"] = "training.pause_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""


class TrainingPaused(TrainingEvent):
    """The training is paused, after a checkpoint."""

    type: Literal["training.paused"] = "training.paused"
    """Type of the event."""
    progress: Progress
    """Counters so far."""


class TrainingResumeRequested(TrainingEvent):
    """Continuing was requested."""

    type: Literal["training.resume_requested"] = "training.resume_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""


class TrainingResumed(TrainingEvent):
    """The training continues."""

    type: Literal["training.resumed"] = "training.resumed"
    """Type of the event."""
    progress: Progress
    """Counters so far."""


class TrainingStopRequested(TrainingEvent):
    """A stop was requested."""

    type: Literal["training.stop_requested"] = "training.stop_requested"
    """Type of the event."""
    by: str
    """Id of the principal that requested it."""
    reason: str = "stop_requested"
    """Stop reason that the training will have."""


class TrainingInterrupted(TrainingEvent):
    """The trainer was lost, or has left as planned. The training is recovered from its newest valid checkpoint."""

    type: Literal["training.interrupted"] = "training.interrupted"
    """Type of the event."""
    reason: str
    """Reason of the interruption."""
    retry_in_s: float
    """Time until the recovery is tried, in seconds."""
    planned: bool = False
    """True if nothing failed: a shutdown, or a wait for room."""


class TrainingRecovered(TrainingEvent):
    """The training continues from a checkpoint, or from the beginning if there is none. Later iterations are done
    again."""

    type: Literal["training.recovered"] = "training.recovered"
    """Type of the event."""
    checkpoint_id: str | None
    """Id of the checkpoint; null: from the beginning."""
    iteration: int
    """Iterations at the checkpoint."""
    env_steps: int
    """Environment steps at the checkpoint."""
    redone_iterations: int
    """Iterations that are done again."""
    redone_env_steps: int
    """Environment steps that are done again."""


class TrainingSucceeded(TrainingEvent):
    """The training has ended: a stop criterion was met."""

    final: ClassVar[bool] = True

    type: Literal["training.succeeded"] = "training.succeeded"
    """Type of the event."""
    stop_reason: str
    """Stop criterion that was met."""
    progress: Progress
    """Final counters."""


class TrainingStopped(TrainingEvent):
    """The training was stopped, after a last checkpoint."""

    final: ClassVar[bool] = True

    type: Literal["training.stopped"] = "training.stopped"
    """Type of the event."""
    stop_reason: str
    """Reason of the stop."""
    progress: Progress
    """Final counters."""


class TrainingFailed(TrainingEvent):
    """The training has ended with an error."""

    final: ClassVar[bool] = True

    type: Literal["training.failed"] = "training.failed"
    """Type of the event."""
    code: str
    """Stable code of the error."""
    reason: str
    """Reason of the failure."""
    progress: Progress
    """Final counters."""
