"""Further processes killed, stopped and told to end; a database that is locked for a while."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.chaos import processes
from tests.chaos.rig import Rig, Scene

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(600)]

STALL_S = 15.0


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {"RLP_TRAINING__STALL_TIMEOUT_S": str(STALL_S), "RLP_CLUSTER__INGRESS": "proxy"}


def test_an_env_runner_is_killed(rig: Rig) -> None:
    scene = Scene(rig, resources={"num_env_runners": 1, "num_envs_per_env_runner": 8})
    rig.kill(rig.actor("EnvRunner").pid)
    scene.goes_on(30)
    rig.actor("EnvRunner")
    told = scene.end()
    assert told.interruptions == 0, "another takes its place, and no more than that"
    assert scene.stays.connections == 1, scene.stays.breaks


def test_a_learner_is_killed(rig: Rig) -> None:
    scene = Scene(rig, resources={"num_learners": 1, "num_envs_per_env_runner": 8})
    rig.kill(rig.actor("_WrappedExecutable").pid)  # what Ray Train makes of a learner
    rig.wait(scene.training, lambda now: now["restarts"] == 1)
    scene.goes_on(30)
    assert scene.end().interruptions == 1


def test_a_trainer_that_hangs_is_replaced(rig: Rig) -> None:
    """Stopped, not killed: Ray sees nothing amiss."""
    scene = Scene(rig)
    hung = rig.trainer(scene.training)
    os.kill(hung, signal.SIGSTOP)
    rig.wait(scene.training, lambda now: now["restarts"] == 1, STALL_S + 60)
    scene.goes_on()
    assert not processes.await_gone([hung])
    log = rig.logs()[f"trainings/{scene.training}"]
    (reason,) = [event["reason"] for event in log if event["type"] == "training.interrupted"]
    assert "made no progress" in reason
    assert scene.end().interruptions == 1


def test_the_serve_controller_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill(rig.actor("ServeController").pid)
    scene.goes_on(50)
    rig.await_true(lambda: bool(rig.actors("ServeController")), 30, "there is a controller again")
    told = scene.end()
    assert (told.interruptions, scene.retried()) == (0, 0)


def test_the_database_is_locked_for_ten_seconds(rig: Rig) -> None:
    scene = Scene(rig)
    with closing(sqlite3.connect(rig.folder / ".rlp" / "platform.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(10)
        other.execute("ROLLBACK")
    scene.goes_on(30)
    assert scene.end().interruptions == 0


def test_told_to_end_it_saves_and_the_next_start_goes_on(rig: Rig) -> None:
    scene = Scene(rig)
    rig.stop()  # SIGTERM; exit status 0; no process or container is left
    log = rig.logs()[f"trainings/{scene.training}"]
    assert (log[-1]["type"], log[-1]["planned"]) == ("training.interrupted", True)
    assert log[-2]["type"] == "training.checkpoint_saved"
    rig.start()
    scene.goes_on(timeout_s=90)
    told = scene.end()
    assert (told.interruptions, told.redone_iterations) == (0, 0)
