"""Everything that happens, as one union of events under one envelope.

An event's JSON is the same in the log, over SSE and WebSocket, and in the Python client. ``seq`` is given by the log:
it starts at 1 and has no gaps within a stream. *Lifecycle* events rebuild the state of a run; *telemetry* events may be
left out for a slow reader, who is told so by ``stream.gap``. Events only ever gain fields; another meaning is another
type.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.ids import Kind, kind_of, new_id
from rlplatform.policies.models import PolicyInfo
from rlplatform.sandbox.models import SandboxInfo
from rlplatform.training.models import CheckpointInfo, EvaluationReport, Progress

_COLLECTIONS = {Kind.EVALUATION: "evaluations", Kind.TRAINING: "trainings", Kind.POLICY: "policies"}


def stream_of(run_id: str) -> str:
    """The stream of a run or a policy: ``evaluations/eval_…``, ``trainings/train_…`` or ``policies/pol_…``."""
    return f"{_COLLECTIONS[kind_of(run_id)]}/{run_id}"


def run_of(stream: str) -> str:
    """The id of the run that a stream belongs to."""
    return stream.partition("/")[2]


class EventBase(BaseModel):
    """The envelope. ``id`` makes an append idempotent: the same id twice is one event."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    telemetry: ClassVar[bool] = False

    id: str = Field(default_factory=lambda: new_id(Kind.EVENT))
    stream: str
    seq: int = 0
    time: datetime

    def public(self) -> EventBase:
        """This event as a submitter may see it."""
        return self


# -- evaluations ------------------------------------------------------------------------------------------------------


class EvaluationQueued(EventBase):
    """``queue_position`` and ``expected_wait_s`` as they were at that moment."""

    type: Literal["evaluation.queued"] = "evaluation.queued"
    tests: int
    max_score: float
    queue_position: int | None = None
    expected_wait_s: float | None = None


class EvaluationStarted(EventBase):
    type: Literal["evaluation.started"] = "evaluation.started"
    attempt: int
    sandbox: SandboxInfo | None = None


class EvaluationOutput(EventBase):
    """Stdout of a test that still runs, never of a hidden one. ``offset``: characters of this test sent before.
    ``truncated``: no more of this test will be sent. All of it that is kept is in the test's result."""

    telemetry: ClassVar[bool] = True

    type: Literal["evaluation.output"] = "evaluation.output"
    attempt: int
    test: str
    offset: int
    text: str
    truncated: bool = False


class EvaluationTestFinished(EventBase):
    type: Literal["evaluation.test_finished"] = "evaluation.test_finished"
    attempt: int
    result: TestResult

    def public(self) -> EventBase:
        return self.model_copy(update={"result": self.result.redacted()})


class EvaluationRetried(EventBase):
    """An attempt was lost to a failure of ours; the evaluation is queued again. Costs the learner nothing."""

    type: Literal["evaluation.retried"] = "evaluation.retried"
    attempt: int
    reason: str


class EvaluationFinished(EventBase):
    type: Literal["evaluation.finished"] = "evaluation.finished"
    verdict: Verdict
    score: float
    max_score: float
    tests: list[TestResult]
    sandbox: SandboxInfo | None = None
    message: str | None = None

    def public(self) -> EventBase:
        return self.model_copy(update={"tests": [test.redacted() for test in self.tests]})


class EvaluationCancelled(EventBase):
    type: Literal["evaluation.cancelled"] = "evaluation.cancelled"
    reason: str


class EvaluationFailed(EventBase):
    """We could not evaluate it, after all attempts. Not a verdict."""

    type: Literal["evaluation.failed"] = "evaluation.failed"
    reason: str


# -- trainings --------------------------------------------------------------------------------------------------------


class TrainingEvent(EventBase):
    """What all events of a training carry: the simulated engine labels every one."""

    simulated: bool = False


class TrainingQueued(TrainingEvent):
    type: Literal["training.queued"] = "training.queued"
    queue_position: int | None = None


class TrainingStarting(TrainingEvent):
    """A trainer has been placed; its engine is being built."""

    type: Literal["training.starting"] = "training.starting"
    epoch: int


class TrainingStarted(TrainingEvent):
    type: Literal["training.started"] = "training.started"
    manifest: dict[str, object]


class TrainingIterationCompleted(TrainingEvent):
    telemetry: ClassVar[bool] = True

    type: Literal["training.iteration_completed"] = "training.iteration_completed"
    iteration: int
    env_steps: int
    episodes: int
    train_wall_s: float
    metrics: dict[str, float]


class TrainingEvaluated(TrainingEvent):
    type: Literal["training.evaluated"] = "training.evaluated"
    iteration: int
    env_steps: int
    report: EvaluationReport


class TrainingCheckpointSaved(TrainingEvent):
    type: Literal["training.checkpoint_saved"] = "training.checkpoint_saved"
    checkpoint: CheckpointInfo


class TrainingPauseRequested(TrainingEvent):
    type: Literal["training.pause_requested"] = "training.pause_requested"
    by: str


class TrainingPaused(TrainingEvent):
    type: Literal["training.paused"] = "training.paused"
    progress: Progress


class TrainingResumeRequested(TrainingEvent):
    type: Literal["training.resume_requested"] = "training.resume_requested"
    by: str


class TrainingResumed(TrainingEvent):
    type: Literal["training.resumed"] = "training.resumed"
    progress: Progress


class TrainingStopRequested(TrainingEvent):
    """``reason`` becomes the run's stop reason."""

    type: Literal["training.stop_requested"] = "training.stop_requested"
    by: str
    reason: str = "stop_requested"


class TrainingInterrupted(TrainingEvent):
    """The trainer was lost; or it left for a shutdown, or the session waits for room (``planned``: nothing failed).
    It is recovered from its newest checkpoint that verifies."""

    type: Literal["training.interrupted"] = "training.interrupted"
    reason: str
    retry_in_s: float
    planned: bool = False


class TrainingRecovered(TrainingEvent):
    """Going on from a checkpoint (from the beginning if there is none); what lay behind it is done again."""

    type: Literal["training.recovered"] = "training.recovered"
    checkpoint_id: str | None
    iteration: int
    env_steps: int
    redone_iterations: int
    redone_env_steps: int


class TrainingSucceeded(TrainingEvent):
    type: Literal["training.succeeded"] = "training.succeeded"
    stop_reason: str
    progress: Progress


class TrainingStopped(TrainingEvent):
    type: Literal["training.stopped"] = "training.stopped"
    stop_reason: str
    progress: Progress


class TrainingFailed(TrainingEvent):
    type: Literal["training.failed"] = "training.failed"
    code: str
    reason: str
    progress: Progress


# -- policies ---------------------------------------------------------------------------------------------------------


class PolicyPublished(EventBase):
    type: Literal["policy.published"] = "policy.published"
    policy: PolicyInfo


class PolicyDeleted(EventBase):
    type: Literal["policy.deleted"] = "policy.deleted"
    by: str


# -- streams ----------------------------------------------------------------------------------------------------------


class StreamGap(EventBase):
    """Never logged: tells one reader that telemetry from ``first_seq`` to ``last_seq`` was left out for it."""

    type: Literal["stream.gap"] = "stream.gap"
    first_seq: int
    last_seq: int


EvaluationEvent = (
    EvaluationQueued
    | EvaluationStarted
    | EvaluationOutput
    | EvaluationTestFinished
    | EvaluationRetried
    | EvaluationFinished
    | EvaluationCancelled
    | EvaluationFailed
)
AnyTrainingEvent = (
    TrainingQueued
    | TrainingStarting
    | TrainingStarted
    | TrainingIterationCompleted
    | TrainingEvaluated
    | TrainingCheckpointSaved
    | TrainingPauseRequested
    | TrainingPaused
    | TrainingResumeRequested
    | TrainingResumed
    | TrainingStopRequested
    | TrainingInterrupted
    | TrainingRecovered
    | TrainingSucceeded
    | TrainingStopped
    | TrainingFailed
)
PolicyEvent = PolicyPublished | PolicyDeleted
Event = EvaluationEvent | AnyTrainingEvent | PolicyEvent | StreamGap
AnyEvent = Annotated[Event, Field(discriminator="type")]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(AnyEvent)

EVENT_TYPES: dict[str, type[EventBase]] = {
    cls.model_fields["type"].default: cls for cls in get_args(Event) if issubclass(cls, EventBase)
}
FINAL_TYPES = frozenset(
    {
        "evaluation.finished",
        "evaluation.cancelled",
        "evaluation.failed",
        "training.succeeded",
        "training.stopped",
        "training.failed",
        "policy.deleted",
    }
)


def event_schema(ref_template: str) -> dict[str, Any]:
    """The JSON schema of the union, with every event type in its ``$defs``."""
    return _ADAPTER.json_schema(ref_template=ref_template)


def parse_event(text: str | bytes) -> Event:
    """The event that a line of JSON holds."""
    return _ADAPTER.validate_json(text)
