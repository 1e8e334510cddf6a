"""Cache of runs in a replica: it holds nothing that can change, and is bounded."""

from __future__ import annotations

import pytest

from rlplatform.clock import SystemClock
from rlplatform.errors import NotFound
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.runs.annotations import RunPatch
from rlplatform.runs.records import Run
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.commands import FakeCommands
from serve_apps.api.run_cache import RunCache
from tests.api.conftest import PlatformFactory
from tests.api.test_fan_out import SOMEBODY

pytestmark = pytest.mark.anyio
EVALUATION = {"source": "print(1)", "tests": [{"id": "t", "expected_stdout": "1"}]}


class CountingStore(MemoryStore):
    gets = 0

    async def get(self, run_id: str) -> Run:
        self.gets += 1
        return await super().get(run_id)


async def finished(commands: FakeCommands) -> Run:
    run, _ = await commands.submit_evaluation(EvaluationRequest.model_validate(EVALUATION), SOMEBODY)
    return run


async def test_a_final_record_is_read_once_and_one_that_can_change_always() -> None:
    store = CountingStore(SystemClock())
    records, commands = RunCache(store), FakeCommands(store, SystemClock())
    queued = await finished(commands)
    for _ in range(3):
        assert (await records.get(queued.id)).state == "queued"
    await commands.cancel_evaluation(queued.id, SOMEBODY)
    before = store.gets
    for _ in range(3):
        assert (await records.get(queued.id)).state == "cancelled"
    assert store.gets == before + 1
    for _ in range(2):
        with pytest.raises(NotFound):
            await records.get("eval_00000000000000000000000000")


async def test_a_kept_record_has_its_present_annotations_and_is_gone_with_the_run() -> None:
    store = CountingStore(SystemClock())
    records = RunCache(store)
    run = await finished(FakeCommands(store, SystemClock(), judge=Verdict.ACCEPTED))
    assert (await records.get(run.id)).annotations.name is None
    await store.annotate(run.id, RunPatch(name="first try"))
    before = store.gets
    assert (await records.get(run.id)).annotations.name == "first try"
    assert store.gets == before
    await store.remove(run.id)
    for _ in range(2):
        with pytest.raises(NotFound):
            await records.get(run.id)


async def test_a_run_that_was_removed_is_not_found(platform: PlatformFactory) -> None:
    async with platform(judge=Verdict.ACCEPTED) as it, it.client() as client:
        posted = await client.post("/v1/evaluations", json=EVALUATION)
        await it.store.remove(posted.json()["id"])
        path = posted.headers["location"]
        assert [(await client.get(at)).status_code for at in (path, f"{path}/events")] == [404, 404]
        assert (await client.get("/v1/evaluations")).json()["items"] == []


async def test_memory_is_bounded_and_the_oldest_goes() -> None:
    store = CountingStore(SystemClock())
    commands = FakeCommands(store, SystemClock(), judge=Verdict.ACCEPTED)
    runs = [await finished(commands) for _ in range(10)]
    size = len(runs[0].model_dump_json())
    records = RunCache(store, max_bytes=size * 5)
    for run in runs:
        await records.get(run.id)
    before = store.gets
    await records.get(runs[-1].id)
    assert store.gets == before
    await records.get(runs[0].id)
    assert store.gets == before + 1
    huge = RunCache(store, max_bytes=size)
    await huge.get(runs[0].id)
    await huge.get(runs[0].id)
    assert store.gets == before + 3
