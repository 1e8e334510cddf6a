"""Failures that a platform must outlive every day, while it does everything at once: PPO, streams, evaluations."""

from __future__ import annotations

import pytest

from tests.chaos.course import SQUARE, TWICE, KilledCourse
from tests.chaos.rig import Rig, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(400)]


def test_the_trainer_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill(rig.trainer(scene.training))
    rig.wait(scene.training, lambda now: now["restarts"] == 1)
    scene.goes_on()
    told = scene.end()
    assert told.interruptions == 1
    assert told.redone_iterations < 15, "no further back than the newest checkpoint"
    assert (scene.stays.connections, scene.retried()) == (1, 0), "nobody else noticed"


def test_the_evaluator_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    held = set(rig.containers())
    assert held
    rig.kill(rig.actor("EvaluatorActor").pid)
    rig.await_true(lambda: not held & set(rig.containers()), 15, "the containers of the dead evaluator are gone")
    scene.submits()
    told = scene.end()
    assert scene.retried() >= 1
    assert (told.interruptions, scene.stays.connections) == (0, 1)


def test_the_supervisor_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill(rig.actor("SupervisorActor").pid)
    scene.goes_on(30)
    told = scene.end()
    assert (told.interruptions, scene.stays.connections, scene.retried()) == (0, 1, 0), "its work is left to everybody"


def test_the_store_server_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill(rig.actor("StoreServerActor").pid)
    scene.goes_on(30)
    assert scene.end().interruptions == 0


def test_every_replica_is_killed(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill(*(actor.pid for actor in rig.actors("ServeReplica")))
    scene.goes_on(30)
    told = scene.end()
    assert (told.interruptions, scene.retried()) == (0, 0)
    assert scene.stays.connections > 1, "its connection broke, and was resumed"


def test_a_regrade_outlives_supervisor_and_evaluator_and_judges_nothing_twice(rig: Rig) -> None:
    course = KilledCourse(rig, learners=4)
    course.publish(6, tier="jail")
    course.submit_all(10, [TWICE, SQUARE])
    course.await_graded(60)
    assert list(course.grades().values()) == [1, 0, 1, 0]
    course.publish(9, tier="jail")
    pids = [rig.actor(cls).pid for cls in ("SupervisorActor", "EvaluatorActor")]
    regrade = course.regrade(dry_run=True)
    rig.await_true(lambda: course.judged(regrade) > 5, 30, "the regrade has begun")
    rig.kill(*pids)
    assert course.judged(regrade) < 40, "they were killed in the middle"
    rig.await_true(lambda: course.report(regrade)["state"] == "ready", 150, "the regrade is ready")
    course.nothing_is_judged_twice(regrade)
    report = course.report(regrade)
    assert (report["total"], report["gained"], report["lost"]) == (40, 2, 2)
    assert list(course.grades().values()) == [1, 0, 1, 0], "it was a dry run"
    assert [course.report(regrade, ":commit")["state"] for _ in range(2)] == ["committed", "committed"]
    assert list(course.grades().values()) == [0, 1, 0, 1]
    events = [event["type"] for event in rig.logs()[f"assignments/{regrade}"]]
    assert events.count("regrade.committed") == 1


def test_everything_is_killed_at_once_and_started_again(rig: Rig) -> None:
    scene = Scene(rig)
    rig.kill_everything()
    rig.start()
    scene.goes_on(timeout_s=90)
    told = scene.end()
    assert told.interruptions == 1
    assert scene.stays.connections > 1
