"""Trainings on real actors: they end, obey, and outlive the death of any process. The engine is the simulated one."""

from __future__ import annotations

import asyncio

import pytest

from rlplatform.errors import Conflict, InvalidRequest, NotFound, PlatformError
from tests.actors.conftest import PRINCIPAL, Stage, clear, eventually, names, placements

pytestmark = [pytest.mark.ray, pytest.mark.anyio]


async def nothing_is_left() -> None:
    await eventually(lambda: not any(name.startswith("trainer") for name in names()))
    await eventually(lambda: not placements())


async def test_a_training_succeeds_and_leaves_nothing(stage: Stage) -> None:
    run = await stage.train(iterations=12)
    done = await stage.until_state(run, "succeeded", "failed")
    assert (done.document.stop_reason, done.document.progress.iteration) == ("iterations", 12)
    assert await stage.types(run) == ["queued", "starting", "started", "evaluated", "succeeded"]
    assert all(event["simulated"] for event in await stage.events(run))
    await nothing_is_left()


async def test_pause_resume_and_stop(stage: Stage) -> None:
    run = await stage.train(iterations=10_000)
    await stage.until_iteration(run, 3)
    assert (await stage.command(run, "pause")).desired == "pause"
    paused = await stage.until_state(run, "paused")
    await nothing_is_left()
    assert (await stage.get(run)).document.progress == paused.document.progress
    await stage.command(run, "resume")
    await stage.until_iteration(run, paused.document.progress.iteration + 2)
    await stage.command(run, "stop")
    done = await stage.until_state(run, "stopped")
    assert done.document.stop_reason == "stop_requested"
    assert done.document.checkpoint is not None
    assert done.document.checkpoint.iteration == done.document.progress.iteration
    with pytest.raises(Conflict, match="cannot resume a training that is stopped"):
        await stage.command(run, "resume")
    await nothing_is_left()


async def test_a_stop_at_any_moment_of_the_start_leaves_nothing(stage: Stage) -> None:
    for delay_s in (0.0, 0.02, 0.04, 0.06, 0.1, 0.3):
        run = await stage.train(iterations=10_000)
        await asyncio.sleep(delay_s)
        await stage.command(run, "stop")
        assert (await stage.until_state(run, "stopped", "failed")).state == "stopped"
        await nothing_is_left()


async def test_errors_cross_the_actor_boundary_as_they_are(stage: Stage) -> None:
    with pytest.raises(InvalidRequest, match="at most 2 env runners") as refused:  # 4 CPUs, of which one is our actors'
        await stage.train(resources={"num_env_runners": 100})
    assert refused.value.extra == {"field": "resources.num_env_runners"}
    with pytest.raises(InvalidRequest, match="no node has that many") as refused:
        await stage.train(resources={"num_gpus_per_learner": 1})
    assert refused.value.extra == {"field": "resources.num_gpus_per_learner"}
    with pytest.raises(NotFound):
        await stage.train(resume_from="ckpt_" + "0" * 26)
    run = await stage.train(iterations=3)
    stranger = PRINCIPAL.model_copy(update={"tenant": "other"})
    with pytest.raises(NotFound):
        await stage.commands.command_training(run.id, "stop", stranger)


async def test_a_checkpoint_of_another_tenant_cannot_be_resumed_from(stage: Stage) -> None:
    run = await stage.train(iterations=5)
    done = await stage.until_state(run, "succeeded")
    assert done.document.checkpoint is not None
    request = done.document.request.model_copy(update={"resume_from": done.document.checkpoint.id})
    stranger = PRINCIPAL.model_copy(update={"tenant": "other"})
    with pytest.raises(NotFound, match="no such checkpoint"):
        await stage.commands.start_training(request, stranger)
    longer = await stage.train(iterations=8, resume_from=done.document.checkpoint.id)
    assert (await stage.until_state(longer, "succeeded")).document.progress.iteration == 8
    completed = [e["iteration"] for e in await stage.events(longer) if e["type"] == "training.iteration_completed"]
    assert completed == [6, 7, 8]


class TestTrainerKilled:
    async def test_it_is_recovered_from_its_checkpoint_and_says_what_is_done_again(self, stage: Stage) -> None:
        run = await stage.train(iterations=60)
        before = await stage.until_iteration(run, 13)
        await stage.kill(await stage.trainer(run))
        done = await stage.until_state(run, "succeeded")
        assert (done.document.progress.iteration, done.document.restarts) == (60, 1)
        events = await stage.events(run)
        (recovered,) = [event for event in events if event["type"] == "training.recovered"]
        known = max(e["iteration"] for e in events[: recovered["seq"]] if "iteration" in e and e is not recovered)
        assert known >= before.document.progress.iteration
        assert recovered["iteration"] % 5 == 0
        assert recovered["iteration"] + recovered["redone_iterations"] == known
        assert recovered["redone_env_steps"] == recovered["redone_iterations"] * 2048
        after = [e["iteration"] for e in events[recovered["seq"] :] if e["type"] == "training.iteration_completed"]
        assert after == list(range(recovered["iteration"] + 1, 61))
        await nothing_is_left()

    async def test_a_paused_one_outlives_the_supervisor_and_continues(self, stage: Stage) -> None:
        run = await stage.train(iterations=10_000)
        await stage.until_iteration(run, 3)
        await stage.command(run, "pause")
        paused = await stage.until_state(run, "paused")
        await nothing_is_left()
        await stage.kill("supervisor")
        await eventually(lambda: _answers(stage))
        assert (await stage.get(run)).state == "paused"
        await stage.command(run, "resume")
        again = await stage.until_iteration(run, paused.document.progress.iteration + 1)
        assert again.document.restarts == 0
        await stage.command(run, "stop")
        await stage.until_state(run, "stopped")
        types = await stage.types(run)
        assert types[types.index("resume_requested") :][:3] == ["resume_requested", "starting", "resumed"]

    async def test_without_a_checkpoint_it_begins_again(self, stage: Stage) -> None:
        run = await stage.train(iterations=30, checkpoint={"every_iterations": 0})
        await stage.until_iteration(run, 4)
        await stage.kill(await stage.trainer(run))
        await stage.until_state(run, "succeeded")
        (recovered,) = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
        assert (recovered["checkpoint_id"], recovered["iteration"]) == (None, 0)
        assert recovered["redone_iterations"] >= 4


class TestOthersKilled:
    async def test_the_supervisor(self, stage: Stage) -> None:
        run = await stage.train(iterations=10_000)
        await stage.until_iteration(run, 3)
        trainer = await stage.trainer(run)
        await stage.kill("supervisor")
        before = (await stage.get(run)).document.progress.iteration
        await stage.until_iteration(run, before + 3)
        await eventually(lambda: _answers(stage))
        assert await stage.trainer(run) == trainer
        for command, state in (("pause", "paused"), ("resume", "running")):
            await stage.command(run, command)
            await stage.until_state(run, state)
        await stage.command(run, "stop")
        done = await stage.until_state(run, "stopped")
        assert done.document.restarts == 0
        await nothing_is_left()

    async def test_the_supervisor_and_the_trainer(self, stage: Stage) -> None:
        run = await stage.train(iterations=40)
        await stage.until_iteration(run, 8)
        await stage.kill("supervisor")
        await stage.kill(await stage.trainer(run))
        done = await stage.until_state(run, "succeeded")
        assert done.document.progress.iteration == 40
        assert "recovered" in await stage.types(run)
        await nothing_is_left()

    async def test_the_store_server(self, stage: Stage) -> None:
        run = await stage.train(iterations=60)
        await stage.until_iteration(run, 5)
        await stage.kill("store_server")
        done = await stage.until_state(run, "succeeded")
        assert done.document.restarts == 0
        completed = [e["iteration"] for e in await stage.events(run) if e["type"] == "training.iteration_completed"]
        assert completed == list(range(1, 61)), "nothing is lost and nothing doubled"

    async def test_everything_at_once(self, stage: Stage) -> None:
        run = await stage.train(iterations=40)
        waiting = [await stage.train(iterations=5) for _ in range(2)]
        await stage.until_iteration(run, 8)
        for name in ("supervisor", "store_server", await stage.trainer(run)):
            await stage.kill(name)
        for each in (run, *waiting):
            await stage.until_state(each, "succeeded")
        await nothing_is_left()


class TestShutdown:
    async def test_a_drained_platform_goes_on_where_it_was(self, stage: Stage) -> None:
        run = await stage.train(iterations=100)
        before = await stage.until_iteration(run, 7)
        await stage.commands.drain()
        drained = await stage.get(run)
        assert (drained.state, drained.document.message) == ("interrupted", "the platform shut down")
        assert drained.document.checkpoint is not None
        assert drained.document.checkpoint.iteration == drained.document.progress.iteration
        assert not placements()
        clear()
        stage.start()
        done = await stage.until_state(run, "succeeded")
        assert (done.document.restarts, done.document.progress.iteration) == (0, 100)
        (recovered,) = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
        assert recovered["redone_iterations"] == 0
        assert recovered["iteration"] >= before.document.progress.iteration

    async def test_a_cold_start_after_everything_was_killed(self, stage: Stage) -> None:
        run = await stage.train(iterations=60)
        await stage.until_iteration(run, 12)
        clear()  # ray.kill: SIGKILL, and no restart
        stage.start()
        done = await stage.until_state(run, "succeeded")
        assert done.document.progress.iteration == 60
        (recovered,) = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
        assert recovered["iteration"] >= 5
        await nothing_is_left()


async def _answers(stage: Stage) -> bool:
    try:
        return bool(await stage.commands.status())
    except PlatformError:
        return False
