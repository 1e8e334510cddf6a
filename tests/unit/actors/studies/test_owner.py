"""The owner of studies: adopts what the store has, and replaces controllers that fail."""

from __future__ import annotations

import asyncio

import pytest

from actors.studies.owner import StudyOwner
from rlplatform.access.principals import Principal
from rlplatform.runs.ports import Idempotency
from rlplatform.storage.memory import MemoryStore
from rlplatform.studies.models import StudyRequest
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.studies import PlayedTrainings
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun

pytestmark = pytest.mark.anyio
ME = Principal(id="key_1", tenant="acme", scopes=frozenset({"train"}))
REQUEST = StudyRequest.model_validate(
    {
        "training": {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 4096}},
        "space": {"learning_rate": {"kind": "float", "low": 0.001, "high": 0.1}},
        "trials": 3,
    }
)


class LosesAnswers(PlayedTrainings):
    """Starts what is asked for, and breaks before it answers, once for each training."""

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        run, new = await super().start_training(request, principal, idempotency)
        if new:
            raise RuntimeError("the answer was lost")
        return run, new


async def test_study_goes_on_where_the_answers_to_its_starts_are_lost() -> None:
    clock = FakeClock(auto_advance=True)
    store = MemoryStore(clock)
    trainings = LosesAnswers(store, clock, lambda request, env_steps: float(env_steps))
    study, _ = await trainings.start_study(REQUEST, ME)
    owner = StudyOwner(store, trainings, clock)
    running = asyncio.get_running_loop().create_task(owner.run())
    async with asyncio.timeout(30):
        while not (ended := await store.get(study.id)).final:
            await asyncio.sleep(0.001)
    running.cancel()
    await trainings.close()
    assert ended.state == "succeeded"
    assert len(await store.find("training")) == 3
    assert set(trainings.started.values()) == {1}


async def test_new_study_is_adopted_when_the_owner_is_woken() -> None:
    clock = FakeClock()
    store = MemoryStore(clock)
    trainings = PlayedTrainings(store, clock, lambda request, env_steps: 1.0)
    owner = StudyOwner(store, trainings, clock)
    running = asyncio.get_running_loop().create_task(owner.run())
    await clock.advance(1.0)
    study, _ = await trainings.start_study(REQUEST, ME)
    await clock.advance(1.0)
    assert (await store.get(study.id)).state == "queued"
    await owner.wake()
    await clock.advance(1.0)
    assert (await store.get(study.id)).state in ("running", "succeeded")
    running.cancel()
    await trainings.close()
