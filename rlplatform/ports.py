"""Ports: what the platform's parts need of each other, as Protocols.

Fakes and contract suites: ``rlplatform.testing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple, Protocol, TypedDict, Unpack

from rlplatform.access.principals import ApiKey, Principal
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.events import EventBase
from rlplatform.runs import EvaluationRun, Run, RunSummary, TrainingRun
from rlplatform.sandbox.models import Execution, Limits, Outcome, PoolStatus, Program, SandboxInfo, Tier
from rlplatform.training.models import CheckpointInfo, EvaluationReport, IterationReport, TrainingCheck, TrainingRequest
from rlplatform.training.pulse import Pulse


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards."""

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""


# -- sandbox ----------------------------------------------------------------------------------------------------------


class Interactor(Protocol):
    """A trusted conversation partner of an interactive program, on the host. Lines come without their newline."""

    @property
    def turn_time_s(self) -> float:
        """Seconds that the program may take until its next line; longer is ``WALL_TIME_EXCEEDED``."""

    def begin(self) -> bytes:
        """Return the first bytes for the program's stdin, after the execution's own ``stdin``."""

    def reply(self, line: bytes) -> bytes | None:
        """Return the answer to one line of the program (may be empty); None ends the conversation and the stdin."""

    def overhear(self, output: bytes) -> None:
        """Take note of what the program writes after the end of the conversation, in pieces of any size."""


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
        """Abandon the sandbox.

        Idempotent; all its processes are killed, and its container is removed within seconds.
        """


class SandboxPool(Protocol):
    """Source of sandboxes. Thread-safe."""

    def open(self, program: Program, limits: Limits, tier: Tier, tenant: str = "") -> Sandbox:
        """A sandbox for one submission, with ``program`` loaded; ``limits`` are the largest its executions ask for.

        Tier *jail* reuses a container, but never for another ``tenant``.

        :raises SandboxUnavailable: none can be had: no engine, no image, a tier that is not configured.
        :raises SandboxFault: one failed while being prepared.
        """

    def status(self) -> PoolStatus:
        """Return whether sandboxes can be had, and the counters."""

    def close(self) -> None:
        """Remove every container of this pool. Idempotent."""


# -- training ---------------------------------------------------------------------------------------------------------


class TrainingEngine(Protocol):
    """Engine that turns a request into iterations. Blocking; one thread at a time.

    Counters are lifetime counters: they continue after :meth:`restore`.
    """

    @property
    def simulated(self) -> bool:
        """True if nothing is really trained."""

    def watch(self, pulse: Pulse) -> None:
        """Call ``pulse`` during rollouts and evaluations from now on. What it raises ends the rollout or evaluation."""

    def sound(self) -> bool:
        """Return True if all parameters are finite, so that a checkpoint is worth saving after a failure."""

    def describe(self) -> Mapping[str, object]:
        """Return effective hyperparameters, backends and fallbacks, for the manifest."""

    def train_iteration(self) -> IterationReport:
        """Make one rollout and one update.

        Raises:
            EngineError: no progress can be made.
        """

    def finished(self) -> Sequence[tuple[float, int]]:
        """Return the return and the number of steps of each episode that ended in the last iteration."""

    def evaluate(self, episodes: int, seed: int) -> EvaluationReport:
        """Exactly ``episodes`` episodes of the deterministic policy on environments of its own."""

    def save(self, directory: Path) -> None:
        """Write everything that :meth:`restore` needs into the empty ``directory``."""

    def restore(self, directory: Path) -> None:
        """Continue from what :meth:`save` wrote.

        Raises:
            CheckpointError: it does not fit this engine.
        """

    def parameter_hash(self) -> str:
        """Return the SHA-256 over all policy and value parameters: equal hashes, equal networks."""

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
        """Return the committed checkpoints, oldest first. Does not verify their files."""

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        """Return a checkpoint by its id alone.

        Raises:
            NotFound: there is none such.
        """

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        """Remove a checkpoint: manifest first, then data. Idempotent."""

    def clear(self, training_id: str) -> None:
        """Remove all checkpoints of a training, damaged ones too. Idempotent."""

    def sweep(self, min_age_s: float = 3600.0) -> int:
        """Remove what was never committed and has not been touched for ``min_age_s``; return how many there were."""


# -- storage ----------------------------------------------------------------------------------------------------------


class EncodedEvent(NamedTuple):
    """Event as the log holds it: encoded once, when appended. ``data`` is one line of JSON, ``seq`` included."""

    seq: int
    type: str
    data: str


class Idempotency(NamedTuple):
    """Idempotency-Key of a client, with the hash of the body it came with."""

    tenant: str
    key: str
    body_sha256: str


class Place(NamedTuple):
    """Number of runs that are served before a run, and the expected seconds until it begins; None: unknown."""

    position: int
    expected_wait_s: float | None = None


class Finished(NamedTuple):
    """Finished run, as the outbox holds it until it is settled; later ones have a greater ``position``."""

    position: int
    tenant: str
    run_id: str
    event_id: str
    type: str


class Document(NamedTuple):
    """Small JSON document. Documents of a ``kind`` are listed by ``owner``, which never changes."""

    kind: str
    id: str
    owner: str
    record: str


class RunQuery(TypedDict, total=False):
    """Filter of runs: those of ``tenant``, in one of ``states``, made before the run of the id ``before``; ``limit``
    is 50."""

    tenant: str | None
    states: Sequence[str]
    before: str | None
    limit: int


class RunStore(Protocol):
    """Records of runs, as their events have made them."""

    async def create(self, run: Run, first: EventBase, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        """Store a new run with its first event (seq 1); return the stored run, and True if it is new.

        With an idempotency key seen in the last 24 hours, or the same first event again, the stored run is returned
        unchanged.

        Raises:
            IdempotencyMismatch: the key came with another body before.
            Conflict: another run of this id exists.
        """

    async def recall(self, idempotency: Idempotency) -> Run | None:
        """Return the run that this idempotency key made in the last 24 hours; None if there is none.

        Raises:
            IdempotencyMismatch: the key came with another body.
        """

    async def get(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFound: there is none.
        """

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        """Return runs of a kind (``evaluation``, ``training`` or ``policy``), newest first."""

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        """Return summaries of what :meth:`find` finds. Their requests and results are not even read."""

    async def remove(self, run_id: str) -> None:
        """Delete a finished run and its events. Its usage stays counted. Idempotent.

        Raises:
            Conflict: it has not finished.
        """

    async def acquire(self, run_id: str) -> int:
        """Take ownership: return the run's new epoch, higher than all before it.

        Raises:
            NotFound: there is no such run.
        """


class EventLog(Protocol):
    """Streams of events: append-only, gapless ``seq`` from 1."""

    async def append(
        self, stream: str, events: Sequence[EventBase], *, epoch: int | None = None
    ) -> Sequence[EncodedEvent]:
        """Append in order and apply to the stream's run, all or nothing. An event id already in the stream is skipped.

        Args:
            epoch: the writer's fencing token; None for the supervisor, which is never fenced.

        Returns:
            One line for each given event, in order; for a skipped one, the line that the log has.

        Raises:
            Fenced: ``epoch`` is not the run's newest.
            Conflict: the run is in a final state: nothing may follow.
            NotFound: there is no such run.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        """Return events with ``seq > after``, in order.

        Raises:
            NotFound: there is no such stream.
        """

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        """Read many streams at once as :meth:`read` does; wait up to ``wait_s`` seconds until one of them has
        something.

        The result has only streams with events; it is empty after ``wait_s``.

        Raises:
            NotFound: one of them does not exist.
        """


class Written(NamedTuple):
    """``events`` appended on a day; ``stored_bytes`` of requests and events of the runs that are kept."""

    events: int
    stored_bytes: int


class UsageStore(Protocol):
    """Usage of tenants, counted by the appends themselves: as durable as they are, and never twice."""

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        """Return the amounts of a UTC day by counter. Counters at zero may be missing, and days two months ago."""

    async def written(self, tenant: str, day: date) -> Written:
        """Return how much the tenant's runs have written on a UTC day, and how much of all days is stored."""


class OutboxStore(Protocol):
    """Outbox of finished runs. The append of a final event puts its run there, until it is settled."""

    async def finished(self, *, after: int = 0, limit: int = 100) -> Sequence[Finished]:
        """Return entries with a greater position than ``after``, oldest first."""

    async def settle(self, position: int) -> None:
        """Delete all entries up to ``position``. Idempotent."""


class DocumentStore(Protocol):
    """Small documents that are not runs: quotas, webhooks, deliveries, files."""

    async def put_document(self, document: Document) -> None:
        """Add or replace a document."""

    async def add_document(self, document: Document) -> Document:
        """Add a document unless there is one of this kind and id; return the one that is there then."""

    async def replace_document(self, document: Document, expected: Document) -> bool:
        """Replace ``expected`` by ``document``: compare-and-set.

        Returns:
            True also if ``document`` is there already; False if neither of the two is there any more.
        """

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        """Return the document of this kind and id; None if there is none."""

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        """Return documents of a kind, greatest id first; ``before``: the last id of the page before."""

    async def delete_document(self, kind: str, document_id: str) -> None:
        """Delete a document. Idempotent."""


class KeyStore(Protocol):
    """API keys: never the secret, only its keyed hash."""

    async def put_key(self, key: ApiKey) -> None:
        """Add or replace a key; a revoked one is left unchanged."""

    async def get_key(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, revoked or not; None if there is none."""

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""


class Store(RunStore, EventLog, UsageStore, OutboxStore, DocumentStore, KeyStore, Protocol):
    """All stores on one database: a record, its events, their usage and the outbox change together."""

    async def close(self) -> None:
        """Release it. Idempotent."""


# -- the platform as its API sees it ----------------------------------------------------------------------------------


class Commands(Protocol):
    """Commands of the API for the supervisor. Reads go to the store."""

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation; return the run, and True if it is new.

        An idempotency key that has made a run already returns that run, whatever else could be refused.

        Raises:
            NotAllowed: the priority is not for this principal.
            SandboxUnavailable: no evaluator has a sandbox.
            QuotaExceeded, QueueFull, WaitTooLong: it is not admitted.
        """

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel an evaluation; a finished one is left unchanged."""

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training; return the run, and True if it is new.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training as :meth:`start_training` does, start nothing, and return what it would train with.

        Quotas and the queue are not looked at: they change until the training is started.

        :raises InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """Carry out ``pause``, ``resume`` or ``stop``. Idempotent.

        Raises:
            Conflict: the command makes no sense in the present state.
        """

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        """Delete a committed checkpoint.

        Raises:
            NotFound: there is none such, or none that the principal sees.
            Conflict: an unfinished training would be recovered from it, or begins from it.
        """

    async def places(self, run_ids: Sequence[str]) -> list[Place | None]:
        """Return the place of each run in the queue; None for a run that is not queued."""

    async def status(self) -> PlatformStatus:
        """Return the state of the platform's parts."""


class Dependency(NamedTuple):
    """One dependency of readiness."""

    name: str
    ok: bool
    detail: str | None = None


class PlatformStatus(NamedTuple):
    """State of the platform, as ``/readyz`` and ``rlp doctor`` show it."""

    dependencies: tuple[Dependency, ...]
    queued_evaluations: int = 0
    running_evaluations: int = 0
    running_trainings: int = 0
