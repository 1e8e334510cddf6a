"""The trainer over a scripted engine."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.training.trainer import Trainer
from rlplatform.errors import EngineError, InvalidRequest, ServiceError, StorageError
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.engines import ScriptedEngine
from rlplatform.testing.samples import queued, training_run
from rlplatform.training.models import CheckpointPlan, TrainingRequest
from rlplatform.training.record import TrainingRun

pytestmark = pytest.mark.anyio

MakeEngine = Callable[[TrainingRequest], ScriptedEngine]


class Bench:
    def __init__(self, scratch: Path) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.checkpoints = MemoryCheckpoints()
        self.scratch = scratch
        self.run_folder: Path | None = None
        self.engines: list[ScriptedEngine] = []

    async def run(self, **changes: object) -> TrainingRun:
        run = training_run(self.clock)
        request = run.document.request.model_copy(
            update={"checkpoint": CheckpointPlan(every_iterations=2), "env_config": {}, **changes}
        )
        run = run.model_copy(update={"document": run.document.model_copy(update={"request": request})})
        await self.store.create(run, queued(run, self.clock))
        return run

    async def trainer(self, run: TrainingRun, make: MakeEngine | None = None, **engine: object) -> Trainer:
        def default(request: TrainingRequest) -> ScriptedEngine:
            self.engines.append(ScriptedEngine(request, **engine))
            return self.engines[-1]

        epoch = await self.store.acquire(run.id)
        return Trainer(
            *(await self.get(run), epoch, self.store, self.checkpoints, make or default, self.clock),
            *(self.scratch, self.run_folder),
        )

    async def get(self, run: TrainingRun) -> TrainingRun:
        found = await self.store.get(run.id)
        assert isinstance(found, TrainingRun)
        return found

    async def events(self, run: TrainingRun) -> list[dict[str, object]]:
        return [json.loads(line.data) for line in await self.store.read(run.stream)]

    async def until_iteration(self, run: TrainingRun, iteration: int) -> None:
        while (await self.get(run)).document.progress.iteration < iteration:
            await asyncio.sleep(0.005)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_it_trains_to_the_end_and_closes_the_engine(bench: Bench) -> None:
    run = await bench.run()
    await (await bench.trainer(run)).run()
    assert (await bench.get(run)).state == "succeeded"
    assert bench.engines[0].closed


async def test_waiting_twice_trains_once(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run)
    await asyncio.gather(trainer.run(), trainer.run())
    assert [event["type"] for event in await bench.events(run)].count("training.started") == 1


async def test_a_waiter_that_leaves_does_not_end_the_session(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run, gated=True)
    first = asyncio.create_task(trainer.run())
    while not bench.engines:
        await asyncio.sleep(0.005)
    first.cancel()
    bench.engines[0].release(100)
    await trainer.run()
    assert (await bench.get(run)).state == "succeeded"


async def test_commands_given_before_the_engine_is_built_are_obeyed(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run)
    trainer.command("pause")
    await trainer.run()
    assert (await bench.get(run)).state == "paused"
    assert bench.engines[0].closed


async def test_a_resumed_training_continues_with_another_trainer(bench: Bench) -> None:
    run = await bench.run()
    paused = await bench.trainer(run, gated=True)
    training = asyncio.create_task(paused.run())
    while not bench.engines:
        await asyncio.sleep(0.005)
    bench.engines[0].release(3)
    while (await bench.get(run)).document.progress.iteration < 3:
        await asyncio.sleep(0.005)
    paused.command("pause")
    bench.engines[0].release(1)
    await training
    before = await bench.get(run)
    resumed = await bench.trainer(before)
    await resumed.run()
    after = await bench.get(run)
    assert after.state == "succeeded"
    types = [line.type.removeprefix("training.") for line in await bench.store.read(run.stream)]
    assert types.count("resumed") == 1
    assert "recovered" not in types


async def test_what_another_training_is_to_begin_from_stays_beyond_the_plan(bench: Bench) -> None:
    run = await bench.run(checkpoint=CheckpointPlan(every_iterations=1, keep_last=1, keep_best=False))
    trainer = await bench.trainer(run)
    trainer.command("pause")
    await trainer.run()
    saved = bench.checkpoints.list(run.id)
    await bench.run(resume_from=saved[0].id)
    resumed = await bench.trainer(await bench.get(run))
    await resumed.run()
    assert (await bench.get(run)).final
    assert [info.id for info in bench.checkpoints.list(run.id)][:-1] == [saved[0].id]


async def test_suspended_it_leaves_with_a_checkpoint_and_is_recovered_without_loss(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run, gated=True)
    task = asyncio.create_task(trainer.run())
    while not bench.engines:
        await asyncio.sleep(0.005)
    bench.engines[0].release(3)
    await bench.until_iteration(run, 3)
    trainer.command("suspend")
    bench.engines[0].release(1)
    await task
    left = await bench.get(run)
    assert left.state == "running"
    assert left.document.checkpoint is not None
    assert left.document.checkpoint.iteration == left.document.progress.iteration
    await (await bench.trainer(run)).run()
    events = await bench.events(run)
    (recovered,) = [event for event in events if event["type"] == "training.recovered"]
    assert recovered["redone_iterations"] == 0
    completed = [event["iteration"] for event in events if event["type"] == "training.iteration_completed"]
    assert completed == list(range(1, 11))


async def test_one_that_is_fenced_leaves_quietly_and_commits_nothing_more(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run, gated=True)
    task = asyncio.create_task(trainer.run())
    while not bench.engines:
        await asyncio.sleep(0.005)
    bench.engines[0].release(1)
    await bench.until_iteration(run, 1)
    await bench.store.acquire(run.id)
    bench.engines[0].release(100)
    await task
    assert (await bench.get(run)).document.progress.iteration == 1
    assert bench.checkpoints.list(run.id) == []
    assert bench.engines[0].closed


@pytest.mark.parametrize(
    ("error", "code"),
    [(InvalidRequest("no such environment"), "invalid_request"), (ValueError("bug"), EngineError.code)],
)
async def test_an_engine_that_cannot_be_built_fails_the_session(bench: Bench, error: Exception, code: str) -> None:
    def make(request: TrainingRequest) -> ScriptedEngine:
        raise error

    run = await bench.run()
    await (await bench.trainer(run, make)).run()
    document = (await bench.get(run)).document
    assert (document.state, document.stop_reason) == ("failed", code)
    assert str(error) in (document.message or "")


async def test_a_failure_that_a_fresh_trainer_may_not_meet_is_raised(bench: Bench) -> None:
    run = await bench.run()
    trainer = await bench.trainer(run, failures={3: StorageError("the bucket does not answer")})
    with pytest.raises(ServiceError, match="bucket"):
        await trainer.run()
    assert (await bench.get(run)).state == "running"
    assert bench.engines[0].closed


async def test_a_parent_that_is_gone_fails_a_new_session_but_not_a_recovered_one(bench: Bench) -> None:
    gone = "ckpt_" + "0" * 26
    fresh = await bench.run(resume_from=gone)
    await (await bench.trainer(fresh)).run()
    assert (await bench.get(fresh)).document.stop_reason == "not_found"

    parent = await bench.run()
    await (await bench.trainer(parent)).run()
    info = bench.checkpoints.list(parent.id)[0]
    run = await bench.run(resume_from=info.id)
    trainer = await bench.trainer(run, failures={9: StorageError("away")})
    with pytest.raises(StorageError):
        await trainer.run()
    bench.checkpoints.delete(parent.id, info.id)
    await (await bench.trainer(run)).run()
    assert (await bench.get(run)).state == "succeeded"


async def test_a_damaged_checkpoint_is_skipped_for_the_one_before(bench: Bench) -> None:
    run = await bench.run()
    with pytest.raises(StorageError):
        await (await bench.trainer(run, failures={6: StorageError("away")})).run()
    assert [info.iteration for info in bench.checkpoints.list(run.id)] == [2, 4]
    bench.checkpoints.damage(bench.checkpoints.list(run.id)[-1].id)
    await (await bench.trainer(run)).run()
    (recovered,) = [event for event in await bench.events(run) if event["type"] == "training.recovered"]
    assert (recovered["iteration"], recovered["redone_iterations"]) == (2, 3)


@pytest.mark.parametrize("moved", [False, True])
async def test_the_run_folder_has_every_iteration_once_on_this_node_and_on_another(bench: Bench, moved: bool) -> None:
    bench.run_folder = bench.scratch / "here"
    run = await bench.run()
    with pytest.raises(StorageError):
        await (await bench.trainer(run, failures={6: StorageError("gone")})).run()
    if moved:
        bench.run_folder = bench.scratch / "there"
    await (await bench.trainer(run)).run()
    done = await bench.get(run)
    assert done.state == "succeeded"
    with (bench.run_folder / "progress.csv").open() as file:
        iterations = [int(row["iteration"]) for row in csv.DictReader(file)]
    assert iterations == list(range(1, done.document.progress.iteration + 1))
    assert json.loads((bench.run_folder / "manifest.json").read_text())["training_id"] == run.id


async def test_a_run_folder_that_cannot_be_written_costs_the_training_nothing(bench: Bench) -> None:
    bench.run_folder = bench.scratch / "file"
    bench.run_folder.write_text("in the way")
    run = await bench.run()
    await (await bench.trainer(run)).run()
    assert (await bench.get(run)).state == "succeeded"
