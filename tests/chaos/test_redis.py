"""A platform whose store is a Redis that dies and comes back with what its append-only file holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlplatform.testing.redis_server import RedisServer, installed
from tests.chaos.rig import Rig, Scene
from tests.conftest import Missing

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> Iterator[RedisServer]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    server = RedisServer(Path(tmp_path_factory.mktemp("redis")), durable=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def environment(redis: RedisServer) -> dict[str, str]:
    return {"RLP_STORE__URL": redis.url}


def test_redis_is_killed_and_comes_back(rig: Rig, redis: RedisServer) -> None:
    scene = Scene(rig)
    redis.kill()
    time.sleep(5)
    redis.start()
    scene.goes_on(30)
    assert scene.end().interruptions == 0


def test_the_trainer_and_the_supervisor_are_killed_while_redis_is_away(rig: Rig, redis: RedisServer) -> None:
    scene = Scene(rig)
    trainer, supervisor = rig.trainer(scene.training), rig.actor("SupervisorActor").pid
    redis.kill()
    known = committed(rig)
    rig.await_true(lambda: committed(rig) - known, 30, "a checkpoint that the log does not know")
    rig.kill(trainer, supervisor)
    time.sleep(5)
    redis.start()
    scene.goes_on(timeout_s=90)
    assert scene.end().interruptions == 1


def committed(rig: Rig) -> set[Path]:
    """The manifests of all checkpoints."""
    return set((rig.folder / ".rlp" / "checkpoints").rglob("manifest.json"))
