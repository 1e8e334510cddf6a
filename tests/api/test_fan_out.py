"""The hub by itself: what is shared, what is left out, what is given back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar

import pytest

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import SystemClock
from rlplatform.errors import StorageError
from rlplatform.evaluation.models import EvaluationRequest, Verdict
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent
from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.testing.commands import FakeCommands
from rlplatform.training.events import TrainingPauseRequested
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun
from serve_apps.api.streams.fan_out import Chunk, Cursor, StreamFanOuts, wanted

pytestmark = pytest.mark.anyio
SOMEBODY = Principal(id="key_x", tenant="school", scopes=frozenset(Scope))


class CountingLog:
    """A store's log that counts its readers, and breaks when told to."""

    def __init__(self, store: Store) -> None:
        self.tails = self.reads = 0
        self.contexts: list[str | None] = []
        self.broken = False
        self._store = store

    async def append(self, stream: str, what: Sequence[Event], *, epoch: int | None = None) -> object:
        raise NotImplementedError

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        self.reads += 1
        return await self._store.read(stream, after=after, limit=limit)

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        self.tails += 1
        self.contexts.append(opened_by.get())
        if self.broken:
            raise StorageError("the disk is gone")
        return await self._store.tail(cursors, wait_s=0.05, limit=limit)


opened_by: ContextVar[str | None] = ContextVar("opened_by", default=None)


class Scene:
    def __init__(self, store: Store, run: TrainingRun, commands: FakeCommands, ring_bytes: int) -> None:
        self.log = CountingLog(store)
        self.commands = commands
        self.run = run
        self.hubs = StreamFanOuts(self.log, SystemClock(), ring_bytes=ring_bytes)


async def scene(ring_bytes: int = 1 << 20) -> Scene:
    store = await open_store("memory://")
    commands = FakeCommands(store, SystemClock())
    request = TrainingRequest.model_validate({"env": "CartPole-v1", "stop": {"env_steps": 1}, "engine": "simulated"})
    run, _ = await commands.start_training(request, SOMEBODY)
    return Scene(store, run, commands, ring_bytes)


async def upto(cursor: Cursor, seq: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    async with asyncio.timeout(5):
        while cursor.seq < seq:
            found += [json.loads(chunk.json) for chunk in await cursor.next()]
    return found


async def test_the_log_is_not_read_on_behalf_of_the_request_that_came_first() -> None:
    """Ray cancels what a request's context has begun when the request ends."""
    it = await scene()
    opened_by.set("a request")
    async with it.hubs.open(it.run.stream, 0) as cursor:
        await upto(cursor, 1)
    assert set(it.log.contexts) == {None}


async def test_many_readers_share_one_tail() -> None:
    it = await scene()
    await it.commands.iterate(it.run, 1, 20)
    async with it.hubs.open(it.run.stream, 0) as first, it.hubs.open(it.run.stream, 0) as second:
        assert len(it.hubs) == 1
        assert await upto(first, 21) == await upto(second, 21)
        assert it.log.reads == 0


async def test_what_many_readers_get_is_put_together_once() -> None:
    it = await scene()
    await it.commands.iterate(it.run, 1, 5)
    async with it.hubs.open(it.run.stream, 0) as first, it.hubs.open(it.run.stream, 0) as second:
        batch = await first.next()
        assert await second.next() is batch
        assert batch.sse == b"".join(chunk.sse for chunk in batch)
        chosen = batch.wanted({"training.queued"})
        assert [chunk.type for chunk in chosen] == ["training.queued"]
        await it.commands.iterate(it.run, 6, 6)
        assert [chunk.seq for chunk in await first.next()] == [7]


async def test_a_hub_goes_with_its_last_reader() -> None:
    it = await scene()
    async with it.hubs.open(it.run.stream, 0):
        async with it.hubs.open(it.run.stream, 0):
            pass
        assert len(it.hubs) == 1
    assert len(it.hubs) == 0
    tails = it.log.tails
    await asyncio.sleep(0.1)
    assert it.log.tails == tails


async def test_a_reader_that_falls_behind_is_told_what_was_left_out() -> None:
    it = await scene(ring_bytes=2000)
    async with it.hubs.open(it.run.stream, 0) as slow, it.hubs.open(it.run.stream, 0) as quick:
        await upto(slow, 1)
        await it.commands.iterate(it.run, 1, 50)
        await upto(quick, 51)
        await it.commands.play(
            it.run.stream, TrainingPauseRequested(stream=it.run.stream, time=SystemClock().now(), by="me")
        )
        await it.commands.iterate(it.run, 51, 90)
        await upto(quick, 92)
        await it.commands.iterate(it.run, 91, 91)
        await upto(quick, 93)
        got = await upto(slow, 93)
    gaps = [event for event in got if event["type"] == "stream.gap"]
    assert (gaps[0]["first_seq"], gaps[0]["last_seq"], gaps[0]["seq"]) == (2, 51, 51)
    assert [event["type"] for event in got][1] == "training.pause_requested"
    covered = {seq for gap in gaps for seq in range(int(str(gap["first_seq"])), int(str(gap["last_seq"])) + 1)}
    told = [int(str(event["seq"])) for event in got if event["type"] != "stream.gap"]
    assert sorted([*covered, *told]) == list(range(2, 94))


async def test_a_gap_is_told_to_those_who_want_telemetry() -> None:
    gap = Chunk(3, "stream.gap", "{}", b"")
    assert wanted(gap, ())
    assert wanted(gap, {"training.iteration_completed"})
    assert not wanted(gap, {"training.succeeded"})


async def test_a_reader_that_comes_late_gets_everything() -> None:
    it = await scene(ring_bytes=2000)
    await it.commands.iterate(it.run, 1, 400)
    async with it.hubs.open(it.run.stream, 400), it.hubs.open(it.run.stream, 0) as late:
        assert [event["seq"] for event in await upto(late, 401)] == list(range(1, 402))
        assert it.log.reads > 0


async def test_a_log_that_breaks_reaches_the_readers_and_a_new_hub_tries_again() -> None:
    it = await scene()
    it.log.broken = True
    async with it.hubs.open(it.run.stream, 0) as cursor:
        with pytest.raises(StorageError):
            await upto(cursor, 1)
        it.log.broken = False
        async with it.hubs.open(it.run.stream, 0) as another:
            assert len(await upto(another, 1)) == 1
    assert len(it.hubs) == 0


async def test_hidden_tests_are_redacted_in_the_stream() -> None:
    store = await open_store("memory://")
    commands = FakeCommands(store, SystemClock(), judge=Verdict.WRONG_ANSWER)
    tests = [{"id": "open", "expected_stdout": "1"}, {"id": "secret", "expected_stdout": "2", "hidden": True}]
    request = EvaluationRequest.model_validate({"source": "", "tests": tests})
    run, _ = await commands.submit_evaluation(request, SOMEBODY)
    async with StreamFanOuts(store, SystemClock(), ring_bytes=1 << 20).open(run.stream, 0) as cursor:
        got = await upto(cursor, 5)
    text = json.dumps(got)
    assert "output of open" in text
    assert "output of secret" not in text
    assert cursor.done
