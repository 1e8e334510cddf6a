"""Events of an evaluation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.models import KeptFile, TestResult, Verdict, shown_files
from rlplatform.runs.events import Event
from rlplatform.sandbox.models import SandboxInfo


class EvaluationEvent(Event):
    """Base of all events of an evaluation."""


class EvaluationQueued(EvaluationEvent):
    """The evaluation was accepted and waits."""

    type: Literal["evaluation.queued"] = "evaluation.queued"
    """Type of the event."""
    tests: int
    """Number of tests."""
    max_score: float
    """Points of a submission that is accepted on every test."""
    queue_position: int | None = None
    """Evaluations served before this one at that moment; null: unknown."""
    expected_wait_s: float | None = None
    """Expected wait at that moment, in seconds; null: unknown."""


class EvaluationStarted(EvaluationEvent):
    """An attempt at the evaluation has started."""

    type: Literal["evaluation.started"] = "evaluation.started"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    sandbox: SandboxInfo | None = None
    """Sandbox that judges it; null: not known yet."""


class EvaluationOutput(EvaluationEvent):
    """Standard output of a test that still runs, never of a hidden one. The test's result has all that is kept."""

    telemetry: ClassVar[bool] = True

    type: Literal["evaluation.output"] = "evaluation.output"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    test: str
    """Id of the test."""
    offset: int
    """Characters of this test that were sent before."""
    text: str
    """Further output."""
    truncated: bool = False
    """True: no more output of this test will be sent."""


class EvaluationTestFinished(EvaluationEvent):
    """A test has ended."""

    type: Literal["evaluation.test_finished"] = "evaluation.test_finished"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    result: TestResult
    """Result of the test."""

    def public(self) -> Event:
        shown = self.result.redacted()
        return self if shown is self.result else self.model_copy(update={"result": shown})


class EvaluationRetried(EvaluationEvent):
    """An attempt was lost to a failure of the platform, and the evaluation is queued again. It costs the learner
    nothing."""

    type: Literal["evaluation.retried"] = "evaluation.retried"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    reason: str
    """Reason of the failure."""


class EvaluationFinished(EvaluationEvent):
    """The evaluation has ended with a verdict."""

    final: ClassVar[bool] = True

    type: Literal["evaluation.finished"] = "evaluation.finished"
    """Type of the event."""
    verdict: Verdict
    """First verdict that is not `accepted`, in test order."""
    score: float
    """Points earned."""
    max_score: float
    """Points of a submission that is accepted on every test."""
    tests: list[TestResult]
    """Results of all tests."""
    files: list[KeptFile] = Field(default_factory=list)
    """Files that were kept."""
    sandbox: SandboxInfo | None = None
    """Sandbox that judged the submission."""
    message: str | None = None
    """Explanation of the result; null: none."""

    def public(self) -> Event:
        shown = [test.redacted() for test in self.tests]
        if all(test is before for test, before in zip(shown, self.tests, strict=True)):
            return self
        return self.model_copy(update={"tests": shown, "files": shown_files(self.files, self.tests)})


class EvaluationCancelled(EvaluationEvent):
    """The evaluation was cancelled."""

    final: ClassVar[bool] = True

    type: Literal["evaluation.cancelled"] = "evaluation.cancelled"
    """Type of the event."""
    reason: str
    """Reason of the cancellation."""


class EvaluationFailed(EvaluationEvent):
    """The platform could not evaluate the submission, after all attempts. This is not a verdict."""

    final: ClassVar[bool] = True

    type: Literal["evaluation.failed"] = "evaluation.failed"
    """Type of the event."""
    reason: str
    """Reason of the failure."""
