"""Record of an evaluation: the fold of its events."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import TypeAdapter

from rlplatform.evaluation.events import (
    EvaluationCancelled,
    EvaluationEvent,
    EvaluationFailed,
    EvaluationFinished,
    EvaluationRetried,
    EvaluationStarted,
    EvaluationTestFinished,
)
from rlplatform.evaluation.models import Evaluation, EvaluationRequest, TestResult, Verdict
from rlplatform.runs.events import Event
from rlplatform.runs.index import Facts
from rlplatform.runs.records import NOT_STORED, Run, RunSummary, StoredRun

_TESTS = TypeAdapter(list[TestResult])


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

    @property
    def facts(self) -> Facts:
        """Facts that lists filter and sort by."""
        ended = self.document.finished_at
        return Facts(
            env=self.request.grader.environment,
            score=self.document.score,
            finished_at=ended.timestamp() if ended is not None else None,
        )

    def charge(self, before: Self) -> tuple[str, float]:  # noqa: ARG002
        """Return the CPU seconds of the tests, and of their checkers, of a finished evaluation.

        For a cancelled one, return the seconds from its start, because the rest was not measured. An evaluation that
        failed by our fault costs nothing.
        """
        document = self.document
        if not self.final or document.state == "failed" or document.started_at is None:
            return "", 0.0
        cpu_time_s = sum((test.cpu_time_s or 0.0) + (test.checker_cpu_time_s or 0.0) for test in document.tests)
        if document.state == "cancelled" and document.finished_at is not None:
            cpu_time_s = max(cpu_time_s, (document.finished_at - document.started_at).total_seconds())
        return "sandbox_cpu_s", cpu_time_s

    def to_stored(self) -> StoredRun:
        """Return the run as the database keeps it, with its request and the results of its tests apart."""
        tests = _TESTS.dump_json(self.document.tests).decode()
        record = self.model_dump_json(exclude={"request": True, "epoch": True, "document": {"tests", *NOT_STORED}})
        return StoredRun(self.request.model_dump_json(), tests, record, self.annotations.model_dump_json())

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
                        "files": event.files,
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
