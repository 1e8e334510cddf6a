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
    """Envelope of all events."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    telemetry: ClassVar[bool] = False

    id: str = Field(default_factory=lambda: new_id(Kind.EVENT))
    """Id of the event: `evt_…`. Appending the same id again changes nothing."""
    stream: str
    """Stream that the event belongs to: `trainings/train_…`, `evaluations/eval_…` or `policies/pol_…`."""
    seq: int = 0
    """Sequence number: starts at 1 and has no gaps within a stream."""
    time: datetime
    """Time of the event."""

    def public(self) -> EventBase:
        """This event as a submitter may see it."""
        return self


# -- evaluations ------------------------------------------------------------------------------------------------------


class EvaluationQueued(EventBase):
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


class EvaluationStarted(EventBase):
    """An attempt at the evaluation has started."""

    type: Literal["evaluation.started"] = "evaluation.started"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    sandbox: SandboxInfo | None = None
    """Sandbox that judges it; null: not known yet."""


class EvaluationOutput(EventBase):
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


class EvaluationTestFinished(EventBase):
    """A test has ended."""

    type: Literal["evaluation.test_finished"] = "evaluation.test_finished"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    result: TestResult
    """Result of the test."""

    def public(self) -> EventBase:
        return self.model_copy(update={"result": self.result.redacted()})


class EvaluationRetried(EventBase):
    """An attempt was lost to a failure of the platform, and the evaluation is queued again. It costs the learner
    nothing."""

    type: Literal["evaluation.retried"] = "evaluation.retried"
    """Type of the event."""
    attempt: int
    """Number of the attempt, counted from 1."""
    reason: str
    """Reason of the failure."""


class EvaluationFinished(EventBase):
    """The evaluation has ended with a verdict."""

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
    sandbox: SandboxInfo | None = None
    """Sandbox that judged the submission."""
    message: str | None = None
    """Explanation of the result; null: none."""

    def public(self) -> EventBase:
        return self.model_copy(update={"tests": [test.redacted() for test in self.tests]})


class EvaluationCancelled(EventBase):
    """The evaluation was cancelled."""

    type: Literal["evaluation.cancelled"] = "evaluation.cancelled"
    """Type of the event."""
    reason: str
    """Reason of the cancellation."""


class EvaluationFailed(EventBase):
    """The platform could not evaluate the submission, after all attempts. This is not a verdict."""

    type: Literal["evaluation.failed"] = "evaluation.failed"
    """Type of the event."""
    reason: str
    """Reason of the failure."""


# -- trainings --------------------------------------------------------------------------------------------------------


class TrainingEvent(EventBase):
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

    type: Literal["training.succeeded"] = "training.succeeded"
    """Type of the event."""
    stop_reason: str
    """Stop criterion that was met."""
    progress: Progress
    """Final counters."""


class TrainingStopped(TrainingEvent):
    """The training was stopped, after a last checkpoint."""

    type: Literal["training.stopped"] = "training.stopped"
    """Type of the event."""
    stop_reason: str
    """Reason of the stop."""
    progress: Progress
    """Final counters."""


class TrainingFailed(TrainingEvent):
    """The training has ended with an error."""

    type: Literal["training.failed"] = "training.failed"
    """Type of the event."""
    code: str
    """Stable code of the error."""
    reason: str
    """Reason of the failure."""
    progress: Progress
    """Final counters."""


# -- policies ---------------------------------------------------------------------------------------------------------


class PolicyPublished(EventBase):
    """A policy was published."""

    type: Literal["policy.published"] = "policy.published"
    """Type of the event."""
    policy: PolicyInfo
    """The policy."""


class PolicyDeleted(EventBase):
    """A policy was deleted."""

    type: Literal["policy.deleted"] = "policy.deleted"
    """Type of the event."""
    by: str
    """Id of the principal that deleted it."""


# -- streams ----------------------------------------------------------------------------------------------------------


class StreamGap(EventBase):
    """Telemetry from `first_seq` to `last_seq` was left out for this reader, which was too slow. Never stored."""

    type: Literal["stream.gap"] = "stream.gap"
    """Type of the event."""
    first_seq: int
    """Sequence number of the first event that was left out."""
    last_seq: int
    """Sequence number of the last event that was left out."""


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
    | TrainingWaiting
    | TrainingStarting
    | TrainingStarted
    | TrainingIterationCompleted
    | TrainingProgressed
    | TrainingEvaluated
    | TrainingEvaluationCutShort
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
