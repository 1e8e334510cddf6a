"""Record of a study: the fold of its events."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from rlplatform.runs.events import Event
from rlplatform.runs.index import Facts
from rlplatform.runs.records import Run, RunSummary
from rlplatform.studies.events import (
    StudyEvent,
    StudyFailed,
    StudyPaused,
    StudyPauseRequested,
    StudyResumed,
    StudyResumeRequested,
    StudyStarted,
    StudyStopped,
    StudyStopRequested,
    StudySucceeded,
    StudyTrialFinished,
    StudyTrialPruned,
    StudyTrialReported,
    StudyTrialStarted,
    StudyTrialSuggested,
    StudyWaiting,
)
from rlplatform.studies.models import Study, StudyState, Trial, TrialState, TrialTraining
from rlplatform.studies.ranking import best, ranked

Desired = Literal["run", "pause", "stop"]


class StudyRun(Run):
    """Record of a study. ``desired`` is what was last requested; a stop cannot be withdrawn."""

    event: ClassVar[type[Event]] = StudyEvent

    kind: Literal["study"] = "study"
    desired: Desired = "run"
    document: Study

    @property
    def state(self) -> str:
        return self.document.state.value

    @property
    def final(self) -> bool:
        return self.document.state.final

    @property
    def facts(self) -> Facts:
        """Facts that lists filter and sort by."""
        document = self.document
        return Facts(
            env=document.request.training.env,
            score=document.best_value,
            env_steps=document.env_steps,
            finished_at=document.finished_at.timestamp() if document.finished_at is not None else None,
        )

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return this run after ``event``. ``size``: characters of its JSON, if they are known."""
        changes: dict[str, Any] = {}
        desired = self.desired
        match event:
            case StudyStarted():
                changes = {"started_at": self.document.started_at or event.time, "message": None}
                if self.document.state is StudyState.QUEUED:
                    changes["state"] = StudyState.RUNNING
            case StudyWaiting():
                changes = {"message": event.reason}
            case StudyTrialSuggested():
                new = Trial(
                    number=event.trial,
                    hyperparameters=event.hyperparameters,
                    env_steps=event.env_steps,
                    parent=event.parent,
                    started_at=event.time,
                )
                changes = {"trials": [*self.document.trials, new], "trial_count": event.trial + 1}
            case StudyTrialStarted():
                begun = TrialTraining(
                    seed=event.seed, training_id=event.training_id, from_env_steps=event.from_env_steps
                )
                trainings = [*self.document.trials[event.trial].trainings, begun]
                changes = {"message": None, "trials": self._with(event.trial, trainings=trainings)}
            case StudyTrialReported():
                reports = [*self.document.trials[event.trial].reports, event.report]
                changes = {"trials": self._with(event.trial, reports=reports)}
            case StudyTrialPruned():
                changes = {"trials": self._with(event.trial, state=TrialState.PRUNED)}
            case StudyTrialFinished():
                changes = self._finished(event)
            case StudyPauseRequested() | StudyResumeRequested() if desired == "stop":
                pass
            case StudyPauseRequested():
                desired = "pause"
            case StudyResumeRequested():
                desired = "run"
            case StudyStopRequested():
                desired = "stop"
            case StudyPaused():
                changes = {"state": StudyState.PAUSED, "message": None}
            case StudyResumed():
                changes = {"state": StudyState.RUNNING}
            case StudySucceeded() | StudyStopped():
                state = StudyState.SUCCEEDED if isinstance(event, StudySucceeded) else StudyState.STOPPED
                changes = {"state": state, "stop_reason": event.stop_reason, "message": None}
            case StudyFailed():
                changes = {"state": StudyState.FAILED, "stop_reason": event.code, "message": event.reason}
        if event.final:
            changes["finished_at"] = event.time
        document = self.document.model_copy(update={**changes, "seq": event.seq})
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size), "desired": desired}
        return self.model_copy(update={"document": document, **counted})

    def _with(self, number: int, **changes: Any) -> list[Trial]:
        """Return the trials, one of them changed."""
        trials = list(self.document.trials)
        trials[number] = trials[number].model_copy(update=changes)
        return trials

    def _finished(self, event: StudyTrialFinished) -> dict[str, Any]:
        """Return what the end of a trial changes, the ranks of all included."""
        ended = {"state": event.state, "trainings": event.trainings, "value": event.value, "interval": event.interval}
        trials = ranked(self._with(event.trial, **ended, message=event.message, finished_at=event.time))
        changes: dict[str, Any] = {
            "trials": trials,
            "env_steps": self.document.env_steps + sum(training.env_steps for training in event.trainings),
            "importances": event.importances or self.document.importances,
        }
        if (top := best(trials)) is not None:
            changes |= {"best_trial": top.number, "best_value": top.value, "best_hyperparameters": top.hyperparameters}
        return changes


class StudySummary(RunSummary):
    kind: Literal["study"] = "study"
    document: Study
