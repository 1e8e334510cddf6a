"""Deleting checkpoints: by HTTP, by the clients, by the command."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.client import AsyncClient, Client
from rlplatform.errors import Conflict, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from tests.api.command import rlp

pytestmark = pytest.mark.anyio


@pytest.fixture
def store() -> MemoryCheckpoints:
    return MemoryCheckpoints()


def committed(store: MemoryCheckpoints, training_id: str, folder: Path, count: int) -> list[str]:
    """The ids of ``count`` checkpoints of 1000 bytes, oldest first."""
    folder.mkdir(exist_ok=True)
    (folder / "weights.bin").write_bytes(bytes(1000))
    return [
        store.commit(
            samples.checkpoint(training_id, index),
            folder,
        ).id
        for index in range(count)
    ]  # fmt: skip


async def started(it: Any, client: Any, training: dict[str, Any]) -> Any:
    return await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])


async def test_a_checkpoint_is_deleted_and_its_room_is_there(
    platform, training, store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "rlplatform.audit")
    async with platform(checkpoints=store) as it, it.client() as client:
        run = await started(it, client, training)
        old, new = committed(store, run.id, tmp_path / "files", 2)
        assert (await client.get("/v1/usage")).json()["checkpoint_bytes"] == 2000
        answer = await client.delete(f"/v1/checkpoints/{old}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert f"DELETE /v1/checkpoints/{old} by " in caplog.text
        listed = (await client.get(f"/v1/trainings/{run.id}/checkpoints")).json()["items"]
        assert [info["id"] for info in listed] == [new]
        assert (await client.get("/v1/usage")).json()["checkpoint_bytes"] == 1000
        assert (await client.delete(f"/v1/checkpoints/{old}")).status_code == 404
        assert (await client.get(f"/v1/checkpoints/{old}/download")).status_code == 404


async def test_a_download_that_broke_off_goes_on(platform, training, store, tmp_path: Path) -> None:
    async with platform(checkpoints=store) as it, it.client() as client:
        run = await started(it, client, training)
        one, other = (f"/v1/checkpoints/{checkpoint}/download" for checkpoint in committed(store, run.id, tmp_path, 2))
        whole = await client.get(one)
        tag = whole.headers["etag"]
        rest = await client.get(one, headers={"Range": "bytes=100-", "If-Range": tag})
        assert (rest.status_code, whole.content[:100] + rest.content) == (206, whole.content)
        unchanged = await client.get(one, headers={"If-None-Match": tag})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", tag)
        assert (await client.get(one)).content == whole.content
        again = await client.get(other, headers={"Range": "bytes=100-", "If-Range": tag})
        assert again.status_code == 200, "that is another"


async def test_what_a_training_that_goes_on_would_be_recovered_from_stays(
    platform, training, store, tmp_path: Path
) -> None:
    async with platform(checkpoints=store) as it, it.client() as client:
        run = await started(it, client, training)
        old, new = committed(store, run.id, tmp_path / "files", 2)
        refused = await client.delete(f"/v1/checkpoints/{new}")
        assert (refused.status_code, refused.json()["code"], refused.json()["state"]) == (409, "conflict", "queued")
        store.damage(new)
        assert (await client.delete(f"/v1/checkpoints/{old}")).status_code == 409
        await it.commands.succeed(run)
        for checkpoint in (new, old):
            assert (await client.delete(f"/v1/checkpoints/{checkpoint}")).status_code == 204


async def test_who_may_delete(platform, training, store, tmp_path: Path) -> None:
    async with platform(checkpoints=store) as it, it.client() as client:
        run = await started(it, client, training)
        old, _ = committed(store, run.id, tmp_path / "files", 2)
        for tenant, scopes, status in (
            ("school", [Scope.READ], 403),
            ("school", [Scope.TRAIN], 404),
            ("other", list(Scope), 404),
        ):
            async with it.client(await it.key(tenant, scopes=scopes)) as somebody:
                assert (await somebody.delete(f"/v1/checkpoints/{old}")).status_code == status
        for unknown in ("nonsense", new_id(Kind.CHECKPOINT), run.id):
            assert (await client.delete(f"/v1/checkpoints/{unknown}")).status_code == 404
        assert len(store.list(run.id)) == 2
        async with it.client(await it.key(scopes=[Scope.TRAIN, Scope.READ])) as colleague:
            assert (await colleague.delete(f"/v1/checkpoints/{old}")).status_code == 204


async def test_clients_and_command(platform, training, store, tmp_path: Path) -> None:
    async with platform(checkpoints=store) as it, it.served() as url, it.client() as client:
        run = await started(it, client, training)
        one, two, three, last = committed(store, run.id, tmp_path / "files", 4)
        key = await it.key()
        async with AsyncClient(url, key) as asynchronous:
            await asynchronous.delete_checkpoint(one)
            with pytest.raises(NotFound):
                await asynchronous.delete_checkpoint(one)
        with Client(url, key) as sync:
            await asyncio.to_thread(sync.delete_checkpoint, two)
            with pytest.raises(Conflict):
                await asyncio.to_thread(sync.delete_checkpoint, last)
        at = {"RLP_URL": url, "RLP_API_KEY": key}
        done = await rlp(tmp_path, "runs", "delete-checkpoint", three, "--json", **at)
        assert done.lines == [{"id": three, "state": "deleted"}]
        refused = await rlp(tmp_path, "runs", "delete-checkpoint", last, **at)
        assert (refused.code, run.id in refused.err) == (1, True)
        assert (await rlp(tmp_path, "runs", "delete-checkpoint", run.id, **at)).code == 2
        assert [info.id for info in store.list(run.id)] == [last]
