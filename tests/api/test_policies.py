"""``/v1/policies``: published, shown, listed, asked to act, taken away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Role, Scope
from rlplatform.client import AsyncClient, Client
from rlplatform.errors import Conflict, InvalidRequest, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.models import CheckpointInfo
from tests.api.command import Done, rlp

pytestmark = pytest.mark.anyio
LEFT, RIGHT = [0.0, 0.0, -0.1, 0.0], [0.0, 0.0, 0.1, 0.0]


def save(checkpoints: MemoryCheckpoints, training_id: str, folder: Path, iteration: int, mean: float) -> CheckpointInfo:
    (folder / "session.json").write_text("{}")
    info = samples.checkpoint(training_id, iteration, episode_return_mean=mean)
    return checkpoints.commit(info, folder)


@pytest.fixture
def checkpoints() -> MemoryCheckpoints:
    return MemoryCheckpoints()


async def begin(client: Any, training: Any, checkpoints: MemoryCheckpoints, folder: Path) -> tuple[str, str, str]:
    """A training with two checkpoints: its id, the best, the last."""
    training_id = (await client.post("/v1/trainings", json=training)).json()["id"]
    best, last = (save(checkpoints, training_id, folder, n, mean) for n, mean in ((1, 50.0), (2, 20.0)))
    return training_id, best.id, last.id


async def test_the_life_of_a_policy(platform, training, checkpoints, tmp_path: Path) -> None:
    async with platform(checkpoints=checkpoints) as it, it.client() as client:
        training_id, best, last = await begin(client, training, checkpoints, tmp_path)
        created = await client.post("/v1/policies", json={"training_id": training_id, "name": "mine"})
        assert created.status_code == 201, created.text
        info = created.json()
        where = created.headers["location"]
        assert where == f"/v1/policies/{info['id']}"
        assert (info["checkpoint_id"], info["name"], info["env"]) == (best, "mine", "CartPole-v1")
        assert (await client.get(where)).json() == info
        other = await client.post("/v1/policies", json={"training_id": training_id, "which": "last"})
        assert other.json()["checkpoint_id"] == last
        listed = (await client.get("/v1/policies")).json()["items"]
        assert [row["id"] for row in listed] == [other.json()["id"], info["id"]]
        acted = await client.post(f"{where}/act", json={"observations": [LEFT, RIGHT, RIGHT]})
        assert acted.status_code == 200, acted.text
        assert acted.json() == {"policy_id": info["id"], "deterministic": True, "actions": [0, 1, 1]}
        assert acted.headers["server-timing"] == 'act;dur=0.000;desc="3 observations"'
        model = await client.get(f"{where}/download")
        assert model.content.startswith(b"ONNX of ")
        assert model.headers["content-disposition"] == f'attachment; filename="{info["id"]}.onnx"'
        assert (await client.get(f"{where}/download?format=tar")).content == info["id"].encode()
        deleted = await client.delete(where)
        assert (deleted.status_code, deleted.json()["state"]) == (200, "deleted")
        assert (await client.delete(where)).json() == deleted.json()
        assert (await client.get(where)).status_code == 404
        assert (await client.post(f"{where}/act", json={"observations": [LEFT]})).status_code == 404
        assert (await client.get(f"{where}/download")).status_code == 404
        assert [row["id"] for row in (await client.get("/v1/policies")).json()["items"]] == [other.json()["id"]]
        assert len((await client.get("/v1/policies?state=deleted&state=published")).json()["items"]) == 2


async def test_an_idempotency_key_publishes_once(platform, training, checkpoints, tmp_path: Path) -> None:
    async with platform(checkpoints=checkpoints) as it, it.client() as client:
        training_id, best, _ = await begin(client, training, checkpoints, tmp_path)
        headers = {"Idempotency-Key": "once"}
        first = await client.post("/v1/policies", json={"checkpoint_id": best}, headers=headers)
        again = await client.post("/v1/policies", json={"checkpoint_id": best}, headers=headers)
        assert again.json() == first.json()
        assert again.headers["idempotency-replayed"] == "true"
        other = await client.post("/v1/policies", json={"training_id": training_id}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, None),
        ({"checkpoint_id": "ckpt_1", "training_id": "train_1"}, 422, None),
        ({"checkpoint_id": "ckpt_1", "which": "best"}, 422, None),
        ({"training_id": "train_1", "which": "worst"}, 422, "which"),
        ({"training": "train_1"}, 422, "training"),
        ({"checkpoint_id": new_id(Kind.CHECKPOINT)}, 404, None),
        ({"training_id": new_id(Kind.TRAINING)}, 404, None),
    ],
)
async def test_what_cannot_be_published(platform, body: dict[str, Any], status: int, field: str | None) -> None:
    async with platform() as it, it.client() as client:
        refused = await client.post("/v1/policies", json=body)
        assert refused.status_code == status, refused.text
        assert refused.json().get("field") == field


@pytest.mark.parametrize(
    ("observations", "field", "words"),
    [
        ([], "observations", "must not be empty"),
        ([LEFT] * 4097, "observations", "at most 4,096 items; got 4,097"),
        (LEFT, "observations.0", "a list of 4 is wanted, not 0.0"),
        ([LEFT, LEFT[:3]], "observations.1", "a list of 4 is wanted, not 3 values"),
        ([[LEFT]], "observations.0", "a list of 4 is wanted, not 1 values"),
        ([LEFT, [0, "1", 0, 0]], "observations.1.1", "a number is wanted, not a string"),
        ([[0, None, 0, 0]], "observations.0.1", "a number is wanted, not null"),
        ([[0, 0, True, 0]], "observations.0.2", "a number is wanted, not a boolean"),
        ([[0, 0, 1e39, 0]], "observations.0.2", "too large for float32"),
        ([[0, 0, 0, 10**400]], "observations.0.3", "too large for float32"),
    ],
)
async def test_observations_that_do_not_fit_are_refused_by_their_place(
    platform, training, checkpoints, tmp_path: Path, observations: Any, field: str, words: str
) -> None:
    async with platform(checkpoints=checkpoints) as it, it.client() as client:
        _, best, _ = await begin(client, training, checkpoints, tmp_path)
        where = (await client.post("/v1/policies", json={"checkpoint_id": best})).headers["location"]
        refused = await client.post(f"{where}/act", json={"observations": observations})
        assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
        assert words in refused.json()["detail"]
        nan = await client.post(
            f"{where}/act",
            content=b'{"observations": [[0, 0, NaN, 0]]}',
            headers={"Content-Type": "application/json"},
        )
        assert (nan.status_code, nan.json()["detail"]) == (400, "NaN is not JSON")


async def test_who_may_do_what(platform, training, checkpoints, tmp_path: Path) -> None:
    async with platform(checkpoints=checkpoints) as it, it.client() as client:
        _, best, _ = await begin(client, training, checkpoints, tmp_path)
        where = (await client.post("/v1/policies", json={"checkpoint_id": best})).headers["location"]
        acting = {"observations": [LEFT]}
        async with it.client(await it.key(scopes=[Scope.READ])) as reader:
            assert (await reader.post(f"{where}/act", json=acting)).status_code == 200
            assert (await reader.post("/v1/policies", json={"checkpoint_id": best})).status_code == 403
            assert (await reader.delete(where)).status_code == 403
        async with it.client(await it.key(scopes=Role.LEARNER.scopes)) as learner:
            assert (await learner.post(f"{where}/act", json=acting)).status_code == 404
            assert (await learner.get("/v1/policies")).json()["items"] == []
        async with it.client(await it.key(tenant="other")) as stranger:
            assert (await stranger.get(where)).status_code == 404
            assert (await stranger.delete(where)).status_code == 404
            assert (await stranger.get(f"{where}/download")).status_code == 404
            assert (await stranger.post("/v1/policies", json={"checkpoint_id": best})).status_code == 404


async def test_both_clients(platform, training, checkpoints, tmp_path: Path) -> None:
    async with platform(checkpoints=checkpoints) as it, it.served() as url, it.client() as raw:
        key = await it.key()
        training_id, best, _ = await begin(raw, training, checkpoints, tmp_path)

        def use() -> None:
            with Client(url, key) as client:
                policy = client.publish_policy({"training_id": training_id})
                assert client.policy(policy.id) == policy
                assert [info.id for info in client.policies(page_size=1)] == [policy.id]
                assert client.act(policy.id, [LEFT, RIGHT]) == [0, 1]
                with pytest.raises(InvalidRequest, match="a list of 4"):
                    client.act(policy.id, [[1.0]])
                target = client.download_policy(policy.id, tmp_path / "model.onnx")
                assert target.read_bytes() == b"ONNX of " + policy.id.encode()
                assert client.delete_policy(policy.id).state == "deleted"

        await asyncio.to_thread(use)
        async with AsyncClient(url, key) as client:
            policy = await client.publish_policy({"checkpoint_id": best})
            assert await client.policy(policy.id) == policy
            assert [info.id async for info in client.policies()] == [policy.id]
            assert await client.act(policy.id, [LEFT, RIGHT], deterministic=True) == [0, 1]
            target = await client.download_policy(policy.id, tmp_path / "policy.tar", form="tar")
            assert target.read_bytes() == policy.id.encode()
            await client.delete_policy(policy.id)
            with pytest.raises(NotFound):
                await client.download_policy(policy.id, tmp_path / "gone")
            assert not (tmp_path / "gone").exists()
            empty = await client.start_training({**training, "seed": 2})
            with pytest.raises(Conflict, match="no checkpoint"):
                await client.publish_policy({"training_id": empty.id})


async def test_the_command_line(platform, training, checkpoints, tmp_path: Path) -> None:
    async with platform(checkpoints=checkpoints) as it, it.served() as url, it.client() as raw:
        training_id, best, last = await begin(raw, training, checkpoints, tmp_path)
        there = {"RLP_URL": url, "RLP_API_KEY": await it.key()}

        async def policy(*arguments: str) -> Done:
            return await rlp(tmp_path, "policy", *arguments, **there)

        policy_id = (await policy("publish", training_id, "--name", "mine")).out.strip()
        other = (await policy("publish", training_id, "--last", "--json")).lines[0]
        assert (policy_id[:4], other["checkpoint_id"]) == ("pol_", last)
        refused = await policy("publish", best, "--last")
        assert (refused.code, refused.err) == (2, "error: --last goes with a training, not with a checkpoint\n")
        listed = await policy("ls", "--json")
        assert [row["id"] for row in listed.lines] == [other["id"], policy_id]
        shown = (await policy("show", policy_id)).out
        assert "observations    4 numbers (float32)" in shown
        assert "actions         one of 0 to 1" in shown
        assert (await policy("act", policy_id, json.dumps(RIGHT))).out == "1\n"
        acted = await policy("act", policy_id, json.dumps([LEFT, RIGHT]), "--json")
        assert acted.lines == [{"policy_id": policy_id, "deterministic": True, "actions": [0, 1]}]
        exported = await policy("export", policy_id, "-o", "model.onnx", "--json")
        assert exported.lines[0]["path"] == "model.onnx"
        assert (tmp_path / "model.onnx").read_bytes() == b"ONNX of " + policy_id.encode()
        assert (await policy("delete", policy_id)).out == f"{policy_id}: deleted\n"
