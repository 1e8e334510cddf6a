"""Record of an evaluation: the fold of its events."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from rlplatform.evaluation.events import (
    EvaluationCancelled,
    EvaluationEvent,
    EvaluationFailed,
    EvaluationFinished,
    EvaluationRetried,
    EvaluationStarted,
    EvaluationTestFinished,
)
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, Verdict
from rlplatform.runs.events import Event
from rlplatform.runs.records import Run, RunSummary


class EvaluationRun(Run):
    event: ClassVar[type[Event]] = EvaluationEvent

    kind: Literal["evaluation"] = "evaluation"
    request: EvaluationRequest
    document: Evaluation

    @property
    def state(self) -> str:
        return self.document.state

    @property
    def final(self) -> bool:
        return self.document.state in ("finished", "cancelled", "failed")

    def apply(self, event: Event, size: int | None = None) -> Self:
        """Return this run after ``event``. ``size``: characters of its JSON, if they are known."""
        document = self.document
        match event:
            case EvaluationStarted():
                document = document.model_copy(
                    update={
                        "state": "running",
                        "attempts": event.attempt,
                        "started_at": document.started_at or event.time,
                        "tests": [],
                    }
                )
            case EvaluationTestFinished():
                document = document.model_copy(update={"tests": [*document.tests, event.result]})
            case EvaluationRetried():
                document = document.model_copy(update={"state": "queued", "attempts": event.attempt, "tests": []})
            case EvaluationFinished():
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
            case EvaluationCancelled():
                document = document.model_copy(
                    update={
                        "state": "cancelled",
                        "verdict": Verdict.CANCELLED,
                        "message": event.reason,
                        "finished_at": event.time,
                    }
                )
            case EvaluationFailed():
                document = document.model_copy(
                    update={"state": "failed", "message": event.reason, "finished_at": event.time}
                )
        document = document.model_copy(update={"seq": event.seq})
        opening = len(self.request.model_dump_json()) if not self.seq else 0
        counted = {"seq": event.seq, "stored_bytes": self._stored_with(event, size) + opening}
        return self.model_copy(update={"document": document, **counted})


class EvaluationSummary(RunSummary):
    kind: Literal["evaluation"] = "evaluation"
    document: Evaluation
