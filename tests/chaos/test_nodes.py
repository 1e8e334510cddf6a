"""Whole nodes lost: killed, and cut off from the others while their trainer works and still reaches the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlplatform.testing.redis_server import RedisServer, installed
from tests.chaos import processes
from tests.chaos.nodes import GCS_PORT, Network, Node, possible
from tests.chaos.rig import Rig, Scene, cpu_s
from tests.conftest import Missing

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def network(missing: Missing) -> Iterator[Network]:
    if not possible():
        missing("nodes of their own need the right to make network namespaces")
    network = Network()
    yield network
    network.close()


@pytest.fixture(scope="module")
def redis(network: Network, tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> Iterator[RedisServer]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path_factory.mktemp("redis"), host=network.host)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def nodes(network: Network) -> list[Node]:
    """A head that has sandboxes and no room for a trainer, and two workers that have room for one each."""
    head, *workers = (network.add() for _ in range(3))
    head.start("--num-cpus=1", '--resources={"sandbox": 1}', environment={})
    for worker in workers:
        worker.start("--num-cpus=2", environment={}, head=head)
    return [head, *workers]


@pytest.fixture(scope="module")
def rig(engine: None, folder: Path, redis: RedisServer, nodes: list[Node]) -> Iterator[Rig]:
    head = nodes[0]
    address = f"{head.address}:{GCS_PORT}"
    environment = {
        "RAY_AUTH_MODE": "disabled",
        "RLP_CLUSTER__ADDRESS": address,
        "RLP_CLUSTER__INGRESS": "proxy",
        "RLP_API__HOST": head.address,
        "RLP_STORE__URL": redis.url,
        "RLP_TRAINING__WARM_TRAINERS": "0",
    }
    rig = Rig(folder, environment, head.with_timeout, address)
    try:
        rig.start()
        yield rig
        rig.stop()
    finally:
        rig.close()


def holder(nodes: list[Node], pid: int) -> Node:
    (found,) = (node for node in nodes if pid in node.pids())
    return found


def test_a_worker_is_killed(rig: Rig, nodes: list[Node]) -> None:
    scene = Scene(rig)
    node = holder(nodes, rig.trainer(scene.training))
    node.kill()
    rig.wait(scene.training, lambda now: now["restarts"] >= 1, 90)
    scene.goes_on(timeout_s=90)
    assert holder(nodes, rig.trainer(scene.training)) is not node
    assert scene.end().interruptions in (1, 2), "the next one may be sent there, too, before Ray notices"
    node.start("--num-cpus=2", environment={}, head=nodes[0])


def test_a_worker_is_cut_off_and_its_trainer_is_fenced(rig: Rig, network: Network, nodes: list[Node]) -> None:
    scene = Scene(rig)
    old = rig.trainer(scene.training)
    node = holder(nodes, old)
    others = [other for other in nodes if other is not node]
    network.cut(node, others)
    scene.goes_on(30)  # the old owner, which reaches the store and does not know
    rig.wait(scene.training, lambda now: now["restarts"] == 1, 120)
    scene.goes_on(timeout_s=120)
    assert processes.alive(old), "two owners at once"
    rig.await_true(lambda: idle(old), 30, "the old owner has noticed, and stopped")
    assert scene.end().interruptions == 1
    network.heal(node, others)
    assert not processes.await_gone([old], 120), "its node learns that it was given up, and ends what it had"


def idle(pid: int) -> bool:
    if not processes.alive(pid):
        return True
    before = cpu_s(pid)
    time.sleep(1.0)
    return cpu_s(pid) - before < 0.3
