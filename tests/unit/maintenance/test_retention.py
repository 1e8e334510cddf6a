"""Finished runs are deleted when their time has come, with all that belongs to them; unfinished ones stay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from rlplatform.clock import Clock
from rlplatform.errors import NotFound, StorageError
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.ids import Kind, created_at, least_id, new_id
from rlplatform.maintenance.retention import Retention
from rlplatform.settings import RetentionSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.episodes import local_episodes, recording
from rlplatform.testing.samples import evaluation_run, finished, queued, training_run
from rlplatform.training.events import TrainingSucceeded
from rlplatform.training.models import Progress
from rlplatform.training.record import TrainingRun

pytestmark = pytest.mark.anyio

DAY_S = 86400.0

R = TypeVar("R", EvaluationRun, TrainingRun)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Bench:
    def __init__(self, folder: Path, **settings: float) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.checkpoints = MemoryCheckpoints()
        self.episodes = local_episodes(folder / "episodes")
        self.folders: list[str] = []
        self.trouble: Exception | None = None
        self._source = folder / "state"
        self._source.write_bytes(b"0")
        self.retention = Retention(
            self.store,
            self.checkpoints,
            RetentionSettings.model_validate(settings),
            self.clock,
            self._remove_folders,
            episodes=self.episodes,
        )

    async def _remove_folders(self, ids: Sequence[str]) -> None:
        if self.trouble:
            raise self.trouble
        self.folders += ids

    async def evaluation(self, *, over: bool = True) -> EvaluationRun:
        run = _made_at(evaluation_run(self.clock), self.clock)
        await self.store.create(run, queued(run, self.clock))
        if over:
            await self.store.append(run.stream, [finished(run, self.clock)])
        return run

    async def training(self, *, over: bool = True, resume_from: str | None = None) -> TrainingRun:
        run = _made_at(training_run(self.clock), self.clock)
        request = run.document.request.model_copy(update={"resume_from": resume_from})
        run = run.model_copy(update={"document": run.document.model_copy(update={"request": request})})
        await self.store.create(run, queued(run, self.clock))
        if over:
            await self.end(run)
        return run

    async def end(self, run: TrainingRun) -> None:
        end = TrainingSucceeded(stream=run.stream, time=self.clock.now(), stop_reason="iterations", progress=Progress())
        await self.store.append(run.stream, [end])

    def checkpoint(self, run: TrainingRun) -> str:
        info = samples.checkpoint(run.id, 1)
        return self.checkpoints.commit(info, self._source.parent).id

    async def left(self) -> set[str]:
        return {run.id for kind in ("evaluation", "training") for run in await self.store.find(kind, limit=1000)}


def _made_at(run: R, clock: Clock) -> R:
    """``run`` with an id that says it was made when ``clock`` says."""
    kind = Kind.EVALUATION if isinstance(run, EvaluationRun) else Kind.TRAINING
    run_id = least_id(kind, clock.now())[:-16] + new_id(kind)[-16:]
    return run.model_copy(update={"id": run_id, "document": run.document.model_copy(update={"id": run_id})})


async def test_nothing_goes_unless_it_is_said_when(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    runs = {(await bench.evaluation()).id, (await bench.training()).id}
    await bench.clock.advance(10_000 * DAY_S)
    assert await bench.retention.sweep() == 0
    assert await bench.left() == runs


async def test_an_evaluation_goes_so_many_days_after_its_end(tmp_path: Path) -> None:
    bench = Bench(tmp_path, evaluation_days=7)
    old = [await bench.evaluation() for _ in range(250)]
    late, waits, other = await bench.evaluation(over=False), await bench.evaluation(over=False), await bench.training()
    await bench.clock.advance(3 * DAY_S)
    young = await bench.evaluation()
    await bench.store.append(late.stream, [finished(late, bench.clock)])
    await bench.clock.advance(4 * DAY_S - 1)
    assert await bench.retention.sweep() == 0
    await bench.clock.advance(1)
    assert await bench.retention.sweep() == len(old)
    assert await bench.left() == {run.id for run in (late, waits, young, other)}
    with pytest.raises(NotFound):
        await bench.store.read(old[0].stream)
    await bench.clock.advance(100 * DAY_S)
    assert await bench.retention.sweep() == 2
    assert await bench.left() == {waits.id, other.id}, "what is not over stays, however old"


async def test_an_evaluation_goes_with_the_episodes_of_its_agent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, evaluation_days=7)
    old, deleted = [await bench.evaluation() for _ in range(2)]
    for run in (old, deleted):
        bench.episodes.put([recording(run.id)])
    await bench.retention.delete_run(await bench.store.get(deleted.id))
    assert bench.episodes.list(deleted.id) == []
    await bench.clock.advance(7 * DAY_S)
    young = await bench.evaluation()
    bench.episodes.put([recording(young.id)])
    assert await bench.retention.sweep() == 1
    assert bench.episodes.list(old.id) == []
    assert len(bench.episodes.list(young.id)) == 1


async def test_a_training_goes_with_its_checkpoints_and_its_run_folder(tmp_path: Path) -> None:
    bench = Bench(tmp_path, training_days=1.5)
    old, runs = await bench.training(), await bench.training(over=False)
    bench.checkpoint(old)
    kept = bench.checkpoint(runs)
    await bench.clock.advance(1.5 * DAY_S)
    young = await bench.training()
    assert await bench.retention.sweep() == 1
    assert await bench.left() == {runs.id, young.id}
    assert bench.folders == [old.id]
    assert bench.checkpoints.list(old.id) == []
    assert [info.id for info in bench.checkpoints.list(runs.id)] == [kept]


async def test_one_that_an_unfinished_training_resumes_from_stays_until_that_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path, training_days=1)
    parent = await bench.training()
    checkpoint = bench.checkpoint(parent)
    child = await bench.training(over=False, resume_from=checkpoint)
    await bench.clock.advance(2 * DAY_S)
    assert await bench.retention.sweep() == 0
    assert bench.checkpoints.find(checkpoint)
    assert bench.folders == []
    await bench.end(child)
    assert await bench.retention.sweep() == 1
    assert await bench.left() == {child.id}


async def test_no_checkpoint_goes_while_a_training_is_made_of_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, training_days=1)
    parent = await bench.training()
    checkpoint = bench.checkpoint(parent)
    await bench.clock.advance(2 * DAY_S)
    async with bench.retention.removing:
        sweeping = asyncio.ensure_future(bench.retention.sweep())
        while not bench.folders:
            await asyncio.sleep(0.001)
        await bench.training(over=False, resume_from=checkpoint)
    assert await sweeping == 0
    assert bench.checkpoints.find(checkpoint)


async def test_a_sweep_that_breaks_off_is_made_good_by_the_next(tmp_path: Path) -> None:
    bench = Bench(tmp_path, training_days=1)
    old = await bench.training()
    bench.checkpoint(old)
    await bench.clock.advance(2 * DAY_S)
    bench.trouble = StorageError("the disk is away")
    with pytest.raises(StorageError):
        await bench.retention.sweep()
    assert await bench.left() == {old.id}
    bench.trouble = None
    assert await bench.retention.sweep() == 1
    assert await bench.left() == set()


def test_the_least_id_of_a_moment_parts_earlier_from_later_ones() -> None:
    made = new_id(Kind.TRAINING)
    moment = created_at(made)
    assert least_id(Kind.TRAINING, moment) <= made < least_id(Kind.TRAINING, moment + timedelta(milliseconds=1))
    assert created_at(least_id(Kind.TRAINING, moment)) == moment
