"""The records that the store keeps: an evaluation, a training or a policy, as its lifecycle events have made it.

``run.apply(event)`` is the only way a record changes, inside the store's append: a record is always the fold of its
stream.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from rlplatform import events
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, Verdict
from rlplatform.policies.models import PolicyInfo
from rlplatform.training.models import Progress, Training, TrainingState

Desired = Literal["run", "pause", "stop"]


class RunBase(BaseModel):
    """Common part of evaluations and trainings. ``epoch`` is the fencing token: only the newest owner may append.

    ``stored_bytes`` is the size of its request and events, as far as they were counted to the tenant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    tenant: str
    created_by: str
    epoch: int = 0
    seq: int = 0
    stored_bytes: int = 0

    @property
    def stream(self) -> str:
        return events.stream_of(self.id)

    def _stored_with(self, event: events.EventBase, size: int | None) -> int:
        """Return the stored size after ``event``."""
        before = self.stored_bytes if self.seq else 0
        return before + (len(event.model_dump_json()) if size is None else size)


class EvaluationRun(RunBase):
    kind: Literal["evaluation"] = "evaluation"
    request: EvaluationRequest
    document: Evaluation

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return self.document.state in ("finished", "cancelled", "failed")

    def apply(self, event: events.EventBase, size: int | None = None) -> EvaluationRun:
        """Return this run after ``event``. ``size``: characters of its JSON, if they are known."""
        document = self.document
        match event:
            case events.EvaluationStarted():
                document = document.model_copy(
                    update={
                        "state": "running",
                        "attempts": event.attempt,
                        "started_at": document.started_at or event.time,
                        "tests": [],
                    }
                )
            case events.EvaluationTestFinished():
                document = document.model_copy(update={"tests": [*document.tests, event.result]})
            case events.EvaluationRetried():
                document = document.model_copy(update={"state": "queued", "attempts": event.attempt, "tests": []})
            case events.EvaluationFinished():
                document = document.model_copy(
                    update={
                        "state": "finished",
                        "verdict": event.verdict,
                        "score": event.score,
                        "tests": event.tests,
                        "sandbox": event.sandbox,
                        "message": event.message,
                        "finished_at": event.time,
                    }
                )
            case events.EvaluationCancelled():
                document = document.model_copy(
                    update={
                        "state": "cancelled",
                        "verdict": Verdict.CANCELLED,
                        "message": event.reason,
                        "finished_at": event.time,
                    }
                )
            case events.EvaluationFailed():
                document = document.model_copy(
                    update={"state": "failed", "message": event.reason, "finished_at": event.time}
                )
        document = document.model_copy(update={"seq": event.seq})
        opening = len(self.request.model_dump_json()) if not self.seq else 0
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size) + opening}
        return self.model_copy(update={"document": document, **counted})


class TrainingRun(RunBase):
    """``charged_env_steps``: the most that the run had come to at any time (its parent's to begin with): steps done
    again after a recovery are charged to nobody. None: no further than ``document.progress``."""

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

    def apply(self, event: events.EventBase, size: int | None = None) -> TrainingRun:
        """Return this run after ``event``. ``size``: characters of its JSON, if they are known."""
        changes: dict[str, object] = {}
        desired, stop_reason, charged = self.desired, self.stop_reason, self.charged_env_steps
        match event:
            case events.TrainingWaiting():
                changes = {"message": event.reason}
            case events.TrainingStarting():
                waited = self.document.state is TrainingState.QUEUED
                changes = {"state": TrainingState.STARTING, **({"message": None} if waited else {})}
            case events.TrainingStarted():
                changes = {
                    "state": TrainingState.RUNNING,
                    "manifest": event.manifest,
                    "started_at": self.document.started_at or event.time,
                }
            case events.TrainingIterationCompleted():
                progress = Progress(
                    iteration=event.iteration,
                    env_steps=event.env_steps,
                    episodes=event.episodes,
                    train_wall_s=event.train_wall_s,
                )
                changes = {"progress": progress, "metrics": event.metrics}
                charged = max(charged or 0, self.document.progress.env_steps, event.env_steps)
            case events.TrainingEvaluated():
                changes = {"evaluation": event.report}
            case events.TrainingCheckpointSaved():
                changes = {"checkpoint": event.checkpoint}
            case events.TrainingPauseRequested() | events.TrainingResumeRequested() if desired == "stop":
                pass  # asked for by who had not seen the stop, which cannot be taken back
            case events.TrainingPauseRequested():
                desired = "pause"
            case events.TrainingResumeRequested():
                desired = "run"
            case events.TrainingStopRequested():
                desired, stop_reason = "stop", event.reason
            case events.TrainingPaused():
                changes = {"state": TrainingState.PAUSED, "progress": event.progress}
            case events.TrainingResumed():
                changes = {"state": TrainingState.RUNNING, "progress": event.progress}
            case events.TrainingInterrupted():
                changes = {
                    "state": TrainingState.INTERRUPTED,
                    "message": event.reason,
                    "restarts": self.document.restarts + (0 if event.planned else 1),
                }
            case events.TrainingRecovered():
                changes = {
                    "state": TrainingState.RUNNING,
                    "message": None,
                    "progress": self.document.progress.model_copy(
                        update={"iteration": event.iteration, "env_steps": event.env_steps}
                    ),
                }
            case events.TrainingSucceeded() | events.TrainingStopped():
                final = TrainingState.SUCCEEDED if event.type == "training.succeeded" else TrainingState.STOPPED
                changes = {"state": final, "stop_reason": event.stop_reason, "progress": event.progress}
            case events.TrainingFailed():
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


class PolicyRecord(RunBase):
    """A published policy, until it is deleted. Nothing runs: it is kept like a run, for its events and its replays."""

    kind: Literal["policy"] = "policy"
    document: PolicyInfo

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return self.document.state == "deleted"

    def apply(self, event: events.EventBase, size: int | None = None) -> PolicyRecord:
        """Return this record after ``event``. ``size``: characters of its JSON, if they are known."""
        document = self.document
        if isinstance(event, events.PolicyDeleted):
            document = document.model_copy(update={"state": "deleted", "deleted_at": event.time})
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size)}
        return self.model_copy(update={"document": document, **counted})


Run = EvaluationRun | TrainingRun | PolicyRecord
_ADAPTER: TypeAdapter[Run] = TypeAdapter(Annotated[Run, Field(discriminator="kind")])


class _Summary(BaseModel):
    """Entry of a list of runs, without anything that may be large. ``document`` of an evaluation has no tests."""

    model_config = ConfigDict(frozen=True)

    id: str
    tenant: str
    created_by: str
    document: Evaluation | Training | PolicyInfo

    @property
    def state(self) -> str:
        return str(self.document.state)


class EvaluationSummary(_Summary):
    kind: Literal["evaluation"] = "evaluation"
    document: Evaluation


class TrainingSummary(_Summary):
    kind: Literal["training"] = "training"
    document: Training


class PolicySummary(_Summary):
    kind: Literal["policy"] = "policy"
    document: PolicyInfo


RunSummary = EvaluationSummary | TrainingSummary | PolicySummary
_SUMMARIES: TypeAdapter[RunSummary] = TypeAdapter(Annotated[RunSummary, Field(discriminator="kind")])


def parse_run(text: str | bytes) -> Run:
    """Return the run that a JSON document holds."""
    return _ADAPTER.validate_json(text)


def parse_summary(text: str | bytes) -> RunSummary:
    """Return the summary of the run that a JSON document holds, whole or without request and tests."""
    return _without_tests(_SUMMARIES.validate_json(text))


def summarize(run: Run) -> RunSummary:
    """Return the summary of ``run``."""
    return _without_tests(_SUMMARIES.validate_python(run, from_attributes=True))


def _without_tests(summary: RunSummary) -> RunSummary:
    if not isinstance(summary, EvaluationSummary) or not summary.document.tests:
        return summary
    return summary.model_copy(update={"document": summary.document.model_copy(update={"tests": []})})
