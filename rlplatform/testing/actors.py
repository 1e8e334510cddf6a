"""Evaluators and trainers without Ray, for tests of what keeps them: a test says how each of their calls ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rlplatform.clock import Clock
from rlplatform.errors import (
    CapacityExhausted,
    Conflict,
    Fenced,
    InvalidRequest,
    PlatformError,
    SandboxUnavailable,
    Unavailable,
)
from rlplatform.evaluation.events import EvaluationFinished, EvaluationStarted
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.load import NodeLoad
from rlplatform.runs.events import Event
from rlplatform.sandbox.models import NodeImage, PoolStatus, Tier
from rlplatform.store import Store
from rlplatform.training.events import (
    TrainingEvent,
    TrainingIterationCompleted,
    TrainingPaused,
    TrainingRecovered,
    TrainingStarted,
    TrainingStarting,
    TrainingStopped,
    TrainingSucceeded,
)
from rlplatform.training.models import Progress, Training, TrainingRequest
from rlplatform.training.record import TrainingRun


class FakeEvaluator:
    """Records ``evaluation.started``, then waits for :meth:`finish`, :meth:`fail` or :meth:`die`.

    ``leased`` are the leases it was given, as (run, attempt, epoch); ``refusal`` is a reason to take none.
    The first of ``images`` is the default.
    """

    def __init__(self, name: str, store: Store, clock: Clock, *, slots: int = 1) -> None:
        self.name, self.slots = name, slots
        self.leased: list[tuple[str, int, int]] = []
        self.at_work: dict[str, asyncio.Future[bool]] = {}
        self.refusal: str | None = None
        self.unavailable: str | None = None
        self.lacking: dict[Tier, str] = {}
        self.broken: dict[Tier, str] = {}
        self.images: list[str] = []
        self.dead = self.hangs = self.leaving = False
        self.most_at_work = 0
        self._store = store
        self._clock = clock
        self._epochs: dict[str, tuple[EvaluationRun, int, int]] = {}

    async def status(self) -> PoolStatus:
        self._check()
        if self.hangs:
            await asyncio.Event().wait()
        return PoolStatus(
            available=self.unavailable is None,
            reason=self.unavailable,
            tier=Tier.SINGLE_USE,
            lacking=self.lacking,
            broken=self.broken,
            image=self.images[0] if self.images else None,
            images=tuple(NodeImage(name=name, digest=f"sha256:{name}", size_bytes=1) for name in self.images),
        )

    async def active(self) -> list[str]:
        self._check()
        if self.hangs:
            await asyncio.Event().wait()
        return list(self.at_work)

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        self._check()
        if self.refusal:
            raise SandboxUnavailable(self.refusal)
        self.leased.append((run.id, attempt, epoch))
        self._epochs[run.id] = (run, attempt, epoch)
        future = self.at_work[run.id] = asyncio.get_running_loop().create_future()
        self.most_at_work = max(self.most_at_work, len(self.at_work))
        started = EvaluationStarted(stream=run.stream, time=self._clock.now(), attempt=attempt)

        async def work() -> None:
            try:
                if await self._append(started, epoch) and await future:
                    await self.record(run.id)
            finally:
                if self.at_work.get(run.id) is future:
                    del self.at_work[run.id]

        task = asyncio.ensure_future(work())
        task.add_done_callback(lambda task: task.exception())
        await asyncio.shield(task)  # the work continues if the caller is cancelled

    async def cancel(self, run_id: str) -> None:
        self._check()
        if run_id in self.at_work and not self.at_work[run_id].done():
            self.at_work[run_id].set_result(False)
        while run_id in self.at_work:
            await asyncio.sleep(0)

    async def end(self) -> None:
        self.die()

    def finish(self, run_id: str) -> None:
        """Let the evaluation of ``run_id`` end with a result."""
        self.at_work[run_id].set_result(True)

    def fail(self, run_id: str, error: Exception) -> None:
        """Let it break off."""
        self.at_work[run_id].set_exception(error)

    def die(self) -> None:
        """Every call, pending or to come, raises ``Unavailable``."""
        self.dead = True
        for future in self.at_work.values():
            if not future.done():
                future.set_exception(Unavailable("the evaluator is gone"))

    async def record(self, run_id: str) -> bool:
        """Record a result with the epoch of the last lease; whether the log took it."""
        run, _, epoch = self._epochs[run_id]
        result = TestResult(id=run.request.tests[0].id, verdict=Verdict.ACCEPTED, points=1.0)
        finished = EvaluationFinished(
            stream=run.stream,
            time=self._clock.now(),
            verdict=Verdict.ACCEPTED,
            score=1.0,
            max_score=run.document.max_score,
            tests=[result],
        )
        return await self._append(finished, epoch)

    async def _append(self, event: Event, epoch: int) -> bool:
        try:
            await self._store.append(event.stream, [event], epoch=epoch)
        except (Fenced, Conflict):
            return False
        return True

    def _check(self) -> None:
        if self.dead:
            raise Unavailable("the evaluator is gone")


class FakeTrainer:
    """A trainer that does what a test says. ``commands`` are those that it got, in order."""

    def __init__(self, run: TrainingRun, epoch: int, store: Store, clock: Clock) -> None:
        self.run, self.epoch = run, epoch
        self.commands: list[str] = []
        self.released = False
        self.suspends = True
        self._store = store
        self._clock = clock
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        return self._over.done()

    async def wait(self) -> None:
        await asyncio.shield(self._over)

    async def command(self, command: str, *details: str) -> None:
        if self.over:
            raise Unavailable("the trainer is gone")
        self.commands.append(command)
        if command == "stop":
            (reason,) = details
            await self.emit(TrainingStopped, stop_reason=reason, progress=self.run.document.progress)
            self.leave()
        elif command == "suspend" and self.suspends:
            self.leave()

    async def release(self) -> None:
        self.released = True
        self.lose(Unavailable("the trainer was ended"))

    def leave(self) -> None:
        """End without an error."""
        if not self.over:
            self._over.set_result(None)

    def lose(self, error: Exception) -> None:
        """Break off with ``error``."""
        if not self.over:
            self._over.set_exception(error)
            self._over.exception()

    async def emit(self, event: type[TrainingEvent], **fields: object) -> bool:
        """Append an event with the trainer's epoch; whether the log took it."""
        made = event.model_validate({"stream": self.run.stream, "time": self._clock.now(), **fields})
        try:
            await self._store.append(self.run.stream, [made], epoch=self.epoch)
        except (Fenced, Conflict):
            return False
        return True

    async def begin(self) -> None:
        """Starting, and started or recovered."""
        await self.emit(TrainingStarting, epoch=self.epoch)
        if self.run.document.started_at is None:
            await self.emit(TrainingStarted, manifest={})
        else:
            lost = {"redone_iterations": 0, "redone_env_steps": 0}
            await self.emit(TrainingRecovered, checkpoint_id=None, iteration=0, env_steps=0, **lost)

    async def iterate(self, iteration: int) -> bool:
        """One completed iteration."""
        progress = Progress(iteration=iteration, env_steps=iteration * 100, episodes=iteration).model_dump()
        return await self.emit(TrainingIterationCompleted, **progress, metrics={})

    async def pause(self) -> None:
        """Record that the training is paused, and leave."""
        document = (await self._store.get(self.run.id)).document
        assert isinstance(document, Training)
        await self.emit(TrainingPaused, progress=document.progress)
        self.leave()

    async def succeed(self) -> None:
        """The final event, and the end."""
        await self.emit(TrainingSucceeded, stop_reason="iterations", progress=self.run.document.progress)
        self.leave()


class FakeLauncher:
    """A cluster with ``evaluators_`` and room for ``room`` trainings at a time (None: for all).

    ``trainers`` are all that were ever launched; ``errors`` are raised by the next launches, in order; ``forgotten``
    are those whose run folders were removed; ``asked_for`` evaluations were nodes with sandboxes last wanted.
    """

    def __init__(self, store: Store, clock: Clock, *, room: int | None = None) -> None:
        self.evaluators_: list[FakeEvaluator] = []
        self.trainers: list[FakeTrainer] = []
        self.room = room
        self.errors: list[Exception] = []
        self.placements: set[str] = set()
        self.closed = False
        self.prepared = 0
        self.owner_woken = 0
        self.grows = self.brings_sandboxes = False
        self.size = 4
        self.drained: dict[str, float] = {}
        self.leaving_: set[str] = set()
        self.asked_for = 0
        self.forgotten: list[str] = []
        self._store = store
        self._clock = clock

    def alive(self, training_id: str | None = None) -> list[FakeTrainer]:
        """The trainers that have not ended, of one training or of all."""
        return [t for t in self.trainers if not t.over and training_id in (None, t.run.id)]

    def newest(self, training_id: str) -> FakeTrainer:
        return [t for t in self.trainers if t.run.id == training_id][-1]

    async def evaluators(self) -> Sequence[FakeEvaluator]:
        return [evaluator for evaluator in self.evaluators_ if not evaluator.dead]

    async def capacity(self) -> int:
        return self.size

    async def drain(self, node_id: str, within_s: float) -> None:
        self.drained[node_id] = within_s

    async def leaving(self) -> set[str]:
        return self.leaving_

    async def scale(self, evaluations: int) -> None:
        self.asked_for = evaluations

    async def check(self, request: TrainingRequest) -> None:
        if request.resources.num_env_runners > 8:
            raise InvalidRequest("the cluster has 8 CPUs", field="resources.num_env_runners")

    async def launch(self, run: TrainingRun, epoch: int) -> FakeTrainer:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        deadline = self._clock.monotonic() + 60
        while self.room is not None and len(self.placements | {run.id}) > self.room:
            if self._clock.monotonic() >= deadline:
                self.placements.discard(run.id)
                raise CapacityExhausted("no room in the cluster within 60 s")
            await self._clock.sleep(1)
        for old in self.alive(run.id):
            await old.release()
        self.placements.add(run.id)
        trainer = FakeTrainer(run, epoch, self._store, self._clock)
        self.trainers.append(trainer)
        return trainer

    async def find(self, run: TrainingRun) -> FakeTrainer | None:
        return next((t for t in self.alive(run.id) if t.epoch == run.epoch), None)

    async def placed(self) -> set[str]:
        return self.placements | {trainer.run.id for trainer in self.alive()}

    async def free(self, training_id: str) -> None:
        for trainer in self.alive(training_id):
            await trainer.release()
        self.placements.discard(training_id)

    async def delete_run_folders(self, training_ids: Sequence[str]) -> None:
        self.forgotten += training_ids

    async def prepare(self) -> None:
        self.prepared += 1

    async def nodes(self) -> list[NodeLoad]:
        names = ("node-1", "10.0.0.1"), ("node-2", "10.0.0.2")
        return [
            NodeLoad(node=name, address=address, cpus=4, free_cpus=4, draining=name in self.drained)
            for name, address in names
        ]

    async def own_studies(self) -> None:
        self.owner_woken += 1

    async def close(self) -> None:
        self.closed = True
        for evaluator in self.evaluators_:
            evaluator.die()


class FlakyStore:
    """A store whose calls raise ``error`` while it is set, before or (``late``) after they have been carried out; if
    ``slow``, they are answered only some time after that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.error: PlatformError | None = None
        self.late = self.slow = False

    def __getattr__(self, name: str) -> object:
        inner = getattr(self._store, name)

        async def call(*args: object, **kwargs: object) -> object:
            if self.error and not self.late:
                raise self.error
            answer = await inner(*args, **kwargs)
            if self.slow:
                await asyncio.sleep(0)
            if self.error:
                raise self.error
            return answer

        return call
