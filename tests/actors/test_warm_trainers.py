"""Trainers in which an engine has run already."""

from __future__ import annotations

import asyncio

import pytest
import ray

from actors import options
from actors.rpc.ray_calls import call, find, in_thread
from rlplatform.settings import Settings
from rlplatform.training.record import TrainingRun
from tests.actors.conftest import Stage, eventually, names, placements

pytestmark = [pytest.mark.ray, pytest.mark.anyio]


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    training = settings.training.model_copy(update={"warm_trainers": 1})
    return settings.model_copy(update={"training": training})


def warm() -> set[str]:
    return {name for name in names() if name.startswith(options.WARM_PREFIX)}


async def ready() -> str:
    """The name of the trainer that is warm."""
    await eventually(lambda: len(warm()) == 1, 60)
    (name,) = warm()
    await call(find(name), "location")
    return name


async def adopted(stage: Stage, name: str) -> TrainingRun:
    """A training that has the warm trainer ``name``."""
    await asyncio.sleep(2.5)  # a round, in which the supervisor learns that it is ready
    run = await stage.train(iterations=10_000)
    await stage.until_iteration(run, 6)
    assert (await call(find(name), "location"))[1:] == (run.id, (await stage.get(run)).epoch)
    assert not any(other.startswith("trainer:") for other in names())
    return run


async def test_it_is_one_sessions_found_again_recovered_and_ended_like_any_other(stage: Stage) -> None:
    name = await ready()
    free = (await in_thread(ray.available_resources))["CPU"]
    run = await adopted(stage, name)
    assert free - (await in_thread(ray.available_resources))["CPU"] == pytest.approx(1.0), "its CPU is reserved"

    await stage.kill("supervisor")
    before = (await stage.get(run)).document.progress.iteration
    found = await stage.until_iteration(run, before + 60)
    assert (found.document.restarts, name in names()) == (0, True), "the new supervisor leaves it its work"

    await stage.kill(name)
    await stage.until(run, lambda found: found.document.restarts == 1)
    await stage.until_state(run, "running")
    assert (await stage.types(run))[-2:] == ["starting", "recovered"]
    assert (await stage.command(run, "stop")).desired == "stop"
    await stage.until_state(run, "stopped")
    await eventually(lambda: not placements() and name not in names())


async def test_a_session_with_env_runners_gets_a_trainer_of_its_own_and_a_drain_ends_the_warm_one(stage: Stage) -> None:
    name = await ready()
    run = await stage.train(iterations=30, resources={"num_env_runners": 1})
    await stage.until_iteration(run, 1)
    assert await stage.trainer(run) in names()
    assert name in names()
    await stage.until_state(run, "succeeded")
    await stage.commands.drain()
    await eventually(lambda: not warm())
