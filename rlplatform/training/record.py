"""Record of a training: the fold of its events."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from rlplatform.runs.events import Event
from rlplatform.runs.index import Facts
from rlplatform.runs.records import Run, RunSummary
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEnvironmentFault,
    TrainingEvaluated,
    TrainingEvent,
    TrainingFailed,
    TrainingInterrupted,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingPauseRequested,
    TrainingRecovered,
    TrainingResumed,
    TrainingResumeRequested,
    TrainingStarted,
    TrainingStarting,
    TrainingStopped,
    TrainingStopRequested,
    TrainingSucceeded,
    TrainingWaiting,
)
from rlplatform.training.models import Progress, Training, TrainingState

Desired = Literal["run", "pause", "stop"]


class TrainingRun(Run):
    """Record of a training.

    ``charged_env_steps`` is the highest number of environment steps that the run has reached, starting at its parent's.
    Steps that a recovery repeats are therefore charged once. None means no more than ``document.progress``.
    """

    event: ClassVar[type[Event]] = TrainingEvent

    kind: Literal["training"] = "training"
    desired: Desired = "run"
    stop_reason: str = "stop_requested"
    charged_env_steps: int | None = None
    document: Training

    @property
    def simulated(self) -> bool:
        return self.document.simulated

    @property
    def state(self) -> str:
        return self.document.state.value

    @property
    def final(self) -> bool:
        return self.document.state.final

    @property
    def facts(self) -> Facts:
        """Facts that lists filter and sort by. A policy evaluation estimates the return better than the rollouts."""
        document = self.document
        score = document.metrics.get("rollout/episode_return_mean")
        return Facts(
            env=document.request.env,
            score=document.evaluation.episode_return_mean if document.evaluation is not None else score,
            env_steps=document.progress.env_steps,
            finished_at=document.finished_at.timestamp() if document.finished_at is not None else None,
        )

    def charge(self, before: Self) -> tuple[str, float]:
        """Return the steps of training since ``before``. Steps that a recovery repeats count once."""
        seen = max(before.charged_env_steps or 0, before.document.progress.env_steps)
        return "env_steps", (self.charged_env_steps or 0) - seen

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return this run after ``event``. ``size``: characters of its JSON, if they are known."""
        changes: dict[str, object] = {}
        desired, stop_reason, charged = self.desired, self.stop_reason, self.charged_env_steps
        match event:
            case TrainingWaiting():
                changes = {"message": event.reason}
            case TrainingStarting():
                waited = self.document.state is TrainingState.QUEUED
                changes = {"state": TrainingState.STARTING, **({"message": None} if waited else {})}
            case TrainingStarted():
                changes = {
                    "state": TrainingState.RUNNING,
                    "manifest": event.manifest,
                    "started_at": self.document.started_at or event.time,
                }
            case TrainingIterationCompleted():
                progress = Progress(
                    iteration=event.iteration,
                    env_steps=event.env_steps,
                    episodes=event.episodes,
                    train_wall_s=event.train_wall_s,
                )
                changes = {"progress": progress, "metrics": event.metrics}
                charged = max(charged or 0, self.document.progress.env_steps, event.env_steps)
            case TrainingEvaluated():
                changes = {"evaluation": event.report}
            case TrainingEnvironmentFault():
                changes = {"environment_faults": event.total}
            case TrainingCheckpointSaved():
                changes = {"checkpoint": event.checkpoint}
            case TrainingPauseRequested() | TrainingResumeRequested() if desired == "stop":
                pass  # requested before the stop was visible; a stop cannot be withdrawn
            case TrainingPauseRequested():
                desired = "pause"
            case TrainingResumeRequested():
                desired = "run"
            case TrainingStopRequested():
                desired, stop_reason = "stop", event.reason
            case TrainingPaused():
                changes = {"state": TrainingState.PAUSED, "progress": event.progress}
            case TrainingResumed():
                changes = {"state": TrainingState.RUNNING, "progress": event.progress}
            case TrainingInterrupted():
                changes = {
                    "state": TrainingState.INTERRUPTED,
                    "message": event.reason,
                    "restarts": self.document.restarts + (0 if event.planned else 1),
                }
            case TrainingRecovered():
                changes = {
                    "state": TrainingState.RUNNING,
                    "message": None,
                    "progress": self.document.progress.model_copy(
                        update={"iteration": event.iteration, "env_steps": event.env_steps}
                    ),
                }
            case TrainingSucceeded() | TrainingStopped():
                final = TrainingState.SUCCEEDED if event.type == "training.succeeded" else TrainingState.STOPPED
                changes = {"state": final, "stop_reason": event.stop_reason, "progress": event.progress}
            case TrainingFailed():
                changes = {
                    "state": TrainingState.FAILED,
                    "stop_reason": event.code,
                    "message": event.reason,
                    "progress": event.progress,
                }
        if changes.get("state") in (TrainingState.SUCCEEDED, TrainingState.STOPPED, TrainingState.FAILED):
            changes["finished_at"] = event.time
        document = self.document.model_copy(update={**changes, "seq": event.seq})
        wishes = {"desired": desired, "stop_reason": stop_reason, "charged_env_steps": charged}
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted, **wishes})


class TrainingSummary(RunSummary):
    kind: Literal["training"] = "training"
    document: Training
