"""The head killed, with what Ray knows of the cluster kept in Redis, and started again: the cluster profile."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rlplatform.testing.redis_server import RedisServer, installed
from tests.chaos.nodes import DASHBOARD_PORT, GCS_PORT, Network, clean_environment, possible
from tests.chaos.rig import Rig, Scene
from tests.conftest import Missing

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
API_PORT = 8010


class Deployed(Rig):
    """A head and a worker; ``serve deploy`` of the shipped file. Clients speak to the worker, where trainings are."""

    def __init__(self, folder: Path, network: Network, redis: RedisServer) -> None:
        self._nodes = [network.add(), network.add()]
        head, worker = self._nodes
        environment = {
            "RAY_AUTH_MODE": "disabled",
            "RLP_CLUSTER__ADDRESS": f"{head.address}:{GCS_PORT}",
            "RLP_STORE__URL": redis.url,
            "RLP_STATE_DIR": str(folder),
            "RLP_SANDBOX__STATE_DIR": str(folder / "sandbox"),
            "RLP_TRAINING__CHECKPOINT_URL": str(folder / "checkpoints"),
            "RLP_TRAINING__WARM_TRAINERS": "0",
            "RLP_ACCESS__PEPPER": "pepper",
        }
        super().__init__(folder, environment, head.with_timeout, environment["RLP_CLUSTER__ADDRESS"])
        self._keeps = environment | {"RAY_REDIS_ADDRESS": redis.url.removeprefix("redis://").removesuffix("/0")}
        self._worker_keeps = environment
        self.worker = worker

    def start(self) -> None:
        head, worker = self._nodes
        self.start_head()
        worker.start("--num-cpus=2", environment=self._worker_keeps, head=head)
        config = yaml.safe_load((ROOT / "cluster" / "serve.yaml").read_text())
        config["http_options"] |= {"port": API_PORT}
        for application in config["applications"]:
            if application["name"] == "api":
                application["args"]["num_replicas"] = 1  # none is asked for anything while the head is away
        file = self.folder / "serve.yaml"
        file.write_text(yaml.safe_dump(config))
        head.await_port(DASHBOARD_PORT)
        self._run("serve", "deploy", str(file), "--address", f"http://{head.address}:{DASHBOARD_PORT}")
        scopes = [f"--scope={scope}" for scope in ("train", "read", "evaluate")]
        key = self._run("python", "-m", "cluster.operate", "key", "--tenant=t", "--name=n", *scopes)
        self.local = {"url": f"http://{worker.address}:{API_PORT}", "api_key": key.strip().splitlines()[-1]}
        self.call("GET", "/readyz", timeout_s=120)
        self.await_true(self._streams_on_every_node, 60, "a replica for streams is on either node")

    def _streams_on_every_node(self) -> bool:
        replicas = [actor.pid for actor in self.actors("ServeReplica:streams")]
        return all(node.pids().intersection(replicas) for node in self._nodes)

    def start_head(self) -> None:
        self._nodes[0].start("--num-cpus=1", '--resources={"sandbox": 1}', environment=self._keeps)

    def kill_head(self) -> None:
        self._forget_probe()
        self._nodes[0].kill()

    def stop(self) -> None:
        """Drain, and nothing may be left."""
        self._run("python", "-m", "cluster.operate", "drain")
        assert not self.containers()
        self._forget_probe()

    def _run(self, *command: str) -> str:
        arguments = [*self._within, str(Path(sys.executable).with_name(command[0])), *command[1:]]
        environment = {**clean_environment(), **self._environment, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=180
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def rig(engine: None, folder: Path, missing: Missing, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    if not possible() or not installed():
        missing("needs the right to make network namespaces, and redis-server")
    network = Network()
    redis = RedisServer(tmp_path_factory.mktemp("redis"), host=network.host)
    try:
        redis.start()
        rig = Deployed(folder, network, redis)
        rig.start()
        yield rig
        rig.stop()
    finally:
        network.close()
        redis.kill()


def test_the_head_is_killed_and_comes_back(rig: Deployed) -> None:
    scene = Scene(rig)
    assert rig.trainer(scene.training) in rig.worker.pids()
    rig.kill_head()
    scene.goes_on(30)  # without a head: the replica for streams that is left tells of them
    time.sleep(5)
    rig.start_head()
    scene.goes_on(30)
    scene.submits(timeout_s=120)
    assert scene.end().interruptions == 0, "the trainer was not on the head"
