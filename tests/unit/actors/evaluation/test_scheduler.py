"""The dispatcher over evaluators whose every end the test decides."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.evaluation.evaluators import HUNG_S, STATUS_S
from actors.evaluation.scheduler import WATCH_S, EvaluationScheduler
from rlplatform.errors import (
    InvalidRequest,
    QueueFull,
    QuotaExceeded,
    SandboxFault,
    SandboxUnavailable,
    StorageError,
    WaitTooLong,
)
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.settings import EvaluationSettings, Quotas
from rlplatform.storage.memory import MemoryStore
from rlplatform.store import Store
from rlplatform.testing.actors import FakeEvaluator, FlakyStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import evaluation_run, queued
from rlplatform.testing.settling import WatchedStore, settle
from tests.queues import in_order

pytestmark = pytest.mark.anyio

SETTINGS = EvaluationSettings(max_queued=100, max_attempts=3)


class Bench:
    """A dispatcher and its evaluators."""

    def __init__(self, store: MemoryStore, clock: FakeClock, settings: EvaluationSettings = SETTINGS) -> None:
        self.store, self.clock, self.settings = store, clock, settings
        self.flaky = FlakyStore(store)
        self.lost = 0
        self.evaluators: list[FakeEvaluator] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.restart()

    def restart(self) -> None:
        """A new dispatcher, as after a supervisor's death; its evaluators work on."""
        for task in self.tasks:
            task.cancel()
        self.dispatcher = EvaluationScheduler(self.flaky, self.settings, self.clock, self._note)
        self.tasks = self.dispatcher._tasks

    def _note(self) -> None:
        self.lost += 1

    async def add(self, name: str, slots: int = 1) -> FakeEvaluator:
        evaluator = FakeEvaluator(name, self.store, self.clock, slots=slots)
        self.evaluators.append(evaluator)
        await self.refresh()
        return evaluator

    async def refresh(self) -> None:
        await self.dispatcher.refresh([evaluator for evaluator in self.evaluators if not evaluator.dead])
        await settle(self.store)

    def admit(self, tenant: str = "acme", quotas: Quotas | None = None, **request: object) -> QueuePlace:
        """Return True if a new one would be admitted, and its place."""
        asked = evaluation_run(self.clock).request.model_copy(update=request)
        with self.dispatcher.admit(asked, tenant, quotas or Quotas()) as place:
            return place

    async def submit(self, tenant: str = "acme", **request: object) -> EvaluationRun:
        run = evaluation_run(self.clock, tenant)
        run = run.model_copy(update={"request": run.request.model_copy(update=request)})
        stored, _ = await self.store.create(run, queued(run, self.clock))
        assert isinstance(stored, EvaluationRun)
        self.dispatcher.enqueue(stored)
        await settle(self.store)
        return stored

    async def get(self, run: EvaluationRun) -> EvaluationRun:
        found = await self.store.get(run.id)
        assert isinstance(found, EvaluationRun)
        return found

    async def types(self, run: EvaluationRun) -> list[str]:
        return [line.type.removeprefix("evaluation.") for line in await self.store.read(run.stream)]


@pytest.fixture
async def bench(anyio_backend: str, store: MemoryStore, clock: FakeClock) -> Bench:
    return Bench(store, clock)


async def test_a_run_is_leased_recorded_and_forgotten(bench: Bench) -> None:
    evaluator = await bench.add("one")
    run = await bench.submit()
    assert (bench.dispatcher.queued, bench.dispatcher.running) == (0, 1)
    evaluator.finish(run.id)
    await settle()
    assert await bench.types(run) == ["queued", "started", "finished"]
    assert (bench.dispatcher.queued, bench.dispatcher.running) == (0, 0)


async def test_slots_are_filled_least_loaded_first_and_never_exceeded(bench: Bench) -> None:
    one, two = await bench.add("one", slots=1), await bench.add("two", slots=2)
    runs = [await bench.submit() for _ in range(5)]
    assert (len(one.at_work), len(two.at_work), bench.dispatcher.queued) == (1, 2, 2)
    assert in_order(bench.dispatcher.queue) == [runs[3].id, runs[4].id]
    next(iter(two.at_work.values())).set_result(True)
    await settle()
    assert (len(one.at_work), len(two.at_work), bench.dispatcher.queued) == (1, 2, 1)


async def test_without_a_sandbox_it_says_why(bench: Bench) -> None:
    with pytest.raises(SandboxUnavailable, match="no node of the cluster offers sandboxes"):
        bench.admit()
    evaluator = await bench.add("one")
    evaluator.unavailable = "no Docker engine"
    await bench.refresh()
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        bench.admit()
    run = await bench.submit()
    assert (await bench.get(run)).state == "queued"
    evaluator.unavailable = None
    await bench.refresh()
    assert (await bench.get(run)).state == "running"


async def test_while_the_only_evaluator_is_replaced_there_is_a_place_in_the_queue(bench: Bench) -> None:
    evaluator = await bench.add("one")
    evaluator.dead = True
    await bench.refresh()
    assert bench.admit() == QueuePlace(0, None)
    run = await bench.submit()
    assert (await bench.get(run)).state == "queued"
    await bench.add("another")
    assert (await bench.get(run)).state == "running"


async def test_one_that_is_not_replaced_for_long_is_missed(bench: Bench) -> None:
    evaluator = await bench.add("one")
    evaluator.dead = True
    await bench.refresh()
    await bench.clock.advance(14)
    bench.admit()
    await bench.clock.advance(2)
    with pytest.raises(SandboxUnavailable, match="no node of the cluster offers sandboxes"):
        bench.admit()


async def test_one_that_comes_back_without_a_sandbox_says_why_at_once(bench: Bench) -> None:
    evaluator = await bench.add("one")
    evaluator.dead = True
    await bench.refresh()
    replacement = await bench.add("another")
    replacement.unavailable = "no Docker engine"
    await bench.refresh()
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        bench.admit()


async def test_a_full_queue_refuses(store: MemoryStore, clock: FakeClock) -> None:
    bench = Bench(store, clock, EvaluationSettings(max_queued=1))
    await bench.add("one")
    await bench.submit()
    bench.admit()
    await bench.submit()
    with pytest.raises(QueueFull):
        bench.admit()


async def test_the_expected_wait_is_measured_and_bounds_who_is_let_in(store: MemoryStore, clock: FakeClock) -> None:
    bench = Bench(store, clock, EvaluationSettings(max_wait_s=35))
    evaluator = await bench.add("one", slots=2)
    assert bench.admit() == (0, 0.0)
    runs = [await bench.submit() for _ in range(5)]
    assert bench.admit() == (3, None), "nothing has been measured"
    await clock.advance(10)
    evaluator.finish(runs[0].id)
    await settle()
    assert bench.dispatcher.place(runs[3].id) == (0, 5.0), "one of two slots every ten seconds"
    assert bench.dispatcher.place(runs[4].id) == (1, 10.0)
    assert bench.dispatcher.place(runs[0].id) is None
    assert bench.admit() == (2, 15.0)
    with pytest.raises(WaitTooLong):
        bench.admit(max_wait_s=12)
    for _ in range(4):
        await bench.submit()
    assert bench.admit() == (6, 35.0)
    await bench.submit()
    with pytest.raises(WaitTooLong) as refused:
        bench.admit(max_wait_s=600)
    assert refused.value.extra["retry_after_s"] == 5.0


async def test_priorities_order_a_tenants_own_and_take_nothing_from_others(bench: Bench) -> None:
    evaluator = await bench.add("one")
    first = await bench.submit()
    low, normal, theirs = await bench.submit(priority="low"), await bench.submit(), await bench.submit("other")
    high = await bench.submit(priority="high")
    assert in_order(bench.dispatcher.queue) == [high.id, theirs.id, normal.id, low.id]
    evaluator.fail(first.id, SandboxFault("broken pipe"))
    await settle()
    assert list(evaluator.at_work) == [high.id], "what is tried again goes to the front of its own priority"
    assert in_order(bench.dispatcher.queue) == [theirs.id, first.id, normal.id, low.id]


async def test_a_quota_of_a_tenant_leaves_room_for_others(bench: Bench) -> None:
    await bench.add("one")
    quotas = Quotas(concurrent_evaluations=2)
    for _ in range(2):
        bench.admit(quotas=quotas)
        await bench.submit()
    with pytest.raises(QuotaExceeded) as refused:
        bench.admit(quotas=quotas)
    assert (refused.value.extra["quota"], refused.value.extra["used"]) == ("concurrent_evaluations", 2)
    bench.admit("other", quotas=quotas)


async def test_an_evaluator_that_does_not_answer_holds_nobody_up(bench: Bench) -> None:
    evaluator, hanging = await bench.add("one"), FakeEvaluator("two", bench.store, bench.clock)
    hanging.hangs = True
    bench.evaluators.append(hanging)
    refreshing = asyncio.create_task(bench.refresh())
    await bench.clock.advance(STATUS_S)
    await refreshing
    await bench.submit()
    assert len(evaluator.at_work) == 1


async def test_an_evaluator_that_hangs_is_ended_and_its_work_done_elsewhere(bench: Bench) -> None:
    hanging = await bench.add("one")
    run = await bench.submit()
    hanging.hangs = True
    other = FakeEvaluator("two", bench.store, bench.clock)
    bench.evaluators.append(other)
    rounds = 0
    while not hanging.dead:
        refreshing = asyncio.create_task(bench.refresh())
        await bench.clock.advance(STATUS_S)
        await refreshing
        rounds += 1
        assert rounds < 12
    assert bench.clock.monotonic() >= HUNG_S
    await settle()
    assert list(other.at_work) == [run.id]
    other.finish(run.id)
    await settle()
    assert (await bench.get(run)).document.attempts == 2


async def test_one_whose_sandbox_is_being_prepared_does_not_hang(bench: Bench) -> None:
    preparing = FakeEvaluator("one", bench.store, bench.clock)
    preparing.status = lambda: asyncio.Event().wait()
    bench.evaluators.append(preparing)
    for _ in range(12):
        refreshing = asyncio.create_task(bench.refresh())
        await bench.clock.advance(STATUS_S)
        await refreshing
    assert not preparing.dead


async def test_a_dead_evaluators_work_is_done_elsewhere_and_recorded_once(bench: Bench) -> None:
    one = await bench.add("one")
    run = await bench.submit()
    one.die()
    await settle()
    assert bench.lost == 1
    assert not await one.record(run.id), "the lost owner is fenced, also while nobody follows it yet"
    two = await bench.add("two")
    assert list(two.at_work) == [run.id]
    two.finish(run.id)
    await settle()
    assert await bench.types(run) == ["queued", "started", "retried", "started", "finished"]
    assert (await bench.get(run)).document.attempts == 2


async def test_a_lost_attempt_prefers_another_evaluator(bench: Bench) -> None:
    one = await bench.add("one", slots=2)
    run = await bench.submit()
    two = await bench.add("two", slots=2)
    await bench.submit()
    assert (list(one.at_work), len(two.at_work)) == ([run.id], 1)
    one.fail(run.id, SandboxFault("broken pipe"))
    await settle()
    assert run.id in two.at_work


async def test_after_the_last_attempt_it_has_failed(bench: Bench) -> None:
    evaluator = await bench.add("one")
    run = await bench.submit()
    for _ in range(3):
        evaluator.fail(run.id, SandboxFault("broken pipe"))
        await settle()
    found = await bench.get(run)
    assert (found.state, found.document.message) == ("failed", "gave up after 3 attempts; the last: broken pipe")
    assert [attempt for _, attempt, _ in evaluator.leased] == [1, 2, 3]


async def test_what_no_retry_can_help_is_not_tried_again(bench: Bench) -> None:
    evaluator = await bench.add("one")
    run = await bench.submit()
    evaluator.fail(run.id, InvalidRequest("not a program"))
    await settle()
    assert await bench.types(run) == ["queued", "started", "failed"]


async def test_a_refused_lease_is_no_attempt_and_waits_for_the_next_refresh(bench: Bench) -> None:
    evaluator = await bench.add("one")
    evaluator.refusal = "the pool is being rebuilt"
    run = await bench.submit()
    await settle()
    assert (bench.dispatcher.queued, bench.lost) == (1, 1), "refused once, not in a loop"
    for _ in range(5):
        await bench.refresh()
    evaluator.refusal = None
    await bench.refresh()
    assert [attempt for _, attempt, _ in evaluator.leased] == [1]
    evaluator.finish(run.id)
    await settle()
    assert await bench.types(run) == ["queued", "started", "finished"]


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_a_cancelled_run_is_over_and_its_slot_free(bench: Bench, state: str) -> None:
    evaluator = await bench.add("one")
    first = await bench.submit()
    second = await bench.submit()
    chosen = {"queued": second, "running": first}[state]
    cancelled = await bench.dispatcher.cancel(chosen, "cancelled by key_1")
    assert (cancelled.state, cancelled.document.message) == ("cancelled", "cancelled by key_1")
    await settle()
    (left,) = {first.id, second.id} - {chosen.id}
    assert list(evaluator.at_work) == [left]
    assert bench.dispatcher.queued == 0


async def test_cancelling_a_finished_run_changes_nothing(bench: Bench) -> None:
    evaluator = await bench.add("one")
    run = await bench.submit()
    evaluator.finish(run.id)
    assert (await bench.dispatcher.cancel(run, "late")).state in ("finished", "cancelled")
    await settle()
    assert (await bench.types(run))[:2] == ["queued", "started"]
    assert len(await bench.types(run)) == 3, "one end, whichever came first"


async def test_a_run_cancelled_between_queue_and_evaluator_never_gets_there(bench: Bench) -> None:
    evaluator = await bench.add("one")
    run = evaluation_run(bench.clock)
    stored, _ = await bench.store.create(run, queued(run, bench.clock))
    assert isinstance(stored, EvaluationRun)
    bench.dispatcher.enqueue(stored)  # leased, but not yet on its way
    await bench.dispatcher.cancel(stored, "at once")
    await settle()
    assert (await bench.get(run)).state == "cancelled"
    assert bench.dispatcher.running == 0
    assert not evaluator.at_work


async def test_a_cancel_that_the_store_refuses_leaves_the_run_in_the_queue(bench: Bench) -> None:
    run = await bench.submit()
    bench.flaky.error = StorageError("locked")
    with pytest.raises(StorageError):
        await bench.dispatcher.cancel(run, "now")
    assert in_order(bench.dispatcher.queue) == [run.id]


@pytest.mark.parametrize("during", ["acquire", "lost"])
async def test_nothing_is_lost_while_the_store_is_away(bench: Bench, during: str) -> None:
    evaluator = await bench.add("one")
    if during == "acquire":
        bench.flaky.error = StorageError("database is locked")
    run = await bench.submit()
    if during == "lost":
        bench.flaky.error = StorageError("database is locked")
        evaluator.fail(run.id, SandboxFault("broken pipe"))
    await bench.clock.advance(10)
    assert bench.dispatcher.running == 1
    bench.flaky.error = None
    await bench.clock.advance(5)
    await settle()
    assert list(evaluator.at_work) == [run.id]
    evaluator.finish(run.id)
    await settle()
    assert (await bench.get(run)).state == "finished"


class TestRestart:
    """A new dispatcher continues where the last one stopped."""

    async def test_what_an_evaluator_works_on_is_left_to_it(self, bench: Bench) -> None:
        evaluator = await bench.add("one")
        run = await bench.submit()
        bench.restart()
        await bench.refresh()
        await bench.dispatcher.restore([await bench.get(run)])
        await settle()
        evaluator.finish(run.id)
        await bench.clock.advance(WATCH_S)
        await settle()
        assert await bench.types(run) == ["queued", "started", "finished"]
        assert bench.dispatcher.running == 0

    async def test_what_its_evaluator_then_loses_is_run_again(self, bench: Bench) -> None:
        one = await bench.add("one")
        run = await bench.submit()
        bench.restart()
        await bench.refresh()
        await bench.dispatcher.restore([await bench.get(run)])
        two = await bench.add("two")
        one.die()
        await bench.clock.advance(WATCH_S)
        await settle()
        assert list(two.at_work) == [run.id]
        assert await bench.types(run) == ["queued", "started", "retried", "started"]

    async def test_what_no_evaluator_works_on_is_run_again(self, bench: Bench) -> None:
        (await bench.add("one")).hangs = True
        run = await bench.submit()
        bench.evaluators[0].dead = True
        bench.restart()
        two = await bench.add("two")
        await bench.dispatcher.restore([await bench.get(run)])
        await settle()
        assert list(two.at_work) == [run.id]
        assert (await bench.get(run)).document.attempts == 2

    async def test_restoring_twice_is_restoring_once(self, bench: Bench) -> None:
        evaluator = await bench.add("one")
        runs = [await bench.submit() for _ in range(3)]
        bench.restart()
        await bench.refresh()
        for _ in range(2):
            await bench.dispatcher.restore([await bench.get(run) for run in runs])
            await settle()
        assert (bench.dispatcher.running, bench.dispatcher.queued) == (1, 2)
        assert len(evaluator.leased) == 1


class TestDrain:
    async def test_what_runs_may_end_and_nothing_new_begins(self, bench: Bench) -> None:
        evaluator = await bench.add("one")
        first, second = await bench.submit(), await bench.submit()
        draining = asyncio.create_task(bench.dispatcher.drain(30))
        await settle()
        assert not draining.done()
        evaluator.finish(first.id)
        await settle()
        assert draining.done()
        assert [(await bench.get(run)).state for run in (first, second)] == ["finished", "queued"]

    async def test_it_does_not_wait_for_ever_and_costs_no_attempt(self, bench: Bench) -> None:
        evaluator = await bench.add("one")
        run = await bench.submit()
        for _ in range(2):
            evaluator.fail(run.id, SandboxFault("broken pipe"))
            await settle()
        draining = asyncio.create_task(bench.dispatcher.drain(30))
        await bench.clock.advance(30)
        await draining
        evaluator.die()
        await settle()
        assert ((await bench.get(run)).state, bench.dispatcher.running) == ("queued", 0)


class DispatcherMachine(RuleBasedStateMachine):
    """Evaluators come, finish, break and die; runs come and are cancelled; the dispatcher is restarted."""

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.do(self._begin)

    async def _begin(self) -> None:
        clock = FakeClock()
        self.bench = Bench(WatchedStore(await self.open_store(clock)), clock)
        self.runs: list[EvaluationRun] = []
        self.seen: dict[str, FakeEvaluator] = {}
        await self.bench.add("e0", slots=2)

    async def open_store(self, clock: FakeClock) -> Store:
        """An empty store of the machine's own; :meth:`teardown` closes it."""
        return MemoryStore(clock)

    def do(self, action: Callable[[], Awaitable[None]]) -> None:
        async def act() -> None:
            await action()
            await settle(self.bench.store)

        self.runner.run(act())

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.do(self._finish_all)
            self.runner.run(self.bench.store.close())
            self.runner.close()

    @property
    def working(self) -> list[tuple[FakeEvaluator, str]]:
        """Leases that the test can end."""
        return [
            (evaluator, run_id)
            for evaluator in self.bench.evaluators
            if not evaluator.dead
            for run_id, future in evaluator.at_work.items()
            if not future.done()
        ]

    @rule(tenant=st.sampled_from("abc"))
    def submit(self, tenant: str) -> None:
        async def act() -> None:
            self.runs.append(await self.bench.submit(tenant))

        self.do(act)

    @precondition(lambda self: self.working)
    @rule(data=st.data(), end=st.sampled_from(["finish", "fault", "die", "zombie"]))
    def end_one(self, data: st.DataObject, end: str) -> None:
        evaluator, run_id = data.draw(st.sampled_from(self.working))

        async def act() -> None:
            if end == "finish":
                evaluator.finish(run_id)
            elif end == "fault":
                evaluator.fail(run_id, SandboxFault("broken pipe"))
            else:
                at_work = list(evaluator.at_work)
                evaluator.die()
                await settle(self.bench.store)
                if end == "zombie":  # cut off, but alive: it still tries to record what it had
                    for late in at_work:
                        await evaluator.record(late)

        self.do(act)

    @precondition(lambda self: len(self.bench.evaluators) < 8)
    @rule(slots=st.integers(1, 3))
    def add_evaluator(self, slots: int) -> None:
        async def act() -> None:
            await self.bench.add(f"e{len(self.bench.evaluators)}", slots)

        self.do(act)

    @rule()
    def refresh(self) -> None:
        self.do(self.bench.refresh)

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.runs))

        async def act() -> None:
            await self.bench.dispatcher.cancel(run, "by the test")

        self.do(act)

    @rule()
    def restart(self) -> None:
        self.do(self._restart)

    async def _restart(self) -> None:
        self.bench.restart()
        await settle(self.bench.store)
        await self.bench.refresh()
        await self.bench.dispatcher.restore([run for run in await self._all() if not run.final])
        await self.bench.clock.advance(WATCH_S)

    @rule()
    def let_time_pass(self) -> None:
        async def act() -> None:
            await self.bench.clock.advance(WATCH_S)

        self.do(act)

    @invariant()
    def slots_are_never_exceeded(self) -> None:
        for evaluator in self.bench.evaluators:
            assert evaluator.most_at_work <= evaluator.slots

    async def _all(self) -> list[EvaluationRun]:
        return [await self.bench.get(run) for run in self.runs]

    async def _finish_all(self) -> None:
        """With an evaluator that is well, all comes to an end."""
        await self.bench.add("last", slots=2)
        for _ in range(4 * len(self.runs) + 4):
            for evaluator, run_id in self.working:
                evaluator.finish(run_id)
            await self.bench.clock.advance(WATCH_S)
            await settle(self.bench.store)
        for run in await self._all():
            lines = await self.bench.store.read(run.stream)
            types = Counter(line.type.removeprefix("evaluation.") for line in lines)
            assert run.final, f"{run.id} was lost in state {run.state}"
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
            assert types["finished"] + types["cancelled"] + types["failed"] == 1
            attempts = [json.loads(line.data)["attempt"] for line in lines if line.type == "evaluation.started"]
            assert len(attempts) <= SETTINGS.max_attempts
            assert attempts == sorted(set(attempts))
        assert (self.bench.dispatcher.queued, self.bench.dispatcher.running) == (0, 0)


TestDispatcherMachine = DispatcherMachine.TestCase
TestDispatcherMachine.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
