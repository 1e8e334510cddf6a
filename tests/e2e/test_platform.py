"""The running platform, driven as its users drive it: raw HTTP, server-sent events, WebSocket, and the command line."""

import json
import os
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker
import httpx2 as httpx
import numpy as np
import onnxruntime
import pytest
from websockets.sync.client import connect

from rlplatform.free_ports import free_ports
from rlplatform.testing.collector import TraceCollector
from rlplatform.training.policy_evaluation import evaluate_policy
from tests.conftest import Missing
from tests.e2e.edge import check_edge
from tests.e2e.platform import RLP, RunningPlatform, descendants

pytestmark = [pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(240)]

SUBMISSION = {
    "source": "print(int(input()) * 2)",
    "tests": [
        {"id": "small", "stdin": "2\n", "expected_stdout": "4\n"},
        {"id": "wrong", "stdin": "3\n", "expected_stdout": "7\n", "points": 2},
        {"id": "secret", "stdin": "21\n", "expected_stdout": "42\n", "hidden": True},
    ],
}


@pytest.fixture(scope="module", autouse=True)
def _engine(missing: Missing) -> None:
    try:
        docker.from_env().ping()
    except docker.errors.DockerException as error:
        missing(f"no Docker engine: {error}")


@pytest.fixture(scope="module")
def collector() -> Iterator[TraceCollector]:
    with TraceCollector() as collector:
        yield collector


@pytest.fixture(scope="module")
def environment(collector: TraceCollector) -> dict[str, str]:
    return {"RLP_TRACES__ENDPOINT": collector.endpoint}


def sse(platform: RunningPlatform, path: str, *, after: int = 0, most: int | None = None) -> Iterator[tuple[int, Any]]:
    """Events as a curl-like client reads them: ``id:`` and ``data:`` lines; hangs up after ``most``."""
    headers = {"Last-Event-ID": str(after)} if after else {}
    seen = 0
    with platform.http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        number = 0
        for line in response.iter_lines():
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                yield number, json.loads(line[6:])
                seen += 1
                if seen == most:
                    return


def traced(platform: RunningPlatform, path: str, body: dict[str, Any]) -> tuple[str, str]:
    """Create a run within a trace of our own; return the trace and the id of the run."""
    trace = uuid4().hex
    response = platform.http.post(path, json=body, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert response.status_code == 202, response.text
    return trace, str(response.json()["id"])


def test_a_trace_follows_an_evaluation_from_its_request_to_its_container(
    platform: RunningPlatform, collector: TraceCollector
) -> None:
    secret = f"rlp_{'0' * 26}_{'s' * 43}"
    body = {**SUBMISSION, "source": f"print(int(input()) * 2)  # {secret}"}
    trace, run = traced(platform, "/v1/evaluations", body)
    wanted = {"POST /v1/evaluations", "submit_evaluation", "evaluation", "evaluate", "judge", "container", "test"}
    found = collector.wait(trace, lambda spans: wanted <= {span.name for span in spans})
    assert {span.process for span in found} == {"api", "supervisor", "evaluator", "store"}
    tests = [span for span in found if span.name == "test"]
    assert [span.attributes["rlp.test"] for span in tests] == ["small", "wrong", "secret"]
    around = [span.name for span in collector.ancestors(tests[0], found)]
    assert around[:4] == ["container", "judge", "evaluate", "evaluation"]
    assert around[-1] == "POST /v1/evaluations"
    (evaluation,) = (span for span in found if span.name == "evaluation")
    assert (evaluation.attributes["rlp.run"], evaluation.attributes["rlp.tenant"]) == (run, "local")
    told = b"".join(collector.raw)
    pepper = (platform.folder / ".rlp" / "pepper").read_text()
    for planted in (secret, platform.local["api_key"], pepper, "int(input())"):
        assert planted.encode() not in told


def test_a_trace_follows_a_training_from_its_request_to_its_iterations(
    platform: RunningPlatform, collector: TraceCollector
) -> None:
    body = {"env": "CartPole-v1", "engine": "simulated", "stop": {"iterations": 4}}
    trace, run = traced(platform, "/v1/trainings", body)
    wanted = {"POST /v1/trainings", "training", "trainer"}
    found = collector.wait(trace, lambda spans: wanted <= {span.name for span in spans})
    iterations = [span for span in found if span.name == "iteration"]
    assert [span.attributes["rlp.iteration"] for span in iterations] == [1, 2, 3, 4]
    assert {span.process for span in iterations} == {"trainer"}
    around = [span.name for span in collector.ancestors(iterations[0], found)]
    assert around[:2] == ["trainer", "training"]
    assert around[-1] == "POST /v1/trainings"
    assert "placement" in {span.name for span in found if span.process == "supervisor"}
    assert next(span for span in found if span.name == "training").attributes["rlp.run"] == run


def start(platform: RunningPlatform, **request: Any) -> str:
    response = platform.http.post("/v1/trainings", json={"env": "CartPole-v1", **request})
    assert response.status_code == 202, response.text
    training = response.json()
    assert response.headers["location"] == f"/v1/trainings/{training['id']}"
    return str(training["id"])


def wait_for(platform: RunningPlatform, training_id: str, *states: str, within_s: float = 90) -> dict[str, Any]:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        training: dict[str, Any] = platform.http.get(f"/v1/trainings/{training_id}").json()
        if training["state"] in states:
            return training
        time.sleep(0.05)
    raise AssertionError(f"not {states} within {within_s} s: {training}")


def test_a_submission_gets_its_verdicts(platform: RunningPlatform) -> None:
    response = platform.http.post("/v1/evaluations?wait=30", json=SUBMISSION)
    assert response.status_code == 200, response.text
    evaluation = response.json()
    assert (evaluation["state"], evaluation["verdict"]) == ("finished", "wrong_answer")
    assert (evaluation["score"], evaluation["max_score"]) == (2.0, 4.0)
    small, wrong, secret = evaluation["tests"]
    assert [test["verdict"] for test in (small, wrong, secret)] == ["accepted", "wrong_answer", "accepted"]
    assert small["stdout"] == "4\n"
    assert small["cpu_time_s"] > 0
    assert small["peak_memory_bytes"] > 0
    assert evaluation["sandbox"]["tier"] == "single-use"
    assert (secret["hidden"], secret["stdout"]) == (True, "42\n"), "the key is staff's"
    key = platform.http.post("/v1/keys", json={"name": "learner", "role": "learner"}).json()["api_key"]
    learner = {"Authorization": f"Bearer {key}"}
    *_, secret = platform.http.post("/v1/evaluations?wait=30", json=SUBMISSION, headers=learner).json()["tests"]
    assert {name: value for name, value in secret.items() if value not in (None, False)} == {
        "id": "secret",
        "verdict": "accepted",
        "points": 1.0,
        "hidden": True,
    }


def test_uploaded_files_reach_programs_and_large_ones_take_no_memory(platform: RunningPlatform) -> None:
    block = b"".join(b"%d %d\n" % (number, number * number) for number in range(50_000))
    whole = (block * (64 * 2**20 // len(block) + 1))[: 64 << 20]
    archive = platform.folder / "program.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("hw1/main.py", READS)
        opened.writestr("hw1/sizes.py", "LIMIT = 20 << 20\n")
    for name, content in (("1.in", whole), ("1.ans", whole[: 20 << 20]), ("w.bin", bytes(range(256)))):
        (platform.folder / name).write_bytes(content)
    ids = platform.rlp("files", "put", "program.zip", "1.in", "1.ans", "w.bin").stdout.split()
    program, stdin, expected, weights = ({"file": file_id} for file_id in ids)
    (evaluator,) = (pid for pid in descendants(platform.process.pid) if title(pid).startswith("ray::EvaluatorActor"))
    before = peak_bytes(evaluator)
    request = {
        "source": program,
        "data": [{"path": "model/w.bin", **weights}],
        "tests": [{"id": "large", "stdin": stdin, "expected_stdout": expected}],
        "limits": {"cpu_time_s": 20, "wall_time_s": 60, "output_kib": 32 << 10},
    }
    response = platform.http.post("/v1/evaluations?wait=60", json=request)
    assert response.status_code == 200, response.text
    (result,) = response.json()["tests"]
    assert (result["verdict"], result["stderr"]) == ("accepted", f"{64 << 20} 32640\n"), result
    assert peak_bytes(evaluator) - before < 100 << 20
    assert platform.rlp("files", "rm", *ids).returncode == 0
    refused = platform.http.post("/v1/evaluations", json=request)
    assert (refused.status_code, refused.json()["field"]) == (422, "source")


READS = """
import sys
from sizes import LIMIT
size = 0
while chunk := sys.stdin.buffer.read(1 << 20):
    size += len(chunk)
    if size <= LIMIT:
        sys.stdout.buffer.write(chunk)
print(size, sum(open("model/w.bin", "rb").read()), file=sys.stderr)
"""


def title(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def peak_bytes(pid: int) -> int:
    """The highest resident size that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


def test_every_step_of_an_evaluation_is_an_event(platform: RunningPlatform) -> None:
    evaluation_id = platform.http.post("/v1/evaluations", json=SUBMISSION).json()["id"]
    events = list(sse(platform, f"/v1/evaluations/{evaluation_id}/events"))
    assert [number for number, _ in events] == list(range(1, len(events) + 1))
    assert [event["type"] for _, event in events] == [
        "evaluation.queued",
        "evaluation.started",
        *["evaluation.test_finished"] * 3,
        "evaluation.finished",
    ]
    secret = [event["result"] for _, event in events if event["type"].endswith("test_finished")][2]
    assert (secret["hidden"], secret["stdout"]) == (True, "42\n"), "the key is staff's"


@pytest.mark.parametrize(
    ("source", "limits", "verdict"),
    [
        ("while True: pass", {"cpu_time_s": 0.5, "wall_time_s": 3}, "time_limit_exceeded"),
        ("import time; time.sleep(60)", {"cpu_time_s": 0.5, "wall_time_s": 1}, "time_limit_exceeded"),
        ("x = bytearray(512 << 20)", {"memory_mib": 64}, "memory_limit_exceeded"),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", {"output_kib": 64}, "output_limit_exceeded"),
        (
            "import os\nwhile True: os.fork()",
            {"processes": 8},
            "runtime_error",
        ),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 2)", {}, "runtime_error"),
        ("print(", {}, "compile_error"),
    ],
)
def test_limits_bite(platform: RunningPlatform, source: str, limits: dict[str, float], verdict: str) -> None:
    request = {"source": source, "limits": limits, "tests": [{"id": "t", "expected_stdout": None}]}
    evaluation = platform.http.post("/v1/evaluations?wait=30", json=request).json()
    assert evaluation.get("verdict") == verdict, evaluation


def test_reconnecting_clients_miss_nothing_and_see_nothing_twice(platform: RunningPlatform) -> None:
    training_id = start(platform, engine="simulated", stop={"iterations": 300}, checkpoint={"every_iterations": 50})
    path = f"/v1/trainings/{training_id}/events"
    whole: list[tuple[int, Any]] = []
    while not whole or whole[-1][1]["type"] != "training.succeeded":
        whole += sse(platform, path, after=whole[-1][0] if whole else 0, most=37)
    assert [number for number, _ in whole] == list(range(1, len(whole) + 1))
    assert list(sse(platform, path)) == whole  # after it ended, from the beginning
    assert all(event["simulated"] is True for _, event in whole)
    socket: list[Any] = []
    while not socket or socket[-1]["type"] != "training.succeeded":
        socket += live(platform, f"trainings/{training_id}", after=socket[-1]["seq"] if socket else 0, most=101)
    assert socket == [event for _, event in whole]


def live(platform: RunningPlatform, stream: str, *, after: int, most: int) -> list[Any]:
    """Events over one WebSocket connection, which is cut after ``most``."""
    headers = {"Authorization": f"Bearer {platform.local['api_key']}"}
    found = []
    with connect(platform.local["url"].replace("http", "ws") + "/v1/live", additional_headers=headers) as socket:
        socket.send(json.dumps({"type": "subscribe", "stream": stream, "after": after}))
        while len(found) < most:
            message = json.loads(socket.recv(timeout=30))
            if message.get("stream") == stream and "seq" in message:
                found.append(message)
                if message["type"] == "training.succeeded":
                    break
    return found


def test_rllib_learns_cartpole(platform: RunningPlatform) -> None:
    stop = {"env_steps": 150_000, "episode_return_mean": 475}
    training_id = start(platform, preset="CartPole-v1", seed=1, stop=stop)
    events = [event for _, event in sse(platform, f"/v1/trainings/{training_id}/events")]
    assert events[-1]["type"] == "training.succeeded", events[-1]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    steps = [event["env_steps"] for event in events if event["type"] == "training.iteration_completed"]
    assert steps == sorted(steps)
    training = platform.http.get(f"/v1/trainings/{training_id}").json()
    assert training["evaluation"]["episode_return_mean"] >= 475
    assert training["simulated"] is False
    assert training["checkpoint"]["size_bytes"] > 0


def test_a_training_pauses_resumes_and_stops(platform: RunningPlatform) -> None:
    training_id = start(platform, stop={"env_steps": 10**9})
    wait_for(platform, training_id, "running")
    for command, state in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert platform.http.post(f"/v1/trainings/{training_id}/{command}").status_code == 202
        wait_for(platform, training_id, state)
    assert platform.http.post(f"/v1/trainings/{training_id}/stop").status_code == 202
    refused = platform.http.post(f"/v1/trainings/{training_id}/pause")
    assert refused.status_code == 409
    assert refused.json()["state"] == "stopped"


def test_the_command_line(platform: RunningPlatform) -> None:
    (platform.folder / "double.py").write_text("print(int(input()) * 2)\n")
    accepted = platform.rlp("evaluate", "double.py", "--stdin", "4", "--expect", "8", "--json")
    assert accepted.returncode == 0, accepted.stderr
    assert json.loads(accepted.stdout.splitlines()[-1])["verdict"] == "accepted"
    assert platform.rlp("evaluate", "double.py", "--stdin", "4", "--expect", "9").returncode == 1

    trained = platform.rlp("train", "--env", "CartPole-v1", "--engine", "simulated", "--env-steps", "5000", "--json")
    assert trained.returncode == 0, trained.stderr
    summary = json.loads(trained.stdout.splitlines()[-1])
    assert summary["type"] == "summary"
    assert summary["state"] == "succeeded"
    assert summary["env_steps"] >= 5000
    assert summary["evaluation"]["episodes"] > 0
    assert summary["simulated"] is True

    listed = platform.rlp("runs", "ls", "--json")
    assert summary["training_id"] in listed.stdout
    shown = json.loads(platform.rlp("runs", "show", summary["training_id"], "--json").stdout)
    assert shown["id"] == summary["training_id"]
    watched = platform.rlp("runs", "watch", summary["training_id"], "--json").stdout.splitlines()
    assert json.loads(watched[0])["seq"] == 1

    detached = platform.rlp(
        "train", "--env", "CartPole-v1", "--engine", "simulated", "--env-steps", "1000000000", "--detach"
    )
    training_id = detached.stdout.strip()
    assert platform.rlp("runs", "stop", training_id).returncode == 0
    wait_for(platform, training_id, "stopped")

    unknown = platform.rlp("train", "--env", "CartPole-v2", "--env-steps", "100")
    assert unknown.returncode == 2
    assert "CartPole-v1" in unknown.stderr
    assert platform.rlp("runs", "show", training_id[:-1] + "0").returncode == 4
    assert platform.rlp("runs", "ls", "--api-key", "rlp_wrong").returncode == 3
    doctor = platform.rlp("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


def test_haproxy_lets_nothing_strange_through(platform: RunningPlatform) -> None:
    check_edge(platform)


def test_a_published_policy_acts_as_it_was_evaluated(platform: RunningPlatform, tmp_path: Path) -> None:
    training_id = start(platform, seed=3, stop={"env_steps": 6000}, evaluation={"episodes": 8})
    done = wait_for(platform, training_id, "succeeded", "failed")
    assert done["state"] == "succeeded", done
    published = platform.rlp("policy", "publish", training_id, "--last", "--json")
    assert published.returncode == 0, published.stderr
    policy = json.loads(published.stdout)
    assert (policy["checkpoint_id"], policy["observation_space"]["shape"]) == (done["checkpoint"]["id"], [4])

    def ask(observations: Any) -> httpx.Response:
        response = platform.http.post(f"/v1/policies/{policy['id']}/act", json={"observations": observations.tolist()})
        assert response.status_code == 200, response.text
        return response

    def act(observations: Any) -> Any:
        return np.array(ask(observations).json()["actions"])

    report = evaluate_policy(act, "CartPole-v1", {}, 8, 3)
    assert report.model_dump() == done["evaluation"]
    observations = np.random.default_rng(0).normal(0, 0.3, (200, 1, 4))
    together = act(observations[:, 0])
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(ask, observations))
    assert [answer.json()["actions"][0] for answer in answers] == together.tolist()
    assert len(set(together.tolist())) == 2
    batches = [int(answer.headers["server-timing"].partition('desc="')[2].partition(" ")[0]) for answer in answers]
    assert max(batches) > 1, "no two requests were computed together"
    exported = platform.rlp("policy", "export", policy["id"], "-o", str(tmp_path / "policy.onnx"))
    assert exported.returncode == 0, exported.stderr
    session = onnxruntime.InferenceSession(tmp_path / "policy.onnx", providers=["CPUExecutionProvider"])
    model = session.run(None, {"observation": observations[:, 0].astype(np.float32)})[0]
    assert model.tolist() == together.tolist()


def test_a_back_up_of_the_running_platform_holds_every_stream(platform: RunningPlatform) -> None:
    """Back up during a training that makes checkpoints and removes old ones; restore the copy elsewhere."""
    training_id = start(
        platform,
        engine="simulated",
        env_config={"simulated_iteration_s": 0.02},
        stop={"iterations": 10**6},
        checkpoint={"every_iterations": 2},
    )
    wait_for(platform, training_id, "running")
    made = platform.rlp("admin", "backup", "copy", "--json")
    assert made.returncode == 0, made.stdout + made.stderr
    ongoing = platform.http.get(f"/v1/trainings/{training_id}").json()
    assert ongoing["state"] == "running"
    load = json.loads(platform.rlp("admin", "top", "--once", "--json").stdout)
    assert load["last_backup_at"] == json.loads(made.stdout)["created_at"]
    assert {one["tenant"]: one["running_trainings"] for one in load["tenants"]} == {"local": 1}
    platform.http.post(f"/v1/trainings/{training_id}/stop")
    wait_for(platform, training_id, "stopped")

    elsewhere = platform.folder / "elsewhere"
    settings = {
        "RLP_STATE_DIR": str(elsewhere),
        "RLP_STORE__URL": f"sqlite:///{elsewhere}/platform.db",
        "RLP_TRAINING__CHECKPOINT_URL": str(elsewhere / "checkpoints"),
        "RLP_API__PORT": str(free_ports(1)[0]),
    }
    restored = subprocess.run(
        [RLP, "admin", "restore", str(platform.folder / "copy")],
        env={**os.environ, **settings},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert restored.returncode == 0, restored.stderr
    with sqlite3.connect(elsewhere / "platform.db") as copy:
        rows = copy.execute("SELECT run_id, data FROM events ORDER BY run_id, seq").fetchall()
    copy.close()
    streams: dict[str, list[Any]] = {}
    for run_id, data in rows:
        streams.setdefault(run_id, []).append(json.loads(data))
    assert {"queued", "iteration_completed"} <= {e["type"].partition(".")[2] for e in streams[training_id]}
    for run_id, events in streams.items():
        kind = {"eval": "evaluations", "train": "trainings"}.get(run_id.partition("_")[0])
        if kind is not None:
            live_events = [event for _, event in sse(platform, f"/v1/{kind}/{run_id}/events")]
            assert live_events[: len(events)] == events, run_id
            assert run_id == training_id or len(live_events) == len(events)
    checkpoints = list((elsewhere / "checkpoints" / training_id).iterdir())
    assert checkpoints, "the newest checkpoints are in the copy"


def test_nothing_is_left_when_it_ends(platform: RunningPlatform) -> None:
    training_id = start(platform, stop={"env_steps": 10**9})
    wait_for(platform, training_id, "running")
    left = {platform.process.pid} | descendants(platform.process.pid)
    assert len(left) > 5
    owners = platform.http.get("/readyz").json()
    assert owners["status"] == "ready"
    assert platform.stop() == 0, platform.log.read_text()
    deadline = time.monotonic() + 15
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if alive(pid)}
        time.sleep(0.2)
    assert not left
    assert not (platform.folder / ".rlp" / "local.json").exists()
    assert not list((platform.folder / ".rlp").glob("platform.db-*")), "the store was not closed"
    assert ours(platform) == []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ours(platform: RunningPlatform) -> list[str]:
    """Containers with a bind into the platform's folder."""
    containers = docker.from_env().containers.list(all=True)
    return [c.id for c in containers if any(str(platform.folder) in (m.get("Source") or "") for m in c.attrs["Mounts"])]
