"""A study on real actors: its owner is killed, and continues. The engine is the simulated one."""

from __future__ import annotations

import asyncio

import pytest

from actors.options import STUDY_OWNER
from rlplatform.studies.models import StudyRequest
from rlplatform.studies.record import StudyRun
from tests.actors.conftest import PRINCIPAL, Stage

pytestmark = [pytest.mark.ray, pytest.mark.anyio]


async def test_study_survives_the_kill_of_its_owner_and_starts_no_trial_twice(stage: Stage) -> None:
    training = {
        "env": "CartPole-v1",
        "engine": "simulated",
        "env_config": {"simulated_iteration_s": 0.05},
        "stop": {"env_steps": 20 * 2048},
    }
    request = {
        "training": training,
        "space": {"learning_rate": {"kind": "float", "low": 0.001, "high": 0.1, "log": True}},
        "pruner": {"kind": "median"},
        "trials": 5,
    }
    study, _ = await stage.commands.start_study(StudyRequest.model_validate(request), PRINCIPAL)

    async def reached(trials: int, final: bool = False) -> StudyRun:
        async with asyncio.timeout(90):
            while True:
                found = await stage.store.get(study.id)
                assert isinstance(found, StudyRun)
                if found.document.trial_count >= trials and found.final >= final:
                    return found
                await asyncio.sleep(0.05)

    await reached(2)
    await stage.kill(str(STUDY_OWNER["name"]))
    await reached(4)
    await stage.kill(str(STUDY_OWNER["name"]))
    ended = await reached(5, final=True)
    assert (ended.state, ended.document.stop_reason) == ("succeeded", "trials")
    assert ended.epoch == 3
    trainings = [training.training_id for trial in ended.document.trials for training in trial.trainings]
    runs = await stage.store.find("training", labels={"study": study.id})
    assert len(trainings) == 5
    assert sorted(trainings) == sorted(run.id for run in runs)
