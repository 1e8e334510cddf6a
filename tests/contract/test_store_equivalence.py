"""Whatever is done to them, a store in memory and one in SQLite that archives its events answer alike."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, multiple, rule

from rlplatform.errors import Conflict, NotFound, PlatformError
from rlplatform.evaluation.events import EvaluationStarted
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.events import Event, StreamGap
from rlplatform.runs.ports import Idempotency
from rlplatform.runs.records import Run
from rlplatform.settings import ArchiveSettings
from rlplatform.storage import open_store
from rlplatform.storage.archive.parquet import ParquetArchive
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import evaluation_run, finished, iteration, queued, retried, training_run

TENANTS = st.sampled_from(["a", "b"])
STATES = st.lists(st.sampled_from(["queued", "running", "finished", "interrupted"]), max_size=3)


class Equivalence(RuleBasedStateMachine):
    runs = Bundle("runs")
    sent = Bundle("sent")

    @initialize()
    def start(self) -> None:
        self.clock = FakeClock()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.memory = self.runner.run(open_store("memory://", clock=self.clock))
        self.open_sqlite()

    def open_sqlite(self) -> None:
        path = Path(self.directory.name) / "platform.db"
        self.archive = ParquetArchive(str(path.with_name("archive")))
        database = self.runner.run(open_store(f"sqlite:///{path}", clock=self.clock))
        self.sqlite = ArchivedStore(database, self.archive)

    def teardown(self) -> None:
        if hasattr(self, "sqlite"):
            self.runner.run(self.sqlite.close())
            self.runner.close()
            self.directory.cleanup()

    def both(self, ask: Callable[[Store], Awaitable[object]]) -> object:
        """Return what both stores answer, or how both refuse."""

        async def answer(store: Store) -> object:
            try:
                return await ask(store)
            except PlatformError as error:
                return type(error), error.detail

        expected = self.runner.run(answer(self.memory))
        assert self.runner.run(answer(self.sqlite)) == expected
        return expected

    @rule(target=runs, evaluation=st.booleans(), tenant=TENANTS, key=st.none() | st.integers(0, 2), body=TENANTS)
    def create(self, evaluation: bool, tenant: str, key: int | None, body: str) -> object:
        run = evaluation_run(self.clock, tenant) if evaluation else training_run(self.clock, tenant)
        first = queued(run, self.clock)
        idempotency = None if key is None else Idempotency(tenant, str(key), body)
        self.both(lambda store: store.create(run, first, idempotency=idempotency))
        return run

    @rule(run=runs)
    def create_again(self, run: Run) -> None:
        first = queued(run, self.clock)
        self.both(lambda store: store.create(run, first))

    @rule(
        target=sent,
        run=runs,
        kinds=st.lists(st.sampled_from(["retried", "iteration", "finished", "started", "alien"]), max_size=4),
        old=st.lists(sent, max_size=2),
        epoch=st.none() | st.integers(0, 3),
    )
    def append(self, run: Run, kinds: list[str], old: list[Event], epoch: int | None) -> object:
        made = [self.event(run, kind) for kind in kinds]
        batch = [*made, *(event for event in old if event.stream == run.stream)]
        self.both(lambda store: store.append(run.stream, batch, epoch=epoch))
        return multiple(*made)

    def event(self, run: Run, kind: str) -> Event:
        match kind:
            case "iteration":
                return iteration(run, self.clock, 3)
            case "finished":
                return finished(run, self.clock)
            case "started":
                return EvaluationStarted(stream=run.stream, time=self.clock.now(), attempt=1)
            case "alien":
                return StreamGap(stream=run.stream, time=self.clock.now(), first_seq=1, last_seq=1)
        return retried(run, self.clock)

    @rule(run=runs)
    def acquire(self, run: Run) -> None:
        self.both(lambda store: store.acquire(run.id))

    @rule(run=runs)
    def remove(self, run: Run) -> None:
        self.both(lambda store: store.remove(run.id))

    @rule(run=consumes(runs))
    def forget(self, run: Run) -> None:
        self.both(lambda store: store.get(run.id))

    @rule(run=runs, after=st.integers(0, 5), limit=st.integers(0, 5))
    def read(self, run: Run, after: int, limit: int) -> None:
        self.both(lambda store: store.get(run.id))
        self.both(lambda store: store.read(run.stream, after=after, limit=limit))
        self.both(lambda store: store.tail({run.stream: after}, wait_s=0, limit=max(1, limit)))

    @rule(kind=st.sampled_from(["evaluation", "training"]), tenant=st.none() | TENANTS, states=STATES)
    def find(self, kind: str, tenant: str | None, states: list[str]) -> None:
        found = self.both(lambda store: store.find(kind, tenant=tenant, states=states, limit=3))
        assert isinstance(found, list)
        if found:
            self.both(lambda store: store.find(kind, tenant=tenant, states=states, before=found[-1].id, limit=3))
        self.both(lambda store: store.summaries(kind, tenant=tenant, states=states, limit=3))

    @rule(hours=st.sampled_from([0.01, 23.99, 24]))
    def let_time_pass(self, hours: float) -> None:
        self.runner.run(self.clock.advance(hours * 3600))

    @rule(run=runs, killed=st.booleans())
    def archive_events(self, run: Run, killed: bool) -> None:
        """Archive the events of a run in one of the stores, or be killed before they are dropped from it."""
        archiver = Archiver(self.sqlite, self.archive, ArchiveSettings(), self.clock)
        try:
            if killed and self.runner.run(self.sqlite.get(run.id)).final:
                self.archive.write(run.id, self.runner.run(self.sqlite.read(run.stream)))
            else:
                self.runner.run(archiver.archive(run.id))
        except (NotFound, Conflict):  # it was removed, or has not finished
            pass

    @rule()
    def sweep(self) -> None:
        archiver = Archiver(self.sqlite, self.archive, ArchiveSettings(after_days=1), self.clock)
        self.runner.run(archiver.sweep())

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.sqlite.close())
        self.open_sqlite()


TestEquivalence = Equivalence.TestCase
TestEquivalence.settings = settings(max_examples=40, stateful_step_count=30)
