"""The supervisor over a cluster without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from actors.supervisor import Supervisor
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import InvalidRequest, NotFound, PlatformError, SandboxUnavailable, StorageError, Unavailable
from rlplatform.evaluation.models import EvaluationRequest, TestCase
from rlplatform.ids import Kind, new_id
from rlplatform.ports import Idempotency
from rlplatform.settings import EvaluationSettings, Settings, TrainingSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.launcher import FakeEvaluator, FakeLauncher, FlakyStore
from rlplatform.training.models import StopCriteria, TrainingRequest

pytestmark = pytest.mark.anyio

PRINCIPAL = Principal(id="key_1", tenant="acme", scopes=frozenset(Scope))
STRANGER = PRINCIPAL.model_copy(update={"tenant": "other"})
EVALUATION = EvaluationRequest(source="print(1)", tests=[TestCase(id="t1", expected_stdout="1\n")])
TRAINING = TrainingRequest(env="CartPole-v1", engine="simulated", stop=StopCriteria(iterations=10))
SETTINGS = Settings(evaluation=EvaluationSettings(max_queued=10), training=TrainingSettings(max_running=1))


async def settle() -> None:
    for _ in range(80):
        await asyncio.sleep(0)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.flaky = FlakyStore(self.store)
        self.launcher = FakeLauncher(self.store, self.clock)
        self.evaluator = FakeEvaluator("one", self.store, self.clock)
        self.launcher.evaluators_ = [self.evaluator]
        self.checkpoints = MemoryCheckpoints()
        self.supervisor = Supervisor(SETTINGS, self.flaky, self.checkpoints, self.launcher, self.clock)

    async def leave(self) -> None:
        for kept in self.supervisor._trainings._kept.values():
            kept.task.cancel()
        for task in self.supervisor._evaluations._tasks:
            task.cancel()
        await settle()


@pytest.fixture
async def bench(anyio_backend: str) -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.leave()


async def test_before_it_has_restored_it_says_so(bench: Bench) -> None:
    asking = asyncio.create_task(bench.supervisor.start_training(TRAINING, PRINCIPAL))
    await bench.clock.advance(10)
    with pytest.raises(Unavailable, match="starting"):
        await asking
    status = await bench.supervisor.status()
    assert {dependency.name: dependency.ok for dependency in status.dependencies} == {
        "store": True,
        "sandbox": False,
        "ray": False,
    }


async def test_what_is_asked_for_early_waits_for_it(bench: Bench) -> None:
    asking = asyncio.create_task(bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL))
    await settle()
    await bench.supervisor.reconcile()
    run, new = await asking
    await settle()
    assert new
    assert list(bench.evaluator.at_work) == [run.id]


async def test_an_idempotent_request_is_carried_out_once(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    key = Idempotency("acme", "k", "0" * 64)
    first, again = [await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL, key) for _ in range(2)]
    await settle()
    assert (first[1], again[1], again[0].id) == (True, False, first[0].id)
    assert len(bench.evaluator.leased) == 1


async def test_a_run_stored_by_a_request_that_failed_is_found_by_the_next_round(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    bench.flaky.error, bench.flaky.late = Unavailable("the answer was lost"), True
    with pytest.raises(Unavailable):
        await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    bench.flaky.error = None
    (stored,) = await bench.store.find("evaluation")
    await settle()
    assert not bench.evaluator.at_work
    await bench.supervisor.reconcile()
    await settle()
    assert list(bench.evaluator.at_work) == [stored.id]


async def test_a_store_that_is_away_at_the_start_delays_it(bench: Bench) -> None:
    bench.flaky.error = StorageError("database is locked")
    running = asyncio.create_task(bench.supervisor.run())
    await bench.clock.advance(5)
    assert not (await bench.supervisor.status()).dependencies[0].ok
    bench.flaky.error = None
    await bench.clock.advance(5)
    assert (await bench.supervisor.status()).dependencies[2].ok
    await bench.supervisor.drain(1)
    await running


async def test_a_lost_evaluator_is_replaced_at_once(bench: Bench) -> None:
    running = asyncio.create_task(bench.supervisor.run())
    await settle()
    run, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await settle()
    spare = FakeEvaluator("two", bench.store, bench.clock)
    bench.launcher.evaluators_.append(spare)
    bench.evaluator.die()
    await settle()
    assert list(spare.at_work) == [run.id], "without waiting for the next round"
    spare.finish(run.id)
    await settle()
    await bench.supervisor.drain(1)
    await running


async def test_nobody_touches_what_is_another_tenants(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    evaluation, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    with pytest.raises(NotFound):
        await bench.supervisor.cancel_evaluation(evaluation.id, STRANGER)


@pytest.mark.parametrize(("resume_from", "refusal"), [(new_id(Kind.CHECKPOINT), NotFound), ("best", InvalidRequest)])
async def test_a_parent_that_is_none_is_refused_by_its_field(
    bench: Bench, resume_from: str, refusal: type[PlatformError]
) -> None:
    await bench.supervisor.reconcile()
    with pytest.raises(refusal, match="resume_from: ") as refused:
        await bench.supervisor.start_training(TRAINING.model_copy(update={"resume_from": resume_from}), PRINCIPAL)
    assert refused.value.extra["field"] == "resume_from"


async def test_what_was_never_committed_is_swept_every_hour(bench: Bench) -> None:
    running = asyncio.create_task(bench.supervisor.run())
    while not bench.checkpoints.sweeps:
        await asyncio.sleep(0.001)
    await bench.clock.advance(3600)
    while bench.checkpoints.sweeps < 2:
        await asyncio.sleep(0.001)
    await bench.supervisor.drain(1)
    await running


async def test_positions_are_those_of_the_queues(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    evaluations = [(await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL))[0].id for _ in range(3)]
    trainings = [(await bench.supervisor.start_training(TRAINING, PRINCIPAL))[0].id for _ in range(2)]
    assert bench.supervisor.positions([*evaluations, *trainings]) == [None, 0, 1, None, 0]


async def test_drained_it_takes_nothing_and_leaves_nothing(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    training, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await settle()
    await bench.launcher.newest(training.id).begin()
    await bench.supervisor.drain(1)
    assert bench.launcher.closed
    assert not await bench.launcher.placed()
    assert (await bench.store.get(training.id)).state == "interrupted"
    with pytest.raises(Unavailable, match="shutting down"):
        await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await bench.supervisor.reconcile()
    assert not bench.launcher.alive()


async def test_without_a_sandbox_an_evaluation_is_refused_with_the_reason(bench: Bench) -> None:
    bench.evaluator.unavailable = "no Docker engine"
    await bench.supervisor.reconcile()
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    assert await bench.store.find("evaluation") == []
