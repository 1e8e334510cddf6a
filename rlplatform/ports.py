"""The seams: what the platform's parts need of each other, as Protocols.

Fakes and contract suites: ``rlplatform.testing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict, Unpack

from rlplatform.access.principals import ApiKey, Principal
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.events import EventBase
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.runs import EvaluationRun, PolicyRecord, Run, RunSummary, TrainingRun
from rlplatform.sandbox.models import Execution, Limits, Outcome, PoolStatus, Program, SandboxInfo, Tier
from rlplatform.training.models import CheckpointInfo, EvaluationReport, IterationReport, TrainingCheck, TrainingRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def now(self) -> datetime:
        """The time of day, in UTC."""

    def monotonic(self) -> float:
        """Seconds that never go backwards."""

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""


# -- sandbox ----------------------------------------------------------------------------------------------------------


class Interactor(Protocol):
    """A trusted conversation partner of an interactive program, on the host. Lines come without their newline."""

    @property
    def turn_time_s(self) -> float:
        """Seconds that the program may take until its next line; longer is ``WALL_TIME_EXCEEDED``."""

    def begin(self) -> bytes:
        """What the program finds on its stdin first, after the execution's own ``stdin``."""

    def reply(self, line: bytes) -> bytes | None:
        """What to answer to one line of the program (may be empty); None ends the conversation and its stdin."""


class Sandbox(Protocol):
    """One submission's sandbox, loaded with its program. Blocking; one thread at a time, except for :meth:`cancel`."""

    @property
    def info(self) -> SandboxInfo:
        """Tier, runtime and digests, for the result."""

    def run(
        self,
        execution: Execution,
        interactor: Interactor | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        """Run the program once, in a fresh process; with an ``interactor``, its stdout is answered line by line.

        ``on_stdout`` gets stdout as it comes, in this thread, and empty bytes now and then while nothing comes.

        :raises InvalidRequest: an argument of the call cannot be passed as JSON.
        :raises SandboxFault: the sandbox failed, not the program. The sandbox must then be closed.
        """

    def cancel(self) -> None:
        """From another thread: kill what runs; the pending :meth:`run` returns ``OutcomeKind.CANCELLED``."""

    def close(self) -> None:
        """Give it up. Idempotent; all its processes are killed, and what holds them is removed within seconds."""


class SandboxPool(Protocol):
    """Where sandboxes come from. Thread-safe."""

    def open(self, program: Program, limits: Limits, tier: Tier, tenant: str = "") -> Sandbox:
        """A sandbox for one submission, with ``program`` loaded; ``limits`` are the largest its executions ask for.

        Tier *jail* reuses a container, but never for another ``tenant``.

        :raises SandboxUnavailable: none can be had: no engine, no image, a tier that is not configured.
        :raises SandboxFault: one failed while being prepared.
        """

    def status(self) -> PoolStatus:
        """Whether sandboxes can be had, and the counters."""

    def close(self) -> None:
        """Remove every container of this pool. Idempotent."""


# -- training ---------------------------------------------------------------------------------------------------------


class TrainingEngine(Protocol):
    """What turns a request into iterations. Blocking; one thread at a time. Counters are lifetime counters: they go on
    after :meth:`restore`."""

    @property
    def simulated(self) -> bool:
        """Whether nothing is really trained."""

    def describe(self) -> Mapping[str, object]:
        """Effective hyperparameters, backends and fallbacks, for the manifest."""

    def train_iteration(self) -> IterationReport:
        """One rollout and one update.

        :raises EngineError: no progress can be made.
        """

    def evaluate(self, episodes: int, seed: int) -> EvaluationReport:
        """Exactly ``episodes`` episodes of the deterministic policy on environments of its own."""

    def save(self, directory: Path) -> None:
        """Write everything needed to go on into the empty ``directory``."""

    def restore(self, directory: Path) -> None:
        """Go on from what :meth:`save` wrote.

        :raises CheckpointError: it does not fit this engine.
        """

    def parameter_hash(self) -> str:
        """SHA-256 over all policy and value parameters: equal hashes, equal networks."""

    def close(self) -> None:
        """Free everything: processes, environments, placement. Idempotent."""


EngineFactory = Callable[[TrainingRequest], TrainingEngine]


class CheckpointStore(Protocol):
    """Committed checkpoints of trainings. Blocking."""

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        """Store the files of ``source`` under ``info``: data first, manifest last; size and hash are filled in.

        :raises Conflict: one of this id is committed.
        :raises CheckpointError: ``source`` holds no files, or things that are not files.
        """

    def fetch(self, training_id: str, checkpoint_id: str, target: Path) -> CheckpointInfo:
        """Copy a checkpoint into the empty ``target``, verified file by file.

        :raises NotFound: there is none such.
        :raises CheckpointError: it is damaged.
        """

    def list(self, training_id: str) -> Sequence[CheckpointInfo]:
        """The committed checkpoints, oldest first. Does not verify their files."""

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        """A checkpoint by its id alone.

        :raises NotFound: there is none such.
        """

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        """Remove one: manifest first, then data. Idempotent."""

    def clear(self, training_id: str) -> None:
        """Remove all of a training's, damaged ones too. Idempotent."""

    def sweep(self, min_age_s: float = 3600.0) -> int:
        """Remove what was never committed and has not been touched for ``min_age_s``; how many there were."""


# -- policies ---------------------------------------------------------------------------------------------------------


class PolicyFiles(Protocol):
    """Archives of published policies. Blocking."""

    def put(self, policy_id: str, archive: bytes) -> None:
        """Store it, all or nothing."""

    def get(self, policy_id: str) -> bytes:
        """:raises NotFound: there is none such."""

    def delete(self, policy_id: str) -> None:
        """Idempotent."""


class Acted(NamedTuple):
    """Actions [B, *action_space.shape], and how they were computed: with so many observations at once, in so long."""

    actions: NDArray[Any]
    batch: int
    compute_s: float


class Policies(Protocol):
    """Published policies, as the API needs them. Reads of their documents go to the store."""

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        """Copy a checkpoint's policy, so that it outlives the checkpoint; its record, and whether it is new.

        :raises NotFound: there is no such checkpoint or training, or none that the principal sees.
        :raises Conflict: the training has no checkpoint, or its checkpoints hold no policy that can be served.
        """

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        """Idempotent. :raises NotFound: there is none such, or none that the principal sees."""

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> Acted:
        """Actions for ``observations`` [B, *observation_space.shape] of the space's dtype.

        :raises CheckpointError: its archive is damaged.
        """

    async def archive(self, policy: PolicyInfo) -> bytes:
        """The archive that ``policy.sha256`` is of. :raises CheckpointError: it is damaged."""

    async def onnx(self, policy: PolicyInfo) -> bytes:
        """The policy as an ONNX model that has been seen to act as it does, in its environment.

        :raises Unavailable: the extra ``export`` is not installed.
        """


# -- storage ----------------------------------------------------------------------------------------------------------


class EncodedEvent(NamedTuple):
    """An event as the log holds it: encoded once, when appended. ``data`` is one line of JSON, ``seq`` included."""

    seq: int
    type: str
    data: str


class Idempotency(NamedTuple):
    """A client's Idempotency-Key, with the hash of the body it came with."""

    tenant: str
    key: str
    body_sha256: str


class Place(NamedTuple):
    """How many are served before a run, and the seconds until it begins, measured by those that were; None: unknown."""

    position: int
    expected_wait_s: float | None = None


class Finished(NamedTuple):
    """A run that is over, as the outbox holds it until it is settled; later ones have a greater ``position``."""

    position: int
    tenant: str
    run_id: str
    event_id: str
    type: str


class Document(NamedTuple):
    """A small document of JSON: ``owner`` is what those of a ``kind`` are listed by, and never changes."""

    kind: str
    id: str
    owner: str
    record: str


class RunQuery(TypedDict, total=False):
    """Which runs of a kind: those of ``tenant``, in one of ``states``, made before the run of the id ``before``, up to
    ``limit`` (50)."""

    tenant: str | None
    states: Sequence[str]
    before: str | None
    limit: int


class RunStore(Protocol):
    """Records of runs, as their events have made them."""

    async def create(self, run: Run, first: EventBase, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        """Store a new run with its first event (seq 1); the stored run, and whether it is new.

        With an idempotency key seen in the last 24 hours, or the same first event again: the run as it is, and False.

        :raises IdempotencyMismatch: the key came with another body before.
        :raises Conflict: another run of this id exists.
        """

    async def recall(self, idempotency: Idempotency) -> Run | None:
        """The run that this idempotency key made in the last 24 hours.

        :raises IdempotencyMismatch: the key came with another body.
        """

    async def get(self, run_id: str) -> Run:
        """:raises NotFound: there is none."""

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        """Runs of a kind (``evaluation``, ``training`` or ``policy``), newest first."""

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        """What :meth:`find` finds, less what may be large: their requests and results are not even read."""

    async def remove(self, run_id: str) -> None:
        """Forget a run that is over, and its events, for good. What it used stays counted. Idempotent.

        :raises Conflict: it is not over.
        """

    async def acquire(self, run_id: str) -> int:
        """Take ownership: the run's new epoch, higher than all before it.

        :raises NotFound: there is no such run.
        """


class EventLog(Protocol):
    """Streams of events: append-only, gapless ``seq`` from 1."""

    async def append(
        self, stream: str, events: Sequence[EventBase], *, epoch: int | None = None
    ) -> Sequence[EncodedEvent]:
        """Append in order and apply to the stream's run, all or nothing. An event id already in the stream is skipped.

        One line for each given event, in order; for a skipped one, the line that the log has.

        :param epoch: the writer's epoch; None for the supervisor, who is never fenced.
        :raises Fenced: ``epoch`` is not the run's newest.
        :raises Conflict: the run is in a final state: nothing may follow.
        :raises NotFound: there is no such run.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        """Events with ``seq > after``, in order. :raises NotFound: there is no such stream."""

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        """Like :meth:`read` for many streams at once; waits up to ``wait_s`` seconds until one of them has something.

        Holds the streams that have something; nothing after ``wait_s``. :raises NotFound: one of them does not exist.
        """


class UsageStore(Protocol):
    """What tenants have used, counted by the appends themselves: durable with them, and never twice."""

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        """The amounts of a UTC day by counter (see ``storage.ledger.charges``); counters at zero may be missing, and
        days that were two months ago."""


class OutboxStore(Protocol):
    """Every run that is over, put there by the append of its final event, until it is settled."""

    async def finished(self, *, after: int = 0, limit: int = 100) -> Sequence[Finished]:
        """Those with a greater position than ``after``, oldest first."""

    async def settle(self, position: int) -> None:
        """Forget all up to ``position``. Idempotent."""


class DocumentStore(Protocol):
    """Small documents that are no runs: quotas, webhooks, deliveries."""

    async def put_document(self, document: Document) -> None:
        """Add or replace."""

    async def replace_document(self, document: Document, expected: Document) -> bool:
        """Put ``document`` in the place of ``expected``. Idempotent, so that several who put the same all did; False:
        neither of the two is there any more."""

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        """The document of this kind and id."""

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        """Documents of a kind, greatest id first; ``before``: the last id of the page before."""

    async def delete_document(self, kind: str, document_id: str) -> None:
        """Idempotent."""


class KeyStore(Protocol):
    """API keys: never the secret, only its keyed hash."""

    async def put_key(self, key: ApiKey) -> None:
        """Add or replace; one that is revoked stays as it is."""

    async def get_key(self, key_id: str) -> ApiKey | None:
        """The key of this id, revoked or not."""

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        """All keys, oldest first."""


class Store(RunStore, EventLog, UsageStore, OutboxStore, DocumentStore, KeyStore, Protocol):
    """All of them, on one database: a record, its events, what they use and the outbox change together."""

    async def close(self) -> None:
        """Release it. Idempotent."""


# -- the platform as its API sees it ----------------------------------------------------------------------------------


class Commands(Protocol):
    """What the API asks of the supervisor. Reads go to the store."""

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation; the run, and whether it is new.

        A key that has made one already gives that, whatever else there is to say.

        :raises NotAllowed: the priority is not for this principal.
        :raises SandboxUnavailable: no evaluator has a sandbox.
        :raises QuotaExceeded, QueueFull, WaitTooLong: it is not let in.
        """

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel; a finished one is left as it is."""

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training; the run, and whether it is new.

        :raises InvalidRequest: the environment, preset or hyperparameters make no sense.
        """

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training as :meth:`start_training` does, start nothing, and return what it would train with.

        Quotas and the queue are not looked at: they change until the training is started.

        :raises InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """``pause``, ``resume`` or ``stop``; idempotent.

        :raises Conflict: makes no sense in the present state.
        """

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        """Delete a committed checkpoint for good.

        :raises NotFound: there is none such, or none that the principal sees.
        :raises Conflict: a training that is not over would be recovered from it, or begins from it.
        """

    async def places(self, run_ids: Sequence[str]) -> list[Place | None]:
        """For each run, its place in the queue; None for one that does not wait, or waits for room alone."""

    async def status(self) -> PlatformStatus:
        """How the platform's parts are."""


class Dependency(NamedTuple):
    """One thing that readiness depends on."""

    name: str
    ok: bool
    detail: str | None = None


class PlatformStatus(NamedTuple):
    """What ``/readyz`` and ``rlp doctor`` show."""

    dependencies: tuple[Dependency, ...]
    queued_evaluations: int = 0
    running_evaluations: int = 0
    running_trainings: int = 0
