"""The outbox over a log that is away, refuses, or answers twice."""

from __future__ import annotations

import pytest

from rlplatform.errors import Conflict, Fenced, ServiceError, StorageError
from rlplatform.runs.event_writer import MAX_BATCH, EventWriter
from rlplatform.runs.events import Event
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.actors import FlakyStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import iteration, queued, training_run
from rlplatform.training.events import TrainingIterationCompleted, TrainingPauseRequested, TrainingStopped
from rlplatform.training.models import Progress
from rlplatform.training.record import TrainingRun

pytestmark = pytest.mark.anyio


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock(auto_advance=True)
        self.store = MemoryStore(self.clock)
        self.flaky = FlakyStore(self.store)
        self.run: TrainingRun = training_run(self.clock)

    async def writer(self, **options: float) -> EventWriter:
        await self.store.create(self.run, queued(self.run, self.clock))
        return EventWriter(self.flaky, self.run.stream, await self.store.acquire(self.run.id), self.clock, **options)

    def event(self) -> Event:
        return TrainingPauseRequested(stream=self.run.stream, time=self.clock.now(), by="key_1")

    async def logged(self) -> list[str]:
        return [line.type for line in await self.store.read(self.run.stream, limit=5000)][1:]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_lifecycle_event_is_in_the_log_when_send_returns() -> None:
    bench = Bench()
    writer = await bench.writer()
    writer.enqueue(iteration(bench.run, bench.clock, 1))
    await writer.write(bench.event())
    assert await bench.logged() == ["training.iteration_completed", "training.pause_requested"]


async def test_many_events_keep_their_order_and_their_bounds() -> None:
    bench = Bench()
    writer = await bench.writer(capacity=100)
    for number in range(3 * MAX_BATCH):
        await writer.write(iteration(bench.run, bench.clock, number))
        assert len(writer._waiting) <= 100
    await writer.flush()
    run = await bench.store.get(bench.run.id)
    assert isinstance(run, TrainingRun)
    assert run.document.progress.iteration == 3 * MAX_BATCH - 1
    assert len(await bench.logged()) == 3 * MAX_BATCH


@pytest.mark.parametrize("late", [False, True])
async def test_a_store_that_is_away_for_a_while_costs_nothing_and_doubles_nothing(late: bool) -> None:
    bench = Bench()
    writer = await bench.writer()
    bench.flaky.error, bench.flaky.late = StorageError("database is locked"), late
    writer.enqueue(bench.event())
    while bench.clock.monotonic() < 10:
        await bench.clock.sleep(0.1)
    bench.flaky.error = None
    await writer.flush()
    assert await bench.logged() == ["training.pause_requested"]


async def test_when_patience_is_over_it_is_broken_for_good() -> None:
    bench = Bench()
    writer = await bench.writer(patience_s=5)
    bench.flaky.error = StorageError("database is locked")
    with pytest.raises(StorageError, match="locked"):
        await writer.write(bench.event())
    bench.flaky.error = None
    with pytest.raises(StorageError, match="locked"):
        writer.enqueue(bench.event())
    assert await bench.logged() == []


async def test_a_fence_is_not_tried_again() -> None:
    bench = Bench()
    writer = await bench.writer()
    await bench.store.acquire(bench.run.id)
    with pytest.raises(Fenced):
        await writer.write(bench.event())
    assert bench.clock.monotonic() == 0
    with pytest.raises(Fenced):
        await writer.flush()


async def test_nothing_follows_the_end() -> None:
    bench = Bench()
    writer = await bench.writer()
    await writer.write(
        TrainingStopped(stream=bench.run.stream, time=bench.clock.now(), stop_reason="x", progress=Progress())
    )
    with pytest.raises(Conflict):
        await writer.write(bench.event())


async def test_what_is_no_error_of_ours_breaks_it_too() -> None:
    bench = Bench()
    writer = await bench.writer()
    stray = TrainingIterationCompleted.model_construct(stream=bench.run.stream)
    writer.enqueue(stray)
    with pytest.raises(ServiceError, match="the log failed"):
        await writer.flush()
