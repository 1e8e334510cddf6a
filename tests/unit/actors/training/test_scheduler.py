"""Training sessions over trainers whose every end the test decides."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.training.controller import COMMAND_S, SHUTDOWN
from actors.training.scheduler import TrainingScheduler
from rlplatform.errors import Conflict, InvalidRequest, NotAllowed, StorageError, Unavailable
from rlplatform.settings import TrainingSettings
from rlplatform.storage.memory import MemoryStore
from rlplatform.store import Store
from rlplatform.testing.actors import FakeLauncher, FakeTrainer, FlakyStore
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import queued, training_run
from rlplatform.testing.settling import WatchedStore, settle
from rlplatform.training.events import TrainingIterationCompleted, TrainingPaused, TrainingStarting, TrainingSucceeded
from rlplatform.training.models import Progress, TrainingRequest
from rlplatform.training.record import TrainingRun
from tests.queues import in_order

pytestmark = pytest.mark.anyio

SETTINGS = TrainingSettings(max_running=2, max_restarts=3)
STALL_S = SETTINGS.stall_timeout_s or 0.0
LOST = Unavailable("the trainer's process is gone")


class Bench:
    """Sessions, their store and their trainers."""

    def __init__(
        self, store: MemoryStore, clock: FakeClock, launcher: FakeLauncher, settings: TrainingSettings
    ) -> None:
        self.store, self.clock, self.launcher, self.settings = store, clock, launcher, settings
        self.flaky = FlakyStore(store)
        self.sessions = TrainingScheduler(self.flaky, launcher, settings, clock)

    async def restart(self) -> None:
        """New sessions, as after a supervisor's death; its trainers work on."""
        await self.abandon()
        self.sessions = TrainingScheduler(self.flaky, self.launcher, self.settings, self.clock)
        await self.sessions.restore([run for run in await self.runs() if not run.final])
        await settle(self.store)

    async def abandon(self) -> None:
        """Simulate a supervisor's death: its calls end, and nothing is released."""
        free, self.launcher.free = self.launcher.free, _nothing
        for kept in self.sessions._kept.values():
            if kept.link:
                kept.link.release = _nothing
            kept.task.cancel()
        self.sessions._context.draining = True
        await settle(self.store)
        self.launcher.free = free
        for trainer in self.launcher.trainers:
            vars(trainer).pop("release", None)

    async def submit(self, tenant: str = "acme") -> TrainingRun:
        run = training_run(self.clock, tenant)
        stored, _ = await self.store.create(run, queued(run, self.clock))
        assert isinstance(stored, TrainingRun)
        self.sessions.enqueue(stored)
        await settle(self.store)
        return stored

    async def begun(self, iterations: int = 0) -> tuple[TrainingRun, FakeTrainer]:
        """A training that runs."""
        run = await self.submit()
        trainer = self.launcher.newest(run.id)
        await trainer.begin()
        for iteration in range(1, iterations + 1):
            await trainer.iterate(iteration)
        return run, trainer

    async def command(self, run: TrainingRun, command: str) -> TrainingRun:
        answer = await self.sessions.command(await self.get(run), command, "key_1")
        await settle(self.store)
        return answer

    async def get(self, run: TrainingRun) -> TrainingRun:
        found = await self.store.get(run.id)
        assert isinstance(found, TrainingRun)
        return found

    async def runs(self) -> list[TrainingRun]:
        return [run for run in await self.store.find("training", limit=1000) if isinstance(run, TrainingRun)]

    async def types(self, run: TrainingRun) -> list[str]:
        return [line.type.removeprefix("training.") for line in await self.store.read(run.stream)]

    async def last(self, run: TrainingRun) -> dict[str, object]:
        return dict(json.loads((await self.store.read(run.stream))[-1].data))


async def _nothing(*_: object) -> None:
    pass


@pytest.fixture
async def bench(store: MemoryStore, clock: FakeClock, launcher: FakeLauncher) -> AsyncIterator[Bench]:
    bench = Bench(store, clock, launcher, SETTINGS)
    yield bench
    await bench.abandon()


async def test_the_number_of_trainings_follows_the_size_of_the_cluster(
    store: MemoryStore, clock: FakeClock, launcher: FakeLauncher
) -> None:
    bench = Bench(store, clock, launcher, TrainingSettings())
    bench.sessions.resize(2)
    for _ in range(5):
        await bench.submit()
    assert (len(launcher.alive()), len(bench.sessions.queue)) == (2, 3)
    bench.sessions.resize(4)
    await settle(store)
    assert (len(launcher.alive()), len(bench.sessions.queue)) == (4, 1), "nodes were added"
    bench.sessions.resize(0)
    await settle(store)
    assert len(launcher.alive()) == 4, "what runs is left alone"
    await bench.abandon()


async def test_after_a_restart_no_more_trainings_are_placed_than_may_run(bench: Bench) -> None:
    for tenant in "aabba":  # served in turn: the queue's order is not the order of the ids
        await bench.submit(tenant)
    first, second = (trainer.run for trainer in bench.launcher.alive())
    for run in (first, second):
        await bench.command(run, "stop")
    placed = await bench.launcher.placed()
    assert len(placed) == SETTINGS.max_running
    await bench.restart()
    assert await bench.launcher.placed() == placed


async def test_a_training_runs_to_its_end_and_leaves_nothing(bench: Bench) -> None:
    run, trainer = await bench.begun(iterations=2)
    await trainer.succeed()
    await settle()
    assert await bench.types(run) == [
        "queued",
        "starting",
        "started",
        "iteration_completed",
        "iteration_completed",
        "succeeded",
    ]
    assert trainer.released
    assert not await bench.launcher.placed()
    assert (bench.sessions.running, len(bench.sessions.queue)) == (0, 0)


async def test_no_more_run_than_may_and_tenants_take_turns(bench: Bench) -> None:
    runs = [await bench.submit(tenant) for tenant in ("a", "a", "a", "a", "b")]
    assert bench.sessions.running == 2
    assert in_order(bench.sessions.queue) == [runs[2].id, runs[4].id, runs[3].id]
    await bench.launcher.newest(runs[0].id).succeed()
    await settle()
    assert bench.launcher.newest(runs[2].id)
    assert in_order(bench.sessions.queue) == [runs[4].id, runs[3].id]


async def test_what_cannot_be_taken_is_refused(store: MemoryStore, clock: FakeClock, launcher: FakeLauncher) -> None:
    sessions = TrainingScheduler(store, launcher, TrainingSettings(allow_simulated=False), clock)
    request = {"env": "CartPole-v1", "stop": {"iterations": 1}}
    with pytest.raises(NotAllowed):
        await sessions.check(TrainingRequest.model_validate(request | {"engine": "simulated"}))
    with pytest.raises(InvalidRequest, match="8 CPU"):
        await sessions.check(TrainingRequest.model_validate(request | {"resources": {"num_env_runners": 9}}))


async def test_one_that_lost_its_trainer_while_nobody_watched_says_so(bench: Bench) -> None:
    run, trainer = await bench.begun(3)
    await bench.abandon()
    trainer.lose(LOST)
    bench.launcher.trainers.clear()
    await bench.restart()
    await bench.launcher.newest(run.id).begin()
    assert (await bench.types(run))[-3:] == ["interrupted", "starting", "recovered"]


async def test_a_stored_simulated_one_ends_where_that_engine_is_switched_off(
    store: MemoryStore, clock: FakeClock, launcher: FakeLauncher
) -> None:
    bench = Bench(store, clock, launcher, TrainingSettings(allow_simulated=False))
    run = training_run(clock)
    run = run.model_copy(update={"document": run.document.model_copy(update={"simulated": True})})
    await store.create(run, queued(run, clock))
    await bench.restart()
    assert await bench.types(run) == ["queued", "failed"]
    assert "ALLOW_SIMULATED" in str((await bench.last(run))["reason"])
    assert launcher.trainers == []


class TestCommands:
    async def test_pause_and_resume_are_recorded_once_and_passed_on(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        for command in ("pause", "pause", "resume"):
            await bench.command(run, command)
        assert trainer.commands == ["resume", "pause", "pause", "resume"], "the first: what was wished at its start"
        assert (await bench.types(run))[3:] == ["pause_requested", "resume_requested"]

    async def test_pause_without_a_trainer_needs_none(self, bench: Bench) -> None:
        bench.launcher.errors = [LOST]
        run, trainer = await bench.begun()
        assert (await bench.types(run))[:2] == ["queued", "interrupted"]
        trainer.lose(LOST)
        await settle()
        bench.launcher.newest(run.id).lose(LOST)
        await settle()
        assert (await bench.get(run)).state == "interrupted"
        trainers = len(bench.launcher.trainers)
        assert (await bench.command(run, "pause")).state == "paused"  # during the back-off
        await bench.clock.advance(60)
        assert len(bench.launcher.trainers) == trainers, "a pause needs no trainer"
        assert not await trainer.iterate(1), "its last trainer is fenced"

    @pytest.mark.parametrize("command", ["pause", "resume"])
    async def test_what_makes_no_sense_is_refused_with_the_state(self, bench: Bench, command: str) -> None:
        waiting = [await bench.submit() for _ in range(3)][-1]
        with pytest.raises(Conflict, match=f"cannot {command} a training that is queued") as refused:
            await bench.command(waiting, command)
        assert refused.value.extra["state"] == "queued"

    async def test_a_stop_cannot_be_taken_back(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.command = _nothing  # it is busy with a long iteration
        await bench.command(run, "stop")
        with pytest.raises(Conflict, match="being stopped"):
            await bench.command(run, "resume")
        await bench.command(run, "stop")
        assert (await bench.types(run)).count("stop_requested") == 1

    @pytest.mark.parametrize("command", ["pause", "resume"])
    async def test_nor_by_who_has_not_seen_it(self, bench: Bench, command: str) -> None:
        run, trainer = await bench.begun()
        trainer.command = _nothing
        if command == "resume":
            await bench.command(run, "pause")
        seen = await bench.get(run)
        await bench.command(run, "stop")
        await bench.sessions.command(seen, command, "key_1")
        assert (await bench.get(run)).desired == "stop"

    async def test_stop_while_running(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "stop")
        assert (await bench.get(run)).state == "stopped"
        assert trainer.released
        assert (await bench.command(run, "stop")).state == "stopped", "idempotent"

    async def test_stop_while_queued(self, bench: Bench) -> None:
        waiting = [await bench.submit() for _ in range(3)][-1]
        assert (await bench.command(waiting, "stop")).state == "stopped"
        assert await bench.types(waiting) == ["queued", "stop_requested", "stopped"]
        assert len(bench.sessions.queue) == 0

    async def test_stop_while_waiting_for_room(self, bench: Bench) -> None:
        bench.launcher.room = 0
        run = await bench.submit()
        assert (await bench.command(run, "stop")).state == "stopped"
        assert not await bench.launcher.placed()
        assert bench.sessions.running == 0

    async def test_stop_while_interrupted(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.lose(LOST)
        await settle()
        bench.launcher.newest(run.id).lose(LOST)
        await settle()
        assert (await bench.get(run)).state == "interrupted"
        assert (await bench.command(run, "stop")).state == "stopped"
        assert len(bench.launcher.trainers) == 2, "none was placed for it"

    async def test_two_stops_at_once(self, bench: Bench) -> None:
        bench.launcher.room = 0
        run = await bench.submit()
        answers = await asyncio.gather(*(bench.command(run, "stop") for _ in range(3)))
        assert {answer.state for answer in answers} == {"stopped"}
        assert (await bench.types(run)).count("stopped") == 1

    @pytest.mark.parametrize("command", ["pause", "stop"])
    async def test_a_command_that_races_with_the_end_is_judged_by_the_end(self, bench: Bench, command: str) -> None:
        run, trainer = await bench.begun()
        before = await bench.get(run)
        await trainer.emit(TrainingSucceeded, stop_reason="iterations", progress=Progress())
        if command == "stop":
            assert (await bench.sessions.command(before, "stop", "key_1")).state == "succeeded"
            return
        with pytest.raises(Conflict, match="cannot pause a training that is succeeded"):
            await bench.sessions.command(before, "pause", "key_1")

    async def test_a_trainer_that_does_not_answer_holds_no_command_up(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.command = lambda command: asyncio.Event().wait()
        pausing = asyncio.create_task(bench.command(run, "pause"))
        await bench.clock.advance(COMMAND_S)
        assert (await pausing).desired == "pause"


class TestWaitingForRoom:
    async def test_where_the_cluster_grows_a_training_waits_for_its_nodes_and_says_so(self, bench: Bench) -> None:
        bench.launcher.room, bench.launcher.grows = 0, True
        run = await bench.submit()
        for _ in range(3):
            await bench.clock.advance(70)
        assert await bench.types(run) == ["queued", "waiting"]
        found = (await bench.get(run)).document
        assert found.state == "queued"
        assert "the autoscaler is asked for nodes" in (found.message or "")
        bench.launcher.room = None
        await bench.clock.advance(70)
        await bench.launcher.newest(run.id).begin()
        assert (await bench.get(run)).document.message is None


class TestPause:
    async def test_a_paused_training_holds_no_trainer_no_placement_and_no_turn(self, bench: Bench) -> None:
        paused = [await bench.begun(iterations=1) for _ in range(SETTINGS.max_running)]
        waiting = await bench.submit("other")
        assert bench.launcher.alive(waiting.id) == []
        for run, trainer in paused:
            await bench.command(run, "pause")
            await trainer.pause()
            await settle()
            assert trainer.released
        assert await bench.launcher.placed() == {waiting.id}
        assert bench.sessions.running == 1
        assert [(await bench.get(run)).state for run, _ in paused] == ["paused", "paused"]

    async def test_resumed_it_waits_for_its_turn_and_gets_a_new_trainer(self, bench: Bench) -> None:
        run, trainer = await bench.begun(iterations=2)
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        others = [(await bench.begun())[1] for _ in range(SETTINGS.max_running)]
        assert (await bench.command(run, "resume")).state == "paused"
        assert bench.sessions.place(run.id) is not None
        await others[0].succeed()
        await settle()
        newest = bench.launcher.newest(run.id)
        assert newest is not trainer
        assert newest.run.document.progress.iteration == 2
        assert (await bench.get(run)).document.restarts == 0

    async def test_resume_twice_is_resume_once(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        for _ in range(2):
            await bench.command(run, "resume")
        assert len(bench.launcher.alive(run.id)) == 1
        assert (await bench.types(run)).count("resume_requested") == 1

    async def test_a_resume_just_before_the_trainer_leaves_is_not_lost(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "pause")
        await trainer.emit(TrainingPaused, progress=Progress())
        await bench.command(run, "resume")
        trainer.leave()
        await settle()
        assert bench.launcher.newest(run.id) is not trainer
        assert "interrupted" not in await bench.types(run)

    async def test_a_resume_while_the_placement_is_given_back_is_not_lost(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        free, held = bench.launcher.free, asyncio.Event()

        async def free_slowly(training_id: str) -> None:
            await held.wait()
            await free(training_id)

        bench.launcher.free = free_slowly
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        await bench.command(run, "resume")
        held.set()
        await settle()
        assert bench.launcher.newest(run.id) is not trainer

    async def test_a_trainer_lost_just_after_it_paused_costs_nothing(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "pause")
        await trainer.emit(TrainingPaused, progress=Progress())
        trainer.lose(LOST)
        await settle()
        assert (await bench.get(run)).state == "paused"
        assert not await bench.launcher.placed()

    async def test_paused_while_it_waits_to_resume_it_leaves_the_queue(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        for _ in range(SETTINGS.max_running):
            await bench.begun()
        await bench.command(run, "resume")
        await bench.command(run, "pause")
        assert len(bench.sessions.queue) == 0
        assert (await bench.get(run)).desired == "pause"

    async def test_stop_ends_a_paused_training_at_once(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        assert (await bench.command(run, "stop")).state == "stopped"
        assert not await bench.launcher.placed()

    async def test_after_a_restart_what_is_paused_stays_so_and_what_was_resumed_continues(self, bench: Bench) -> None:
        runs = []
        for _ in range(2):
            run, trainer = await bench.begun()
            await bench.command(run, "pause")
            await trainer.pause()
            await settle()
            runs.append(run)
        for _ in range(SETTINGS.max_running):
            await bench.begun()
        await bench.command(runs[1], "resume")
        await bench.restart()
        assert in_order(bench.sessions.queue) == [runs[1].id]
        assert bench.sessions.running == SETTINGS.max_running

    async def test_a_resumed_one_that_finds_no_room_waits_and_does_not_fail(self, bench: Bench) -> None:
        run, trainer = await bench.begun(iterations=1)
        await bench.command(run, "pause")
        await trainer.pause()
        await settle()
        bench.launcher.room = 0
        await bench.command(run, "resume")
        await bench.clock.advance(5)
        assert not (await bench.get(run)).final
        bench.launcher.room = None
        await bench.clock.advance(5)
        assert len(bench.launcher.alive(run.id)) == 1


class TestRecovery:
    async def test_a_lost_trainer_is_replaced_with_back_off(self, bench: Bench) -> None:
        run, _ = await bench.begun()
        waits = []
        for _ in range(3):
            lost = bench.launcher.newest(run.id)
            lost.lose(LOST)
            await settle()
            waits.append((await bench.last(run)).get("retry_in_s"))
            assert not await lost.iterate(1), "it is fenced, also while nobody follows it yet"
            await bench.clock.advance(60)
        assert waits == [0.0, 1.0, 2.0]
        assert (await bench.get(run)).document.restarts == 3
        assert bench.launcher.newest(run.id).epoch == (await bench.get(run)).epoch

    async def test_it_gives_up_when_restarts_bring_nothing(self, bench: Bench) -> None:
        run, _ = await bench.begun()
        for _ in range(4):
            bench.launcher.newest(run.id).lose(LOST)
            await bench.clock.advance(60)
        found = await bench.get(run)
        assert (found.state, found.document.stop_reason) == ("failed", "trainer_lost")
        assert "gave up after 3 restarts without progress" in (found.document.message or "")
        assert not await bench.launcher.placed()

    async def test_one_that_lives_but_does_not_get_on_is_ended_and_recovered(self, bench: Bench) -> None:
        run, trainer = await bench.begun(iterations=1)
        for iteration in (2, 3):
            await bench.clock.advance(STALL_S - 20)
            await trainer.iterate(iteration)
        await bench.clock.advance(STALL_S - 20)
        assert not trainer.released
        await bench.clock.advance(40)
        assert trainer.released
        assert bench.launcher.newest(run.id) is not trainer
        assert "made no progress for 6" in str((await bench.get(run)).document.message)
        assert not await trainer.iterate(4), "it is fenced, should it wake up"

    async def test_slow_iterations_are_no_stall(self, bench: Bench) -> None:
        _, trainer = await bench.begun()
        await trainer.emit(
            TrainingIterationCompleted, iteration=1, env_steps=1, episodes=1, train_wall_s=STALL_S, metrics={}
        )
        await bench.clock.advance(19 * STALL_S)
        assert not trainer.released
        await bench.clock.advance(2 * STALL_S)
        assert trainer.released

    async def test_one_that_begins_has_a_minute_however_soon_others_stall(
        self, store: MemoryStore, clock: FakeClock, launcher: FakeLauncher
    ) -> None:
        """Imports, environments and actors come first: ending it then would begin the same again, for ever."""
        bench = Bench(store, clock, launcher, TrainingSettings(stall_timeout_s=5))
        run = await bench.submit()
        trainer = launcher.newest(run.id)
        await clock.advance(45)
        assert not trainer.released
        await trainer.begin()
        await clock.advance(15)
        assert trainer.released, "what runs has no more time than was set"
        await clock.advance(80)
        assert launcher.newest(run.id).epoch > trainer.epoch + 1, "nor may it begin for ever"
        await bench.abandon()

    async def test_a_trainer_that_hangs_after_it_has_paused_is_ended_and_the_training_stays_paused(
        self, bench: Bench
    ) -> None:
        run, trainer = await bench.begun(iterations=1)
        await bench.command(run, "pause")
        await trainer.emit(TrainingPaused, progress=Progress(iteration=1, env_steps=100, episodes=1))
        await bench.clock.advance(2 * STALL_S)
        assert trainer.released
        assert (await bench.get(run)).document.restarts == 0
        assert (await bench.get(run)).state == "paused"
        assert not await bench.launcher.placed()

    async def test_while_the_store_is_away_nobody_stalls(self, bench: Bench) -> None:
        _, trainer = await bench.begun(iterations=1)
        bench.flaky.error = StorageError("database is locked")
        await bench.clock.advance(3 * STALL_S)
        bench.flaky.error = None
        await bench.clock.advance(STALL_S / 2)
        assert not trainer.released

    async def test_progress_earns_new_restarts(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        for iteration in range(1, 8):
            await trainer.iterate(iteration)
            trainer.lose(LOST)
            await bench.clock.advance(60)
            trainer = bench.launcher.newest(run.id)
        assert (await bench.get(run)).state == "interrupted"
        assert (await bench.get(run)).document.restarts == 7
        await trainer.begin()
        assert (await bench.get(run)).state == "running"

    @pytest.mark.parametrize("error", [ValueError("bug"), StorageError("away"), None])
    async def test_any_end_without_a_final_event_is_an_interruption(
        self, bench: Bench, error: Exception | None
    ) -> None:
        run, trainer = await bench.begun()
        trainer.lose(error) if error else trainer.leave()
        await settle()
        assert "interrupted" in await bench.types(run)
        assert bench.launcher.newest(run.id) is not trainer
        assert len(bench.launcher.trainers) == 2

    async def test_a_placement_that_cannot_be_had_fails_with_the_reason(self, bench: Bench) -> None:
        bench.launcher.room = 0
        run = await bench.submit()
        await bench.clock.advance(61)
        found = await bench.get(run)
        assert (found.state, found.document.stop_reason) == ("failed", "capacity_exhausted")
        assert found.document.message == "no room in the cluster within 60 s"

    async def test_one_that_others_leave_no_room_for_waits(self, bench: Bench) -> None:
        bench.launcher.room = 1
        first, trainer = await bench.begun()
        second = await bench.submit()
        await bench.clock.advance(200)
        assert (await bench.get(second)).state == "queued"
        await trainer.succeed()
        await bench.clock.advance(2)
        assert bench.launcher.newest(second.id)
        assert (await bench.get(first)).final

    async def test_one_that_waits_for_room_holds_no_recovery_up(self, bench: Bench) -> None:
        bench.launcher.room = 1
        first, trainer = await bench.begun()
        waiting = await bench.submit()
        trainer.lose(LOST)
        await settle()
        (alive,) = bench.launcher.alive()
        assert alive is not trainer
        assert alive.run.id == first.id
        assert (await bench.get(waiting)).state == "queued"

    @pytest.mark.parametrize("begun", ["started", "starting"])
    async def test_waiting_for_room_after_a_nodes_death_is_no_failed_restart(self, bench: Bench, begun: str) -> None:
        run = await bench.submit()
        trainer = bench.launcher.newest(run.id)
        await trainer.emit(TrainingStarting, epoch=trainer.epoch) if begun == "starting" else await trainer.begin()
        bench.launcher.room = 0
        trainer.lose(LOST)
        await bench.clock.advance(61 * 3 * SETTINGS.max_restarts)
        found = await bench.get(run)
        assert (found.state, found.document.restarts) == ("interrupted", 1)
        assert found.document.message == "waits for room: no room in the cluster within 60 s"
        assert (await bench.types(run)).count("interrupted") == 2, "that it waits is said once"
        bench.launcher.room = 1
        await bench.clock.advance(61)
        await bench.launcher.newest(run.id).begin()
        assert (await bench.get(run)).state == "running"

    async def test_waiting_for_room_earns_no_restarts_either(self, bench: Bench) -> None:
        run, _ = await bench.begun()
        for failures in range(1, 5):
            bench.launcher.room = 0
            bench.launcher.newest(run.id).lose(LOST)
            await bench.clock.advance(100)
            bench.launcher.room = 1
            await bench.clock.advance(70)
            assert (await bench.get(run)).document.restarts == min(failures, SETTINGS.max_restarts)
        assert "gave up after 3 restarts" in ((await bench.get(run)).document.message or "")

    async def test_one_behind_another_that_lost_its_room_waits_with_it(self, bench: Bench) -> None:
        first, trainer = await bench.begun()
        bench.launcher.room = 0
        trainer.lose(LOST)
        second = await bench.submit()
        await bench.clock.advance(200)
        assert [(await bench.get(run)).state for run in (first, second)] == ["interrupted", "queued"]
        await bench.restart()
        await bench.clock.advance(200)
        assert [(await bench.get(run)).state for run in (first, second)] == ["interrupted", "queued"]
        assert (await bench.command(first, "stop")).state == "stopped"
        await bench.clock.advance(130)
        assert (await bench.get(second)).state == "failed", "alone, and there is no room"

    async def test_a_launch_that_fails_counts_as_a_restart(self, bench: Bench) -> None:
        bench.launcher.errors = [ValueError("bad bundle")] * 10
        run = await bench.submit()
        await bench.clock.advance(60)
        found = await bench.get(run)
        assert (found.state, found.document.restarts) == ("failed", 3)

    @pytest.mark.parametrize("moment", ["launch", "run", "loss"])
    async def test_the_store_may_be_away_at_any_moment(self, bench: Bench, moment: str) -> None:
        if moment == "launch":
            bench.flaky.error = StorageError("database is locked")
        run = await bench.submit()
        if moment != "launch":
            trainer = bench.launcher.newest(run.id)
            await trainer.begin()
            bench.flaky.error = StorageError("database is locked")
        if moment == "loss":
            trainer.lose(LOST)
        await bench.clock.advance(10)
        bench.flaky.error = None
        await bench.clock.advance(20)
        await settle()
        (alive,) = bench.launcher.alive(run.id)
        assert len(bench.launcher.trainers) == (2 if moment == "loss" else 1), "a store that is away costs no trainer"
        await alive.begin()
        await alive.succeed()
        await settle()
        assert (await bench.get(run)).state == "succeeded"

    async def test_reaping_takes_only_what_nobody_keeps(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        stray = FakeTrainer(training_run(bench.clock), 1, bench.store, bench.clock)
        bench.launcher.trainers.append(stray)
        await bench.sessions.reap()
        assert stray.released
        assert not trainer.released
        assert await bench.launcher.placed() == {run.id}


class TestRestart:
    async def test_living_trainers_are_taken_up_as_they_are(self, bench: Bench) -> None:
        run, trainer = await bench.begun(iterations=3)
        await bench.restart()
        assert bench.launcher.alive() == [trainer]
        await bench.command(run, "pause")
        assert trainer.commands[-1] == "pause"
        trainer.lose(LOST)
        await settle()
        assert (await bench.get(run)).document.restarts == 1

    async def test_a_trainer_that_died_meanwhile_is_replaced(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.lose(LOST)
        await bench.restart()
        assert len(bench.launcher.alive(run.id)) == 1
        assert bench.launcher.newest(run.id) is not trainer

    async def test_those_that_had_begun_go_first(self, bench: Bench) -> None:
        begun = [(await bench.begun())[0] for _ in range(2)]
        waiting = await bench.submit()
        await bench.restart()
        assert in_order(bench.sessions.queue) == [waiting.id]
        assert bench.sessions.running == len(begun)

    async def test_a_stop_asked_for_before_is_carried_out(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.command = _nothing
        await bench.command(run, "stop")
        trainer.lose(LOST)
        await bench.restart()
        assert (await bench.get(run)).state == "stopped"


class TestSuspend:
    async def test_trainers_leave_and_the_runs_are_taken_up_again_without_a_penalty(self, bench: Bench) -> None:
        run, trainer = await bench.begun(iterations=2)
        waiting = [await bench.submit() for _ in range(2)][-1]
        await bench.sessions.suspend(10)
        assert trainer.commands[-1] == "suspend"
        found = await bench.get(run)
        assert (found.state, found.document.message, found.document.restarts) == ("interrupted", SHUTDOWN, 0)
        assert (await bench.last(run))["planned"] is True
        assert (await bench.get(waiting)).state == "queued"
        assert not await bench.launcher.placed()
        await bench.restart()
        assert bench.launcher.newest(run.id).run.document.started_at is not None
        assert (await bench.get(run)).document.restarts == 0

    async def test_one_that_takes_too_long_is_ended(self, bench: Bench) -> None:
        run, trainer = await bench.begun()
        trainer.suspends = False
        suspending = asyncio.create_task(bench.sessions.suspend(10))
        await bench.clock.advance(9)
        assert not trainer.released
        await bench.clock.advance(1)
        await suspending
        assert trainer.released
        assert (await bench.get(run)).document.message == SHUTDOWN

    @pytest.mark.parametrize("wait", ["room", "back-off"])
    async def test_what_waits_is_let_go_at_once(self, bench: Bench, wait: str) -> None:
        if wait == "room":
            bench.launcher.room = 0
            run = await bench.submit()
        else:
            run, _ = await bench.begun()
            for _ in range(2):
                bench.launcher.newest(run.id).lose(LOST)
                await settle()
        await bench.sessions.suspend(10)
        assert (await bench.get(run)).state == {"room": "queued", "back-off": "interrupted"}[wait]
        assert not await bench.launcher.placed()
        assert bench.sessions.running == 0


class SessionsMachine(RuleBasedStateMachine):
    """Trainers train, end, break and are cut off; people give commands; the supervisor dies; the store is away."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.ids: list[TrainingRun] = []

    def do(self, action: Callable[[], Awaitable[object]]) -> None:
        async def act() -> None:
            await action()
            await settle(self.bench.store)

        self.runner.run(act())

    @initialize()
    def begin(self) -> None:
        async def act() -> None:
            clock = FakeClock()
            store = WatchedStore(await self.open_store(clock))
            self.bench = Bench(store, clock, FakeLauncher(store, clock), SETTINGS)

        self.do(act)

    async def open_store(self, clock: FakeClock) -> Store:
        """An empty store of the machine's own; :meth:`teardown` closes it."""
        return MemoryStore(clock)

    @property
    def alive(self) -> list[FakeTrainer]:
        return self.bench.launcher.alive()

    @rule(tenant=st.sampled_from("ab"))
    def submit(self, tenant: str) -> None:
        async def act() -> None:
            self.ids.append(await self.bench.submit(tenant))

        self.do(act)

    @precondition(lambda self: self.alive)
    @rule(
        data=st.data(),
        what=st.sampled_from(["begin", "iterate", "iterate", "pause", "succeed", "lose", "leave", "zombie"]),
    )
    def trainer_does(self, data: st.DataObject, what: str) -> None:
        trainer = self.alive[data.draw(st.integers(0, len(self.alive) - 1))]

        async def act() -> None:
            if what == "iterate":
                document = (await self.bench.get(trainer.run)).document
                await trainer.iterate(document.progress.iteration + 1)
            elif what == "pause":
                if (await self.bench.get(trainer.run)).desired == "pause":
                    await trainer.pause()
            elif what in ("begin", "succeed"):
                await getattr(trainer, what)()
            elif what == "leave":
                trainer.leave()
            else:
                trainer.lose(LOST)
                await settle(self.bench.store)
                if what == "zombie":
                    assert not await trainer.iterate(99)

        self.do(act)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), command=st.sampled_from(["pause", "resume", "stop"]))
    def command(self, data: st.DataObject, command: str) -> None:
        run = self.ids[data.draw(st.integers(0, len(self.ids) - 1))]

        async def act() -> None:
            try:
                answer = await self.bench.command(run, command)
            except Conflict:
                return
            assert answer.final or answer.desired == {"pause": "pause", "resume": "run", "stop": "stop"}[command]

        self.do(act)

    @rule()
    def restart(self) -> None:
        self.do(self.bench.restart)

    @rule(seconds=st.sampled_from([1, 5, 61]))
    def let_time_pass(self, seconds: int) -> None:
        self.do(lambda: self.bench.clock.advance(seconds))

    @rule()
    def store_is_away_for_a_while(self) -> None:
        async def act() -> None:
            self.bench.flaky.error = StorageError("database is locked")
            await self.bench.clock.advance(10)
            self.bench.flaky.error = None
            await self.bench.clock.advance(10)

        self.do(act)

    @rule()
    def reap(self) -> None:
        self.do(lambda: self.bench.sessions.reap())

    @invariant()
    def one_owner_at_most(self) -> None:
        owners = [trainer.run.id for trainer in self.alive]
        assert len(owners) == len(set(owners))

    @invariant()
    def no_more_are_placed_than_may(self) -> None:
        assert len(self.alive) <= SETTINGS.max_running

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.do(self._finish_all)
            self.do(self.bench.abandon)
            self.runner.run(self.bench.store.close())
        self.runner.close()

    async def _finish_all(self) -> None:
        for _ in range(3 * len(self.ids) + 3):
            for trainer in self.alive:
                await trainer.begin()
                await trainer.succeed()
            for run in await self.bench.runs():
                if not run.final and run.desired == "pause":
                    await self.bench.command(run, "resume")
            await self.bench.clock.advance(61)
            await settle(self.bench.store)
        for run in await self.bench.runs():
            assert run.final, f"{run.id} was lost in state {run.state}"
            lines = await self.bench.store.read(run.stream)
            assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
            assert run.document.restarts == sum(line.type == "training.interrupted" for line in lines)
        assert (self.bench.sessions.running, len(self.bench.sessions.queue)) == (0, 0)
        assert not await self.bench.launcher.placed()


TestSessionsMachine = SessionsMachine.TestCase
TestSessionsMachine.settings = hypothesis_settings(max_examples=60, stateful_step_count=25, deadline=None)
