"""``/v1/environments``: uploaded environments, from the upload to the report on their contract."""

from __future__ import annotations

from typing import Any

import pytest

from rlplatform.evaluation.events import EvaluationFinished, EvaluationStarted
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.testing.files import MemoryFiles
from rlplatform.training.models import TrainingState

pytestmark = pytest.mark.anyio

GRID = {"entry": "grid:GridWorld", "files": [{"path": "grid.py", "content": "class GridWorld: ..."}]}
SPACES = {
    "observation": {"kind": "box", "shape": [4], "dtype": "float32", "low": -1.0, "high": 1.0},
    "action": {"kind": "discrete", "n": 2, "start": 0},
}
FACTS: dict[str, Any] = {
    "spaces": {"spaces": SPACES, "max_episode_steps": 50},
    "endings": {"note": "no episode ended", "episodes": 0},
    "step_rate": {"steps_per_s": 1234.5},
}


async def checked(it: Any, environment: dict[str, Any], failing: str | None = None) -> None:
    """Play the evaluation of an environment's contract: all checks hold but ``failing``."""
    run = await it.store.get(environment["evaluation_id"])
    assert isinstance(run, EvaluationRun)
    results = [
        TestResult(
            id=test.id,
            verdict=Verdict.WRONG_ANSWER if test.id == failing else Verdict.ACCEPTED,
            points=0.0 if test.id == failing else 1.0,
            value=FACTS.get(test.id, {}),
            message="call super().reset(seed=seed)" if test.id == failing else None,
        )
        for test in run.request.tests
    ]
    at: dict[str, Any] = {"stream": run.stream, "time": run.document.created_at}
    verdict = Verdict.WRONG_ANSWER if failing else Verdict.ACCEPTED
    ended = {"verdict": verdict, "score": 1.0, "max_score": run.document.max_score, "tests": results}
    await it.commands.play(run.stream, EvaluationStarted(**at, attempt=1), EvaluationFinished(**at, **ended))


async def test_an_upload_is_checked_and_can_then_be_trained_on(platform) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.post("/v1/environments", json=GRID)
        assert answer.status_code == 202, answer.text
        uploaded = answer.json()
        assert (uploaded["state"], uploaded["name"]) == ("checking", "GridWorld")
        path = answer.headers["location"]
        assert (await client.get(path)).json()["state"] == "checking"
        assert [info["id"] for info in (await client.get("/v1/environments")).json()["items"]] == ["CartPole-v1"]

        await checked(it, uploaded)
        found = (await client.get(path)).json()
        assert (found["state"], found["message"]) == ("ready", None)
        assert (found["observation_space"], found["action_space"]) == ("Box(4,) float32 in [-1, 1]", "Discrete(2)")
        assert (found["max_episode_steps"], found["steps_per_s"]) == (50, 1234.5)
        notes = {check["check"]: check["message"] for check in found["report"]}
        assert notes["endings"] == "no episode ended"
        listed = (await client.get("/v1/environments", params={"backend": "sandbox"})).json()["items"]
        assert [(info["id"], info["name"]) for info in listed] == [(uploaded["id"], "GridWorld")]
        await it.store.remove(uploaded["evaluation_id"])  # retention takes the evaluation; the report stays
        assert (await client.get(path)).json()["state"] == "ready"


async def test_equal_uploads_are_one_environment(platform) -> None:
    async with platform() as it, it.client() as client:
        first = (await client.post("/v1/environments", json=GRID)).json()
        again = await client.post("/v1/environments", json=GRID)
        assert (again.status_code, again.json()["id"]) == (200, first["id"])
        other = await client.post("/v1/environments", json={**GRID, "config": {"size": 3}})
        assert other.status_code == 202
        assert len((await client.get("/v1/environments:uploaded")).json()["items"]) == 2
        colleague = await it.key()
        theirs = await client.post("/v1/environments", json=GRID, headers={"Authorization": f"Bearer {colleague}"})
        assert theirs.status_code == 202


async def test_a_broken_contract_is_refused_with_the_reason(platform) -> None:
    async with platform() as it, it.client() as client:
        uploaded = (await client.post("/v1/environments", json=GRID)).json()
        await checked(it, uploaded, failing="seeding")
        found = (await client.get(f"/v1/environments/{uploaded['id']}")).json()
        assert (found["state"], found["message"]) == ("refused", "seeding: call super().reset(seed=seed)")
        assert found["observation_space"] is None


async def test_an_upload_that_the_platform_could_not_check_can_be_repeated(platform) -> None:
    async with platform() as it, it.client() as client:
        first = (await client.post("/v1/environments", json=GRID)).json()
        await client.delete(f"/v1/evaluations/{first['evaluation_id']}")
        assert (await client.get(f"/v1/environments/{first['id']}")).json()["state"] == "unchecked"
        again = await client.post("/v1/environments", json=GRID)
        assert again.status_code == 202
        assert again.json()["id"] != first["id"]
        assert len((await client.get("/v1/environments:uploaded")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"entry": "grid"}, "entry", "a module and a name in it, as grid:GridWorld"),
        ({"entry": "other:GridWorld"}, "entry", "needs the file other.py"),
        ({"files": []}, "files", "must not be empty"),
        ({"files": [{"path": "../grid.py", "content": ""}]}, "files.0.path", "give one like"),
        ({"files": [{"path": "rlp_environment/driver.py", "content": ""}]}, "files.0.path", "the platform uses"),
        ({"files": GRID["files"] * 2}, "files", "is there twice"),
        ({"files": [{"path": "grid.py", "content": {"file": "file_" + "0" * 26}}]}, "files.0.content", "rlp files put"),
        ({"memory_mib": 8}, "memory_mib", "64"),
        ({"image": "Not An Image"}, "image", "small letters"),
    ],
)
async def test_what_is_no_environment_is_refused(platform, change, field: str, said: str) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        answer = await client.post("/v1/environments", json=GRID | change)
        assert answer.status_code == 422, answer.text
        assert answer.json()["field"] == field
        assert said in answer.text
        assert await it.store.find("evaluation") == []


async def test_files_may_be_uploaded_ones(platform) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        file = (await client.post("/v1/files", params={"name": "map.bin"}, content=b"\x00\xff")).json()
        files = [*GRID["files"], {"path": "map.bin", "content": {"file": file["id"]}}]
        answer = await client.post("/v1/environments", json=GRID | {"files": files})
        assert answer.status_code == 202, answer.text
        described = {one["path"]: one["sha256"] for one in answer.json()["files"]}
        assert described["map.bin"] == file["sha256"]


async def test_an_environment_in_use_stays(platform, training) -> None:
    async with platform() as it, it.client() as client:
        uploaded = (await client.post("/v1/environments", json=GRID)).json()
        path = f"/v1/environments/{uploaded['id']}"
        await client.post("/v1/trainings", json={**training, "env": uploaded["id"]})
        (run,) = await it.store.find("training")
        refused = await client.delete(path)
        assert refused.status_code == 409
        assert run.id in refused.text
        await it.commands.succeed(run)
        assert (await it.store.get(run.id)).document.state is TrainingState.SUCCEEDED
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
