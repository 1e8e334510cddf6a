"""The evaluator over scripted sandboxes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.evaluation.evaluator import RETRY_S, Evaluator
from rlplatform.errors import SandboxFault, SandboxUnavailable, ServiceError, StorageError
from rlplatform.evaluation.events import EvaluationCancelled, EvaluationOutput
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.stdout_stream import AFTER_S
from rlplatform.run_kinds import parse_event
from rlplatform.sandbox.models import Execution, Outcome, Program
from rlplatform.sandbox.ports import SandboxPool
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.actors import FlakyStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.episodes import local_episodes
from rlplatform.testing.samples import evaluation_run, queued
from rlplatform.testing.sandboxes import Answer, ScriptedPool, exited

pytestmark = pytest.mark.anyio


class Bench:
    """An evaluator whose programs wait for :attr:`go`."""

    def __init__(self) -> None:
        self.clock = FakeClock(auto_advance=True)
        self.store = MemoryStore(self.clock)
        self.flaky = FlakyStore(self.store)
        self.go, self.begun = threading.Event(), threading.Event()
        self.answer: Answer = exited(b"1\n")
        self.pool = ScriptedPool(self._script)
        self.evaluator = Evaluator(lambda: self.pool, self.flaky, self.clock, slots=2)

    def _script(self, program: Program, execution: Execution) -> Answer:
        self.begun.set()
        assert self.go.wait(10)
        return self.answer

    async def run(self, *, hidden: bool = True) -> EvaluationRun:
        run = evaluation_run(self.clock)
        tests = [test.model_copy(update={"hidden": hidden}) for test in run.request.tests]
        run = run.model_copy(update={"request": run.request.model_copy(update={"tests": tests})})
        stored, _ = await self.store.create(run, queued(run, self.clock))
        assert isinstance(stored, EvaluationRun)
        return stored

    async def evaluate(self, run: EvaluationRun, attempt: int = 1) -> None:
        await self.evaluator.evaluate(run, attempt, await self.store.acquire(run.id))

    async def begin(self, run: EvaluationRun, attempt: int = 1) -> asyncio.Task[None]:
        """An evaluation whose program runs."""
        self.begun.clear()
        task = asyncio.create_task(self.evaluate(run, attempt))
        await asyncio.to_thread(self.begun.wait, 10)
        return task

    async def types(self, run: EvaluationRun) -> list[str]:
        return [line.type.removeprefix("evaluation.") for line in await self.store.read(run.stream)]


@pytest.fixture
async def bench(anyio_backend: str) -> AsyncIterator[Bench]:
    bench = Bench()
    await bench.evaluator.prepare()
    yield bench
    bench.go.set()
    await bench.evaluator.close()


async def test_every_step_is_recorded(bench: Bench) -> None:
    run = await bench.run()
    bench.go.set()
    await bench.evaluate(run)
    assert await bench.types(run) == ["queued", "started", "test_finished", "finished"]
    assert bench.evaluator.active() == []


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_test_that_runs_for_long_is_heard_while_it_runs(bench: Bench, hidden: bool) -> None:
    run = await bench.run(hidden=hidden)
    task = await bench.begin(run)
    await asyncio.sleep(AFTER_S * 1.2)
    bench.go.set()
    await task
    types = await bench.types(run)
    if hidden:
        assert types[:3] == ["queued", "started", "test_finished"]
        return
    assert types[:4] == ["queued", "started", "output", "test_finished"]
    output = parse_event((await bench.store.read(run.stream))[2].data)
    assert isinstance(output, EvaluationOutput)
    assert (output.attempt, output.test, output.offset, output.text) == (1, "t1", 0, "1\n")


async def test_the_sandbox_is_the_tenants(bench: Bench) -> None:
    bench.go.set()
    await bench.evaluate(await bench.run())
    assert [sandbox.tenant for sandbox in bench.pool.opened] == ["acme"]


async def test_a_fault_of_ours_is_raised_and_nothing_final_recorded(bench: Bench) -> None:
    run = await bench.run()
    bench.answer = SandboxFault("broken pipe")
    bench.go.set()
    with pytest.raises(SandboxFault):
        await bench.evaluate(run)
    assert await bench.types(run) == ["queued", "started"]
    assert bench.evaluator.active() == []


async def test_a_cancelled_run_stops_and_frees_its_slot(bench: Bench) -> None:
    run = await bench.run()
    task = await bench.begin(run)
    await bench.store.append(
        run.stream, [EvaluationCancelled(stream=run.stream, time=bench.clock.now(), reason="by the test")]
    )
    cancelling = asyncio.create_task(bench.evaluator.cancel(run.id))
    await asyncio.sleep(0)
    bench.go.set()
    await cancelling
    assert bench.evaluator.active() == []
    with pytest.raises(ServiceError, match="given up"):
        await task
    assert (await bench.types(run))[-1] == "cancelled"


async def test_another_owner_ends_it_quietly(bench: Bench) -> None:
    run = await bench.run()
    task = await bench.begin(run)
    await bench.store.acquire(run.id)
    bench.go.set()
    await task
    assert await bench.types(run) == ["queued", "started"]


async def test_a_second_attempt_on_the_same_evaluator_takes_the_place_of_the_first(bench: Bench) -> None:
    run = await bench.run()
    first = await bench.begin(run)
    second = asyncio.create_task(bench.evaluate(run, 2))
    await asyncio.sleep(0.05)
    bench.go.set()
    await second
    with pytest.raises(ServiceError):
        await first
    assert (await bench.store.get(run.id)).document.attempts == 2
    assert (await bench.types(run)).count("finished") == 1


async def test_a_result_that_cannot_be_recorded_is_a_lost_attempt(bench: Bench) -> None:
    run = await bench.run()
    task = await bench.begin(run)
    bench.flaky.error = StorageError("database is locked")
    bench.go.set()
    with pytest.raises(StorageError):
        await task
    assert await bench.types(run) == ["queued", "started"]


async def test_without_a_pool_it_says_why_and_keeps_trying() -> None:
    clock, made = FakeClock(), []

    def make() -> SandboxPool:
        made.append(clock.monotonic())
        if len(made) < 3:
            raise SandboxUnavailable("no Docker engine")
        return ScriptedPool([])

    evaluator = Evaluator(make, MemoryStore(clock), clock, slots=1)
    preparing = asyncio.create_task(evaluator.prepare())
    status = await evaluator.status()
    assert (status.available, status.reason) == (False, "no Docker engine")
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        await evaluator.evaluate(evaluation_run(clock), 1, 1)
    for _ in range(2):
        while not clock.sleeping:
            await asyncio.sleep(0.01)
        await clock.advance(RETRY_S)
    await preparing
    assert (await evaluator.status()).available
    assert made == [0, RETRY_S, 2 * RETRY_S]


async def test_closed_it_leaves_no_sandbox_and_takes_no_more(bench: Bench) -> None:
    run = await bench.run()
    task = await bench.begin(run)
    closing = asyncio.create_task(bench.evaluator.close())
    await asyncio.sleep(0.01)
    bench.go.set()
    await closing
    with pytest.raises(ServiceError):
        await task
    assert bench.pool.closed
    with pytest.raises(SandboxUnavailable, match="shutting down"):
        await bench.evaluate(await bench.run())


async def test_a_pool_made_while_closing_is_closed() -> None:
    clock, may = FakeClock(), threading.Event()
    pool = ScriptedPool([Outcome])

    def make() -> SandboxPool:
        may.wait(10)
        return pool

    evaluator = Evaluator(make, MemoryStore(clock), clock, slots=1)
    preparing = asyncio.create_task(evaluator.prepare())
    await asyncio.sleep(0.01)
    await evaluator.close()
    may.set()
    await preparing
    assert pool.closed


async def test_the_episodes_of_agents_are_stored_before_the_evaluation_finishes(tmp_path: Path) -> None:
    clock = FakeClock(auto_advance=True)
    store, episodes = MemoryStore(clock), local_episodes(tmp_path)

    def agent(_: Program, execution: Execution) -> Outcome:
        partner = pool.opened[-1].interactors[-1]
        said = partner.begin()
        while said is not None:
            count = len(json.loads(said).get("observations", [0]))
            said = partner.reply(b"[" + b",".join([b"0"] * count) + b"]" if b"observations" in said else b"0")
        return exited()

    pool = ScriptedPool(agent)
    evaluator = Evaluator(lambda: pool, store, clock, slots=1, episodes=episodes)
    await evaluator.prepare()
    run = evaluation_run(clock)
    fields = {
        "source": "",
        "grader": {"kind": "episode", "env": "CartPole-v1"},
        "tests": [{"id": "many", "episodes": 9, "seed": 1}, {"id": "one", "hidden": True}],
    }
    run = run.model_copy(update={"request": EvaluationRequest.model_validate(fields)})
    stored, _ = await store.create(run, queued(run, clock))
    assert isinstance(stored, EvaluationRun)
    await evaluator.evaluate(stored, 1, await store.acquire(run.id))
    await evaluator.close()
    kept: dict[str | None, list[tuple[tuple[str, ...], bool, str]]] = {"many": [], "one": []}
    for info in episodes.list(run.id):
        kept[info.test].append((tuple(info.roles), info.hidden, info.run_id))
    assert sorted(kept["many"]) == [((role,), False, run.id) for role in ("best", "median", "worst")]
    assert kept["one"] == [(("best", "median", "worst"), True, run.id)]
