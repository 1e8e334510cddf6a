"""The cluster profile for real: Redis, a Ray cluster that wants its token, ``serve deploy`` of the shipped file, the
operator's commands. On one machine; several nodes are not tried here."""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
import yaml

from cluster import ingress
from cluster.doctor import network
from rlplatform.free_ports import free_ports
from rlplatform.settings import ClusterSettings, Settings
from rlplatform.testing.redis_server import installed, redis_server

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
pytestmark = [pytest.mark.ray, pytest.mark.e2e, pytest.mark.timeout(180)]

NODE = """
import json, sys, ray
ray.init(address="local", num_cpus=4, dashboard_host="127.0.0.1", dashboard_port=int(sys.argv[1]),
         log_to_driver=False, logging_level="ERROR")
print(json.dumps(ray.get_runtime_context().gcs_address), flush=True)
sys.stdin.read()
"""


class Cluster(NamedTuple):
    """A running cluster: ``environment`` is that of its nodes."""

    environment: dict[str, str]
    dashboard_port: int
    api: str

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        arguments = [str(BIN / command[0]), *command[1:]]
        done = subprocess.run(
            arguments, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def ask(self, path: str, key: str = "", body: object = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self.api + path, data, headers), timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, text
        except OSError as error:
            return 0, str(error)

    def wait(self, reached: Any, within_s: float = 60.0) -> dict[str, dict[str, Any]]:
        deadline = time.monotonic() + within_s
        while True:
            status, body = self.ask("/readyz")
            if isinstance(body, dict) and "dependencies" in body:
                found = {entry["name"]: entry for entry in body["dependencies"]}
                if reached(found):
                    return found
            assert time.monotonic() < deadline, f"{status}: {body}"
            time.sleep(0.2)


def profile() -> dict[str, str]:
    lines = (ROOT / "cluster" / "profile.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def cluster(missing: Callable[[str], NoReturn], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not installed():
        missing("no redis-server")
    folder = tmp_path_factory.mktemp("cluster")
    token = folder / "ray_token"
    token.write_text("0123456789abcdef" * 4)
    api, dashboard = free_ports(2)
    with redis_server(folder) as redis, tempfile.TemporaryDirectory(prefix="rlp-") as short:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "RLP_"))},
            **profile(),
            **ingress.environment("haproxy", Path(short)),  # a socket's path must be short
            "HOME": str(folder),
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RLP_STORE__URL": redis,
            "RLP_ACCESS__PEPPER": "pepper",
            "RLP_STATE_DIR": str(folder),
            "RLP_TRAINING__CHECKPOINT_URL": str(folder / "checkpoints"),
            "RLP_TRAINING__WARM_TRAINERS": "0",
        }
        with subprocess.Popen(
            [sys.executable, "-c", NODE, str(dashboard)],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as node:
            assert node.stdout is not None
            environment["RLP_CLUSTER__ADDRESS"] = json.loads(node.stdout.readline())
            config = yaml.safe_load((ROOT / "cluster" / "serve.yaml").read_text())
            config["http_options"] |= {"host": "127.0.0.1", "port": api}
            for application in config["applications"]:
                application["args"]["num_replicas"] = 1
            (folder / "serve.yaml").write_text(yaml.safe_dump(config))
            cluster = Cluster(environment, dashboard, f"http://127.0.0.1:{api}")
            cluster.run("serve", "deploy", str(folder / "serve.yaml"), f"--address=http://127.0.0.1:{dashboard}")
            yield cluster


def test_it_comes_up_refuses_simulated_trainings_and_bears_a_drain(cluster: Cluster) -> None:
    def ready(found: dict[str, dict[str, Any]]) -> bool:
        return found["store"]["ok"] and found["ray"]["ok"]

    assert not cluster.wait(ready)["sandbox"]["ok"]  # no node has the resource

    scopes = ["--scope=train", "--scope=read"]
    key = cluster.run("python", "-m", "cluster.operate", "key", "--tenant=t", "--name=n", *scopes).stdout.strip()
    assert cluster.ask("/v1/trainings", key)[0] == 200
    assert cluster.ask("/v1/trainings", "rlp_nobody")[0] == 401
    simulated = {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 1000}}
    status, problem = cluster.ask("/v1/trainings", key, simulated)
    assert status == 403
    assert "simulated" in problem["detail"]

    cluster.run("python", "-m", "cluster.operate", "drain")
    cluster.wait(lambda found: not found["ray"]["ok"])
    elsewhere = {**cluster.environment}
    del elsewhere["RLP_STORE__URL"]  # as in a shell that lacks the secrets of the nodes
    refused = cluster._replace(environment=elsewhere).run("python", "-m", "cluster.operate", "start", check=False)
    assert refused.returncode == 5
    assert "would start on an empty store" in refused.stderr
    assert not cluster.wait(lambda found: True)["ray"]["ok"]
    cluster.run("python", "-m", "cluster.operate", "start")
    cluster.wait(ready)
    assert cluster.ask("/v1/trainings", key)[0] == 200


def test_the_supervisor_reports_to_prometheus(cluster: Cluster) -> None:
    token = Path(cluster.environment["RAY_AUTH_TOKEN_PATH"]).read_text()
    discovery = f"http://127.0.0.1:{cluster.dashboard_port}/api/prometheus/sd"
    asked = urllib.request.Request(discovery, headers={"Authorization": f"Bearer {token}"})
    wanted = {"ray_rlp_evaluations_queued{", 'state="running"'}
    deadline = time.monotonic() + 40  # Ray exports each 10 s
    while wanted:
        assert time.monotonic() < deadline, wanted
        time.sleep(1)
        with urllib.request.urlopen(asked, timeout=5) as answer:
            targets = [target for group in json.load(answer) for target in group["targets"]]
        for target in targets:
            with suppress(OSError), urllib.request.urlopen(f"http://{target}/metrics", timeout=5) as answer:
                exported = answer.read().decode()
                wanted = {text for text in wanted if text not in exported}


def test_the_dashboard_wants_the_token(cluster: Cluster) -> None:
    asked = Settings(cluster=ClusterSettings(dashboard_port=cluster.dashboard_port))
    assert network.listens("127.0.0.1", cluster.dashboard_port)
    assert network.ray_auth(asked).status == "ok"
