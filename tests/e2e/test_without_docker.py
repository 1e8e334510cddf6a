"""A platform with no Docker engine in reach: evaluation is unavailable and says why; training works."""

import pytest

from tests.e2e.edge import check_edge
from tests.e2e.platform import RunningPlatform

pytestmark = [pytest.mark.e2e, pytest.mark.ray, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return {
        "RLP_SANDBOX__DOCKER_HOST": "unix:///nowhere/docker.sock",
        "RLP_TRAINING__ALLOW_SIMULATED": "false",
        "RLP_CLUSTER__INGRESS": "proxy",
    }


def test_an_evaluation_is_refused_and_told_why(platform: RunningPlatform) -> None:
    request = {"source": "print(1)", "tests": [{"id": "t", "expected_stdout": "1"}]}
    response = platform.http.post("/v1/evaluations", json=request)
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "sandbox_unavailable"
    assert "/nowhere/docker.sock" in problem["detail"]
    assert f"of local: 503 [{problem['request_id']}]" in (platform.folder / ".rlp/audit.log").read_text()
    ready = platform.http.get("/readyz")
    assert ready.status_code == 200  # for trainings it is
    assert ready.json()["status"] == "degraded"
    assert {entry["name"]: entry["ok"] for entry in ready.json()["dependencies"]}["sandbox"] is False


def test_serves_own_proxy_lets_nothing_strange_through(platform: RunningPlatform) -> None:
    check_edge(platform)


def test_training_works(platform: RunningPlatform) -> None:
    done = platform.rlp("train", "--env", "CartPole-v1", "--env-steps", "3000", "--json")
    assert done.returncode == 0, done.stderr


def test_the_simulated_engine_is_refused_where_it_is_switched_off(platform: RunningPlatform) -> None:
    request = {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 100}}
    response = platform.http.post("/v1/trainings", json=request)
    assert response.status_code == 403
    assert "ALLOW_SIMULATED" in response.json()["detail"]


def test_a_second_platform_on_the_same_folder_is_refused(platform: RunningPlatform) -> None:
    second = platform.rlp("serve")
    assert second.returncode == 5
    assert "runs already" in second.stdout + second.stderr
