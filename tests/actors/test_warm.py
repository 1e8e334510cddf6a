"""Trainers in which an engine has run already."""

from __future__ import annotations

import pytest
import ray

from actors import options
from actors.handles import call, find, in_thread
from rlplatform.runs import TrainingRun
from rlplatform.settings import Settings
from tests.actors.conftest import Stage, eventually, names, placements

pytestmark = [pytest.mark.ray, pytest.mark.anyio]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    training = settings.training.model_copy(update={"warm_trainers": 1})
    return settings.model_copy(update={"training": training})


def warm() -> set[str]:
    return {name for name in names() if name.startswith(options.WARM_PREFIX)}


async def ready() -> str:
    """The name of the trainer that is warm."""
    await eventually(lambda: len(warm()) == 1, 60)
    (name,) = warm()
    await call(find(name), "whereabouts")
    return name


async def adopted(stage: Stage, **fields: object) -> TrainingRun:
    """A training that has the warm trainer."""
    name = await ready()
    await in_thread(lambda: __import__("time").sleep(2.5))  # a round, in which the supervisor learns that it is ready
    run = await stage.train(iterations=10_000, **fields)
    await stage.until_iteration(run, 6)
    assert (await call(find(name), "whereabouts"))[1:] == (run.id, (await stage.get(run)).epoch)
    assert not any(other.startswith("trainer:") for other in names())
    return run


async def test_it_is_handed_a_session_counted_in_full_and_ended_with_it(stage: Stage) -> None:
    name = await ready()
    free = (await in_thread(ray.available_resources))["CPU"]
    run = await adopted(stage)
    assert free - (await in_thread(ray.available_resources))["CPU"] == pytest.approx(1.0), "its CPU is reserved"
    await stage.command(run, "stop")
    await stage.until_state(run, "stopped")
    await eventually(lambda: not placements() and name not in names())


async def test_a_new_supervisor_finds_it_again(stage: Stage) -> None:
    run = await adopted(stage)
    name = next(iter(warm()))
    await stage.kill("supervisor")
    before = (await stage.get(run)).document.progress.iteration
    await stage.until_iteration(run, before + 60)
    await eventually(lambda: _stopped(stage, run))
    done = await stage.until_state(run, "stopped")
    assert done.document.restarts == 0
    await eventually(lambda: name not in names() and not placements())


async def test_killed_it_is_recovered_like_any_other(stage: Stage) -> None:
    run = await adopted(stage)
    await stage.kill(next(iter(warm())))
    await stage.until(run, lambda found: found.document.restarts == 1)
    await stage.until_state(run, "running")
    await stage.command(run, "stop")
    assert "recovered" in await stage.types(run)


async def test_a_session_with_env_runners_gets_a_trainer_of_its_own(stage: Stage) -> None:
    name = await ready()
    run = await stage.train(iterations=30, resources={"num_env_runners": 1})
    await stage.until_iteration(run, 1)
    assert await stage.trainer(run) in names()
    assert name in names()


async def test_a_drain_ends_it(stage: Stage) -> None:
    await ready()
    await stage.commands.drain()
    await eventually(lambda: not warm())


async def _stopped(stage: Stage, run: TrainingRun) -> bool:
    try:
        return (await stage.command(run, "stop")).desired == "stop"
    except Exception:
        return False
