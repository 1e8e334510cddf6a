"""Deleting checkpoints: by HTTP, by the clients, by the command."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from rlplatform.access.principals import Scope
from rlplatform.client import AsyncClient, Client
from rlplatform.errors import Conflict, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from serve_apps.api.http.downloads import made, remove_left
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


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty folder in which downloads are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def emptied(folder: Path) -> None:
    async with asyncio.timeout(20):
        while list(folder.iterdir()):
            await asyncio.sleep(0.01)


RANGES = {
    "bytes=0-99": 206,
    "bytes=-1": 206,
    "bytes=100-": 206,
    "bytes=0-0, 5-9": 206,
    "BYTES=0-": 206,
    "bytes=0-99999999999": 206,
    "bytes=99999999-": 416,
    "bytes=99999999-100000000": 416,
    "bytes=-0": 416,
    "bytes=99999999-,88888888-": 416,
    "bytes=5-2": 200,
    "bytes=": 200,
    "bytes": 200,
    "bytes=-": 200,
    "bytes=a-b": 200,
    "bytes=0-1-2": 200,
    "bytes=--1": 200,
    "bytes=0x10-": 200,
    "bytes=\u0661-": 200,
    "bytes=" + "9" * 5000 + "-": 200,
    "bytes=" + ",".join(["0-"] * 2000): 200,
    "items=0-5": 200,
    "": 200,
    "bytes=0-5, 99999999-": 200,
    ",": 200,
    "bytes=1e3-": 200,
}


@pytest.mark.parametrize("asked", RANGES)
async def test_no_range_breaks_a_download_or_leaves_a_copy(
    platform, training, store, tmp_path: Path, temporary: Path, asked: str
) -> None:
    async with platform(checkpoints=store) as it, it.client() as client:
        run = await started(it, client, training)
        (checkpoint,) = committed(store, run.id, tmp_path / "files", 1)
        path = f"/v1/checkpoints/{checkpoint}/download"
        whole = (await client.get(path)).content
        answer = await client.get(path, headers={"Range": asked.encode()})
        assert answer.status_code == RANGES[asked]
        if answer.status_code == 200:
            assert answer.content == whole
        if answer.status_code == 416:
            assert answer.headers["content-range"] == f"bytes */{len(whole)}"
            assert answer.json()["code"] == "range_not_satisfiable"
        await emptied(temporary)


async def test_a_client_that_leaves_a_download_leaves_no_copy(
    platform, training, store, tmp_path: Path, temporary: Path
) -> None:
    async with platform(checkpoints=store) as it, it.client() as client, it.served() as url:
        run = await started(it, client, training)
        folder = tmp_path / "files"
        folder.mkdir()
        (folder / "weights.bin").write_bytes(bytes(40_000_000))
        checkpoint = store.commit(samples.checkpoint(run.id, 1), folder).id
        host, _, port = url.removeprefix("http://").partition(":")
        for head in (b"", b"Range: bytes=5-\r\n", b"Range: bytes=0-9,20-\r\n"):
            reader, writer = await asyncio.open_connection(host, int(port))
            request = f"GET /v1/checkpoints/{checkpoint}/download HTTP/1.1\r\nHost: x\r\n"
            writer.write(f"{request}Authorization: Bearer {await it.key()}\r\n".encode() + head + b"\r\n")
            await reader.readexactly(1000)
            assert list(temporary.iterdir())
            writer.transport.abort()
            await emptied(temporary)


async def test_a_download_that_is_given_up_while_it_is_made_leaves_no_copy(temporary: Path) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def make(folder: Path) -> Path:
        writing.set()
        go_on.wait(10)
        (folder / "late").write_bytes(b"x")
        return folder / "late"

    making = asyncio.create_task(made(make))
    await asyncio.to_thread(writing.wait, 10)
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)
    go_on.set()
    await emptied(temporary)
    with pytest.raises(OSError, match="no room"):
        await made(lambda _: (_ for _ in ()).throw(OSError("no room")))
    await emptied(temporary)


def test_copies_of_a_process_that_was_killed_are_removed(temporary: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    dead, alive, other = (temporary / f"rlp-download-{name}-x" for name in (ended.pid, os.getpid(), "y"))
    for folder in (dead, alive, other):
        folder.mkdir()
    remove_left()
    assert sorted(temporary.iterdir()) == sorted([alive, other])


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
