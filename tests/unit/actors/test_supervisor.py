"""The supervisor over a cluster without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from actors.supervisor import Supervisor
from rlplatform.access.principals import Principal, Role, Scope
from rlplatform.assignments.course import CourseServices
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.similarity.models import SimilarityRequest
from rlplatform.errors import (
    Conflict,
    IdempotencyMismatch,
    InvalidRequest,
    NotAllowed,
    NotFound,
    PlatformError,
    QueueFull,
    QuotaExceeded,
    SandboxUnavailable,
    StorageError,
    Unavailable,
    UnknownName,
)
from rlplatform.evaluation.events import EvaluationQueued
from rlplatform.evaluation.graders.registry import TestCase
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.files.models import FileRef
from rlplatform.files.service import FileService
from rlplatform.ids import Kind, least_id, new_id
from rlplatform.quotas.service import QuotaService
from rlplatform.run_kinds import parse_event
from rlplatform.runs.ports import Idempotency
from rlplatform.sandbox.models import Tier
from rlplatform.settings import EvaluationSettings, Quotas, RetentionSettings, Settings, TrainingSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing import samples
from rlplatform.testing.actors import FakeEvaluator, FakeLauncher, FlakyStore
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.files import MemoryFiles
from rlplatform.testing.samples import queued, training_run
from rlplatform.training.events import TrainingStopped
from rlplatform.training.models import CheckpointInfo, Progress, Resources, StopCriteria, TrainingRequest
from rlplatform.training.record import TrainingRun
from rlplatform.training.reward import RewardFunction
from tests.queues import in_order

pytestmark = pytest.mark.anyio

PRINCIPAL = Principal(id="key_1", tenant="acme", scopes=frozenset(Scope))
STRANGER = PRINCIPAL.model_copy(update={"tenant": "other"})
EVALUATION = EvaluationRequest(source="print(1)", tests=[TestCase(id="t1", expected_stdout="1\n")])
TRAINING = TrainingRequest(env="CartPole-v1", engine="simulated", stop=StopCriteria(iterations=10))
SETTINGS = Settings(
    evaluation=EvaluationSettings(max_queued=10), training=TrainingSettings(max_running=1, max_queued=3)
)


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

    async def override(self, tenant: str = "acme", **quotas: float) -> None:
        """Set quotas, as an API replica does; return when they hold, and the checkpoints are measured again."""
        await QuotaService(self.store, Quotas(), self.clock).override(tenant, Quotas.model_validate(quotas))
        await self.clock.advance(11)

    def save(self, training_id: str, folder: Path) -> CheckpointInfo:
        """Commit a checkpoint of 1000 bytes."""
        (folder / "weights").write_bytes(b"x" * 1000)
        info = samples.checkpoint(training_id, 1)
        return self.checkpoints.commit(info, folder)

    async def leave(self) -> None:
        self.supervisor._trainings._context.draining = True  # what waits would take the place of what leaves
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


@pytest.mark.parametrize("error", [Unavailable("the answer was lost"), asyncio.CancelledError()])
async def test_a_run_stored_by_a_request_that_failed_is_found_by_the_next_round(
    bench: Bench, error: BaseException
) -> None:
    await bench.supervisor.reconcile()
    known, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await bench.supervisor.cancel_evaluation(known.id, PRINCIPAL)
    bench.flaky.error, bench.flaky.late = error, True
    with pytest.raises(type(error)):
        await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    bench.flaky.error = None
    (stored,) = await bench.store.find("evaluation", states=("queued",))
    await settle()
    assert not bench.evaluator.at_work
    await bench.supervisor.reconcile()
    await settle()
    assert list(bench.evaluator.at_work) == [stored.id]


async def test_a_lease_that_breaks_off_unforeseen_is_found_by_the_next_round(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    bench.flaky.error = NotFound("what no retry helps")
    await settle()
    assert not bench.evaluator.at_work
    bench.flaky.error = None
    await bench.supervisor.reconcile()
    await settle()
    assert list(bench.evaluator.at_work) == [run.id]


async def test_the_load_counts_the_work_of_each_tenant(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    for principal, runs in ((PRINCIPAL, 3), (STRANGER, 1)):
        for _ in range(runs):
            await bench.supervisor.submit_evaluation(EVALUATION, principal)
    await bench.supervisor.start_training(TRAINING, STRANGER)
    await settle()
    load = await bench.supervisor.load()
    counts = {one.tenant: (one.queued_evaluations, one.running_evaluations) for one in load.tenants}
    assert load.tenants[0].tenant == "acme", "the busiest comes first"
    assert counts["acme"][0] + counts["acme"][1] == 3
    assert sum(running for _, running in counts.values()) == load.used_slots == load.slots == bench.evaluator.slots
    assert {one.tenant: one.running_trainings for one in load.tenants} == {"acme": 0, "other": 1}
    assert [node.node for node in load.nodes] == ["node-1", "node-2"]
    assert (load.store.kind, load.store.answer_s is not None) == ("sqlite", True)
    bench.supervisor._evaluations.queue.push("acme", least_id(Kind.EVALUATION, bench.clock.now()))
    await bench.clock.advance(30)
    bench.flaky.error = StorageError("away")
    load = await bench.supervisor.load()
    assert (load.store.answer_s, load.oldest_queued_s) == (None, 30)


async def test_a_round_that_fails_leaves_the_search_for_it_to_the_next(bench: Bench) -> None:
    class Trouble(FakeLauncher):
        async def evaluators(self) -> list[FakeEvaluator]:
            bench.flaky.error, bench.flaky.late = Unavailable("the answer was lost"), True
            with pytest.raises(Unavailable, match="lost"):
                await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
            bench.flaky.error = None
            raise Unavailable("the cluster does not answer")

    await bench.supervisor.reconcile()
    known, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await bench.supervisor.cancel_evaluation(known.id, PRINCIPAL)
    bench.supervisor._launcher = Trouble(bench.store, bench.clock)
    with pytest.raises(Unavailable, match="cluster"):
        await bench.supervisor.reconcile()
    bench.supervisor._launcher = bench.launcher
    await bench.supervisor.reconcile()
    await settle()
    assert len(bench.evaluator.at_work) == 1


@pytest.mark.parametrize("state", ["running", "waiting for room"])
async def test_a_stop_is_carried_out_also_when_who_asked_for_it_leaves(bench: Bench, state: str) -> None:
    await bench.supervisor.reconcile()
    bench.launcher.room, bench.flaky.slow = 0 if state == "waiting for room" else None, True
    for moment in range(25):
        run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
        await settle()
        asking = asyncio.create_task(bench.supervisor.command_training(run.id, "stop", PRINCIPAL))
        for _ in range(moment):
            await asyncio.sleep(0)
        asking.cancel()
        await settle()
        stored = await bench.store.get(run.id)
        assert isinstance(stored, TrainingRun)
        assert stored.state == "stopped" or stored.desired == "run", "or it was never asked for"
        await bench.supervisor.command_training(run.id, "stop", PRINCIPAL)


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


@pytest.mark.parametrize(
    ("resume_from", "refusal"), [(new_id(Kind.CHECKPOINT), NotFound), ("best", InvalidRequest)], ids=["unknown", "best"]
)
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


async def test_what_is_kept_no_more_is_swept_every_hour(bench: Bench) -> None:
    settings = SETTINGS.model_copy(update={"retention": RetentionSettings(training_days=1)})
    bench.supervisor = Supervisor(settings, bench.flaky, bench.checkpoints, bench.launcher, bench.clock)
    run = training_run(bench.clock)
    run = run.model_copy(update={"id": least_id(Kind.TRAINING, bench.clock.now())})
    await bench.store.create(run, queued(run, bench.clock))
    end = TrainingStopped(stream=run.stream, time=bench.clock.now(), stop_reason="", progress=Progress())
    await bench.store.append(run.stream, [end])
    await bench.clock.advance(86400)
    bench.flaky.error = StorageError("database is locked")
    sweeping = asyncio.create_task(bench.supervisor._sweep())
    while not bench.checkpoints.sweeps:
        await asyncio.sleep(0.001)
    await settle()
    assert await bench.store.get(run.id)
    bench.flaky.error = None
    await bench.clock.advance(3600)
    while not bench.launcher.forgotten or await bench.store.find("training"):  # files are removed in a thread
        await asyncio.sleep(0.001)
    with pytest.raises(NotFound):
        await bench.store.get(run.id)
    sweeping.cancel()


async def test_many_at_once_never_overfill_the_queue(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    asked = (bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL) for _ in range(40))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, QueueFull)]
    assert (len(answers) - len(refused), len(await bench.store.find("evaluation", limit=100))) == (11, 11)
    assert (await bench.supervisor.status()).queued_evaluations == 10
    asked = (bench.supervisor.start_training(TRAINING, PRINCIPAL) for _ in range(20))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, QueueFull) for answer in answers) == 20 - 1 - 3


async def test_a_tier_that_no_evaluator_serves_is_refused_at_once(bench: Bench) -> None:
    request = EVALUATION.model_copy(update={"tier": Tier.GVISOR})
    bench.evaluator.lacking = {Tier.GVISOR: "RLP_SANDBOX__GVISOR_RUNTIME is not set"}
    await bench.supervisor.reconcile()
    with pytest.raises(
        InvalidRequest, match=r"RLP_SANDBOX__GVISOR_RUNTIME is not set.*accepted are single-use, jail"
    ) as refused:
        await bench.supervisor.submit_evaluation(request, PRINCIPAL)
    assert refused.value.extra["field"] == "tier"
    bench.evaluator.lacking, bench.evaluator.broken = {}, {Tier.GVISOR: "the runtime 'runsc' lacks --network=none"}
    await bench.supervisor.reconcile()
    with pytest.raises(SandboxUnavailable, match=r"tier 'gvisor' cannot be served: .*lacks --network=none") as broken:
        await bench.supervisor.submit_evaluation(request, PRINCIPAL)
    assert broken.value.extra["field"] == "tier"
    assert await bench.store.find("evaluation") == []
    await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    bench.evaluator.broken = {}
    await bench.supervisor.reconcile()
    await bench.supervisor.submit_evaluation(request, PRINCIPAL)


@pytest.mark.parametrize("trouble", ["full", "no sandbox", "quota", "priority"])
async def test_what_a_key_has_made_stands_whatever_else_there_is_to_say(bench: Bench, trouble: str) -> None:
    await bench.supervisor.reconcile()
    key = Idempotency("acme", "k", "0" * 64)
    first, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL, key)
    request, refusal = EVALUATION, QueueFull
    if trouble == "full":
        for _ in range(10):
            await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    elif trouble == "no sandbox":
        bench.evaluator.unavailable, refusal = "no Docker engine", SandboxUnavailable
        await bench.supervisor.reconcile()
    elif trouble == "quota":
        refusal = QuotaExceeded
        await bench.override(concurrent_evaluations=0)
    else:
        request, refusal = EVALUATION.model_copy(update={"priority": "high"}), NotAllowed
    who = PRINCIPAL.model_copy(update={"scopes": Role.RESEARCHER.scopes})
    again, new = await bench.supervisor.submit_evaluation(request, who, key)
    assert (again.id, new) == (first.id, False)
    with pytest.raises(IdempotencyMismatch):
        await bench.supervisor.submit_evaluation(request, who, key._replace(body_sha256="1" * 64))
    with pytest.raises(refusal):
        await bench.supervisor.submit_evaluation(request, who, key._replace(key="another"))


async def test_a_queued_event_says_where_and_for_how_long(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    first, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await settle()
    await bench.clock.advance(4)
    bench.evaluator.finish(first.id)
    await settle()
    runs = [(await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL))[0] for _ in range(3)]
    (line,) = await bench.store.read(runs[2].stream)
    event = parse_event(line.data)
    assert isinstance(event, EvaluationQueued)
    assert (event.queue_position, event.expected_wait_s) == (1, 8.0)
    assert runs[2].document.queue_position == 1
    assert runs[2].document.expected_start_at == bench.clock.now() + timedelta(seconds=8)


async def test_the_days_quota_of_cpu_time_ends_with_the_day(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    await bench.override(sandbox_cpu_s_per_day=2.5)
    first, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await settle()
    await bench.clock.advance(3)
    await bench.supervisor.cancel_evaluation(first.id, PRINCIPAL)
    with pytest.raises(
        QuotaExceeded, match=r"sandbox_cpu_s_per_day is used up: 3 of 2\.5; it resets at 2026-01-02"
    ) as no:
        await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    assert no.value.extra["retry_after_s"] == 86400 - 11 - 3
    await bench.supervisor.submit_evaluation(EVALUATION, STRANGER)
    await bench.clock.advance(86400)
    await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)


async def test_a_training_beyond_its_tenants_steps_is_stopped_and_says_why(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await settle()
    trainer = bench.launcher.newest(run.id)
    await trainer.begin()
    await trainer.iterate(1)
    await bench.override(env_steps_per_day=150)
    await bench.supervisor.reconcile()
    assert trainer.commands == ["resume"]
    await trainer.iterate(2)
    await bench.supervisor.reconcile()
    await settle()
    stopped = await bench.store.get(run.id)
    assert (stopped.state, stopped.document.stop_reason) == ("stopped", "quota_env_steps_per_day")
    with pytest.raises(QuotaExceeded, match="env_steps_per_day is used up: 200 of 150"):
        await bench.supervisor.start_training(TRAINING, PRINCIPAL)


@pytest.mark.parametrize(("quota", "limit"), [("events_per_day", 6), ("stored_bytes", 1500)])
async def test_a_tenant_that_writes_too_much_is_stopped_in_order_and_let_in_no_more(
    bench: Bench, quota: str, limit: int
) -> None:
    await bench.override(**{quota: limit})
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await settle()
    trainer = bench.launcher.newest(run.id)
    await trainer.begin()
    for number in range(1, 10):
        await trainer.iterate(number)
    await bench.clock.advance(2)
    await bench.supervisor.reconcile()
    await settle()
    stopped = await bench.store.get(run.id)
    assert (stopped.state, stopped.document.stop_reason) == ("stopped", f"quota_{quota}")
    kinds = [line.type for line in await bench.store.read(run.stream)]
    assert kinds.count("training.iteration_completed") == 9, "nothing that was appended is lost"
    for attempt in (
        bench.supervisor.start_training(TRAINING, PRINCIPAL),
        bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL),
    ):
        with pytest.raises(QuotaExceeded, match=quota):
            await attempt
    await bench.supervisor.start_training(TRAINING, STRANGER)


async def test_deleting_a_checkpoint_makes_room_at_once(bench: Bench, tmp_path: Path) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    old, new = (bench.save(run.id, tmp_path) for _ in range(2))
    await bench.override(checkpoint_bytes=2000)
    with pytest.raises(QuotaExceeded):
        await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    for checkpoint_id, principal in ((old.id, STRANGER), (new_id(Kind.CHECKPOINT), PRINCIPAL)):
        with pytest.raises(NotFound):
            await bench.supervisor.delete_checkpoint(checkpoint_id, principal)
    await bench.supervisor.delete_checkpoint(old.id, PRINCIPAL)
    assert [info.id for info in bench.checkpoints.list(run.id)] == [new.id]
    await bench.supervisor.start_training(TRAINING, PRINCIPAL)


async def test_a_finished_run_is_deleted_with_its_checkpoints_unless_another_starts_from_them(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.supervisor.reconcile()
    parent, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    saved = bench.save(parent.id, tmp_path)
    with pytest.raises(Conflict, match="stop it first; only a finished run can be deleted"):
        await bench.supervisor.delete_run(parent.id, PRINCIPAL)
    child, _ = await bench.supervisor.start_training(TRAINING.model_copy(update={"resume_from": saved.id}), PRINCIPAL)
    await settle()
    await bench.launcher.trainers[0].begin()
    await bench.launcher.trainers[0].succeed()
    await settle()
    with pytest.raises(Conflict, match=f"starts from a checkpoint of {parent.id}"):
        await bench.supervisor.delete_run(parent.id, PRINCIPAL)
    with pytest.raises(NotFound):
        await bench.supervisor.delete_run(parent.id, STRANGER)
    await bench.supervisor.command_training(child.id, "stop", PRINCIPAL)
    await bench.launcher.trainers[1].begin()
    await bench.launcher.trainers[1].succeed()
    await settle()
    await bench.supervisor.delete_run(parent.id, PRINCIPAL)
    await bench.supervisor.delete_run(parent.id, PRINCIPAL)
    assert bench.checkpoints.list(parent.id) == []
    assert [run.id for run in await bench.store.find("training")] == [child.id]


@pytest.mark.parametrize("other", [{"env": "Acrobot-v1"}, {"engine": "rllib"}])
async def test_a_checkpoint_of_another_environment_or_engine_is_refused_at_once(
    bench: Bench, tmp_path: Path, other: dict[str, str]
) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    request = TRAINING.model_copy(update={"resume_from": bench.save(run.id, tmp_path).id, **other})
    with pytest.raises(InvalidRequest, match=r"resume_from: ckpt_.* is of e") as refused:
        await bench.supervisor.start_training(request, PRINCIPAL)
    assert refused.value.extra["field"] == "resume_from"


async def test_a_checkpoint_of_another_network_is_refused_at_once(bench: Bench, tmp_path: Path) -> None:
    await bench.supervisor.reconcile()
    training = TRAINING.model_copy(update={"engine": "rllib"})
    run, _ = await bench.supervisor.start_training(training, PRINCIPAL)
    request = training.model_copy(update={"resume_from": bench.save(run.id, tmp_path).id})
    await bench.supervisor.start_training(request, PRINCIPAL)
    another = {"policy_kwargs": {"activation_fn": "relu"}}
    with pytest.raises(InvalidRequest, match="cannot be resumed with") as refused:
        await bench.supervisor.start_training(request.model_copy(update={"hyperparameters": another}), PRINCIPAL)
    assert refused.value.extra["field"] == "hyperparameters.policy_kwargs.activation_fn"
    assert len(await bench.store.find("training")) == 2


async def test_what_a_training_goes_on_from_is_not_deleted(bench: Bench, tmp_path: Path) -> None:
    await bench.supervisor.reconcile()
    parent, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    only = bench.save(parent.id, tmp_path)
    with pytest.raises(Conflict, match=f"{parent.id} would be recovered from {only.id}"):
        await bench.supervisor.delete_checkpoint(only.id, PRINCIPAL)
    child, _ = await bench.supervisor.start_training(TRAINING.model_copy(update={"resume_from": only.id}), PRINCIPAL)
    await settle()
    await bench.launcher.trainers[0].begin()
    await bench.launcher.trainers[0].succeed()
    await settle()
    assert (await bench.store.get(parent.id)).final
    with pytest.raises(Conflict, match=f"begins from {only.id}"):
        await bench.supervisor.delete_checkpoint(only.id, PRINCIPAL)
    await bench.launcher.trainers[1].begin()
    await bench.launcher.trainers[1].succeed()
    assert (await bench.store.get(child.id)).final
    await bench.supervisor.delete_checkpoint(only.id, PRINCIPAL)
    assert bench.checkpoints.list(parent.id) == []


async def test_stored_checkpoints_count_against_their_quota(bench: Bench, tmp_path: Path) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    bench.save(run.id, tmp_path)
    await bench.override(checkpoint_bytes=1001)
    await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await bench.override(checkpoint_bytes=1000)
    with pytest.raises(QuotaExceeded, match="checkpoint_bytes is used up: 1000 of 1000"):
        await bench.supervisor.start_training(TRAINING, PRINCIPAL)


async def test_concurrent_trainings_are_limited_with_those_that_wait(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    await bench.override(concurrent_trainings=2)
    made = [(await bench.supervisor.start_training(TRAINING, PRINCIPAL))[0] for _ in range(2)]
    with pytest.raises(QuotaExceeded, match="concurrent_trainings is used up: 2 of 2"):
        await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await bench.supervisor.command_training(made[1].id, "stop", PRINCIPAL)
    await bench.supervisor.start_training(TRAINING, PRINCIPAL)


async def test_a_check_refuses_what_a_start_would_refuse_and_stores_nothing(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    assert (await bench.supervisor.check_training(TRAINING, PRINCIPAL)).num_envs >= 1
    many = TRAINING.model_copy(update={"resources": Resources(num_env_runners=100)})
    lost = TRAINING.model_copy(update={"resume_from": new_id(Kind.CHECKPOINT)})
    for request, refusal in ((many, InvalidRequest), (lost, NotFound)):
        with pytest.raises(refusal):
            await bench.supervisor.check_training(request, PRINCIPAL)
    assert await bench.store.find("training") == []


async def test_resuming_counts_against_the_quota_of_concurrent_trainings_as_starting_does(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    await bench.override(concurrent_trainings=1)
    paused, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await settle()
    trainer = bench.launcher.newest(paused.id)
    await trainer.begin()
    await bench.supervisor.command_training(paused.id, "pause", PRINCIPAL)
    await bench.supervisor.command_training(paused.id, "resume", PRINCIPAL)
    await bench.supervisor.command_training(paused.id, "pause", PRINCIPAL)
    await trainer.pause()
    await settle()
    other, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    with pytest.raises(QuotaExceeded, match="concurrent_trainings"):
        await bench.supervisor.command_training(paused.id, "resume", PRINCIPAL)
    await bench.supervisor.command_training(other.id, "stop", PRINCIPAL)
    await settle()
    assert (await bench.supervisor.command_training(paused.id, "resume", PRINCIPAL)).desired == "run"
    await settle()
    assert len(bench.launcher.alive(paused.id)) == 1


async def test_shares_are_those_of_the_quotas_as_they_are_set_and_after_a_restart(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    await bench.override("acme", weight=2)
    who = [PRINCIPAL, *[STRANGER] * 3, *[PRINCIPAL] * 4]
    runs = [(await bench.supervisor.submit_evaluation(EVALUATION, one))[0] for one in who]

    def order() -> list[int]:
        waiting = [run.id for run in runs]
        return [waiting.index(run_id) for run_id in in_order(bench.supervisor._evaluations.queue)]

    who = [*[PRINCIPAL] * 3, STRANGER]
    trainings = [(await bench.supervisor.start_training(TRAINING, one))[0].id for one in who]
    await settle()
    assert order() == [1, 4, 5, 2, 6, 7, 3]
    assert in_order(bench.supervisor._trainings.queue) == trainings[1:]
    await bench.leave()
    bench.supervisor = Supervisor(SETTINGS, bench.flaky, bench.checkpoints, bench.launcher, bench.clock)
    await bench.supervisor.reconcile()
    assert order() == [1, 4, 5, 2, 6, 7, 3]
    await bench.override("acme", weight=4)
    await bench.supervisor.reconcile()
    assert order() == [1, 4, 5, 6, 7, 2, 3]


async def test_places_are_those_of_the_queues(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    evaluations = [(await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL))[0].id for _ in range(3)]
    trainings = [(await bench.supervisor.start_training(TRAINING, PRINCIPAL))[0].id for _ in range(2)]
    places = bench.supervisor.places([*evaluations, *trainings])
    assert [place and place.position for place in places] == [None, 0, 1, None, 0]


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


@pytest.mark.parametrize("meant", ["node-2", "10.0.0.2"])
async def test_a_drained_node_gets_nothing_new_and_its_trainings_move(bench: Bench, meant: str) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    await settle()
    first = bench.launcher.newest(run.id)
    await first.begin()
    node = await bench.supervisor.drain_node(meant, 300)
    assert (node.node, node.draining, bench.launcher.drained) == ("node-2", True, {"node-2": 300})
    bench.launcher.leaving_, bench.evaluator.leaving = {run.id}, True
    await bench.supervisor.reconcile()
    await settle()
    second = bench.launcher.newest(run.id)
    assert second is not first
    assert first.commands == ["resume", "suspend"]
    bench.launcher.leaving_ = set()
    await second.begin()
    found = await bench.store.get(run.id)
    assert isinstance(found, TrainingRun)
    assert (found.document.state, found.document.restarts) == ("running", 0), "a move is no failure"
    waiting, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    await settle()
    assert not bench.evaluator.at_work
    bench.evaluator.leaving = False
    await bench.supervisor.reconcile()
    await settle()
    assert list(bench.evaluator.at_work) == [waiting.id]


@pytest.mark.parametrize(("meant", "why"), [("node-3", "no living node has"), ("node-", "2 nodes have")])
async def test_what_is_no_node_is_not_drained(bench: Bench, meant: str, why: str) -> None:
    with pytest.raises(NotFound, match=why):
        await bench.supervisor.drain_node(meant, 300)
    assert bench.launcher.drained == {}


async def test_an_evaluation_waits_for_the_node_that_an_autoscaler_brings(bench: Bench) -> None:
    bench.launcher.evaluators_, bench.launcher.brings_sandboxes = [], True
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)
    sandbox = next(one for one in (await bench.supervisor.status()).dependencies if one.name == "sandbox")
    assert sandbox.detail == "no node of the cluster offers sandboxes; the autoscaler is asked for one"
    await bench.supervisor.reconcile()
    assert bench.launcher.asked_for == 1, "by the work that waits"
    bench.launcher.evaluators_ = [bench.evaluator]
    await bench.supervisor.reconcile()
    await settle()
    assert list(bench.evaluator.at_work) == [run.id]
    bench.evaluator.unavailable = "no Docker engine"
    await bench.supervisor.reconcile()
    with pytest.raises(SandboxUnavailable, match="no Docker engine"):
        await bench.supervisor.submit_evaluation(EVALUATION, PRINCIPAL)


@pytest.mark.parametrize(
    ("stop", "field"),
    [
        ({"iterations": 1}, "stop.iterations"),
        ({"iterations": 9, "env_steps": "done"}, "stop.env_steps"),
        ({"wall_time_s": 0.0001}, None),
        ({"iterations": 2}, None),
    ],
)
async def test_continuing_a_training_that_would_end_at_once_is_refused(
    bench: Bench, tmp_path: Path, stop: dict[str, float | str], field: str | None
) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    parent = bench.save(run.id, tmp_path)
    stop = {name: parent.env_steps if value == "done" else value for name, value in stop.items()}
    request = TRAINING.model_copy(update={"resume_from": parent.id, "stop": StopCriteria.model_validate(stop)})
    if field is None:
        await bench.supervisor.start_training(request, PRINCIPAL)
        return
    with pytest.raises(InvalidRequest, match=r"must be more than the .* that checkpoint ckpt_.* has done") as refused:
        await bench.supervisor.start_training(request, PRINCIPAL)
    assert refused.value.extra["field"] == field
    assert len(await bench.store.find("training")) == 1


@pytest.mark.parametrize("of", ["checkpoint", "training"])
async def test_a_continued_training_adds_steps_to_what_was_reached(bench: Bench, tmp_path: Path, of: str) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    parent = bench.save(run.id, tmp_path)
    origin = parent.id if of == "checkpoint" else run.id
    request = TRAINING.model_copy(update={"resume_from": origin, "stop": StopCriteria(more_env_steps=500)})
    checked = await bench.supervisor.check_training(request, PRINCIPAL)
    child, _ = await bench.supervisor.start_training(request, PRINCIPAL)
    accepted = child.document.request
    assert (accepted.resume_from, accepted.stop) == (parent.id, StopCriteria(env_steps=parent.env_steps + 500))
    assert checked.env_steps is None or checked.env_steps >= parent.env_steps + 500
    assert child.charged_env_steps == parent.env_steps


async def test_a_training_without_a_checkpoint_cannot_be_continued(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    run, _ = await bench.supervisor.start_training(TRAINING, PRINCIPAL)
    request = TRAINING.model_copy(update={"resume_from": run.id})
    with pytest.raises(InvalidRequest, match=r"resume_from: train_.* has no checkpoint to continue from"):
        await bench.supervisor.start_training(request, PRINCIPAL)
    unknown = TRAINING.model_copy(update={"resume_from": new_id(Kind.TRAINING)})
    with pytest.raises(NotFound, match="resume_from: no such training"):
        await bench.supervisor.start_training(unknown, PRINCIPAL)


async def test_the_sweep_removes_files_that_are_kept_no_more(bench: Bench) -> None:
    storage = MemoryFiles()
    settings = SETTINGS.model_copy(update={"retention": RetentionSettings(file_days=1)})
    bench.supervisor = Supervisor(settings, bench.store, bench.checkpoints, bench.launcher, bench.clock, files=storage)

    async def content() -> AsyncIterator[bytes]:
        yield b"x"

    await FileService(bench.store, storage, bench.clock).upload("x", None, PRINCIPAL, content())
    sweeping = asyncio.create_task(bench.supervisor._sweep())
    for hour in range(27):  # after a day the file goes, and an hour later its bytes
        assert bool(storage.contents) == (hour < 25)
        await bench.clock.advance(3600)
        while not bench.clock.sleeping:
            await asyncio.sleep(0.001)
    sweeping.cancel()


async def test_an_evaluation_refers_to_files_that_its_submitter_sees(bench: Bench) -> None:
    storage = MemoryFiles()
    bench.supervisor = Supervisor(SETTINGS, bench.store, bench.checkpoints, bench.launcher, bench.clock, files=storage)
    await bench.supervisor.reconcile()

    async def content() -> AsyncIterator[bytes]:
        yield b"print(1)"

    info, _ = await FileService(bench.store, storage, bench.clock).upload("x", None, PRINCIPAL, content())
    request = EVALUATION.model_copy(update={"source": FileRef(file=info.id)})
    with pytest.raises(InvalidRequest, match=f"source: no such file: {info.id}"):
        await bench.supervisor.submit_evaluation(request, STRANGER)
    key = Idempotency("acme", "k", "0" * 64)
    run, _ = await bench.supervisor.submit_evaluation(request, PRINCIPAL, key)
    assert isinstance(run.request.source, FileRef)
    await bench.store.delete_document("file", info.id)
    assert await bench.supervisor.submit_evaluation(request, PRINCIPAL, key) == (run, False), "it was accepted before"


async def test_similarity_report_that_was_begun_before_a_crash_is_finished(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    course = CourseServices(bench.store, bench.clock, bench.supervisor, None, EvaluationSettings(), 1 << 30)
    definition = {"title": "x", "tests": [{"id": "t", "expected_stdout": ""}]}
    staff = PRINCIPAL.model_copy(update={"scopes": Role.INSTRUCTOR.scopes})
    await course.assignments.publish("homework", AssignmentRequest.model_validate(definition), staff)
    await course.similarity.start("homework", SimilarityRequest(), staff)
    after = Supervisor(SETTINGS, bench.store, bench.checkpoints, bench.launcher, bench.clock)
    running = asyncio.create_task(after._similarity.run())
    while (report := await course.similarity.report("homework", staff)).state == "running":
        await asyncio.sleep(0.02)
    running.cancel()
    assert (report.state, report.compared) == ("ready", 0)


async def test_a_training_keeps_the_text_of_its_reward_function(bench: Bench) -> None:
    storage = MemoryFiles()
    bench.supervisor = Supervisor(SETTINGS, bench.store, bench.checkpoints, bench.launcher, bench.clock, files=storage)
    await bench.supervisor.reconcile()
    files = FileService(bench.store, storage, bench.clock)

    async def upload(content: bytes) -> str:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return (await files.upload("reward.py", None, PRINCIPAL, chunks()))[0].id

    def rewarded(file_id: str) -> TrainingRequest:
        return TRAINING.model_copy(update={"reward": RewardFunction(file=file_id, entry="shaped")})

    text = "def shaped(*step): return 1"
    run, _ = await bench.supervisor.start_training(rewarded(await upload(text.encode())), PRINCIPAL)
    assert run.document.request.reward == RewardFunction(source=text, entry="shaped")
    for content, why in ((b"\xff", "is not UTF-8 text"), (b"#" * 20_000, "at most 16,384 are accepted")):
        with pytest.raises(InvalidRequest, match=why) as refused:
            await bench.supervisor.check_training(rewarded(await upload(content)), PRINCIPAL)
        assert refused.value.extra["field"] == "reward.file"
    with pytest.raises(InvalidRequest, match="no such file"):
        await bench.supervisor.start_training(rewarded("file_" + "0" * 26), PRINCIPAL)
    await bench.leave()


async def test_the_grader_of_agents_takes_uploaded_environments_that_the_submitter_sees(bench: Bench) -> None:
    await bench.supervisor.reconcile()
    grader = {"kind": "episode", "env": new_id(Kind.ENVIRONMENT)}
    request = EvaluationRequest.model_validate({"source": "", "grader": grader, "tests": [{"id": "1"}]})
    with pytest.raises(UnknownName, match="rlp env push") as refused:
        await bench.supervisor.submit_evaluation(request, PRINCIPAL)
    assert refused.value.extra["field"] == "grader.env"
