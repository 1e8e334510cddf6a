"""Both clients and ``rlp files`` upload, save and delete files of the real application on a socket."""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rlplatform.client import AsyncClient, Client
from rlplatform.errors import InvalidRequest, NotFound, QuotaExceeded, TooLarge
from rlplatform.evaluation.models import Verdict
from rlplatform.storage.files import LocalFiles
from rlplatform.testing.files import MemoryFiles
from tests.api.command import rlp
from tests.api.conftest import PlatformFactory

pytestmark = pytest.mark.anyio
CONTENT = bytes(range(256)) * 4000


async def test_the_async_client_uploads_saves_and_deletes(platform: PlatformFactory, tmp_path: Path) -> None:
    source = tmp_path / "weights.npz"
    source.write_bytes(CONTENT)
    async with (
        platform(files=LocalFiles(tmp_path / "stored")) as it,
        it.served() as url,
        AsyncClient(url, await it.key()) as client,
    ):
        told: list[tuple[int, int]] = []
        info = await client.upload_file(source, progress=lambda sent, total: told.append((sent, total)))
        assert (info.name, info.size_bytes) == ("weights.npz", len(CONTENT))
        assert info.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert told[-1] == (len(CONTENT), len(CONTENT))
        assert told == sorted(told)
        assert await client.upload_file(CONTENT, name="again") == info
        text = await client.upload_file(b"1 2\n", name="1.in", media_type="text/plain")
        assert [found.id async for found in client.files(page_size=1)] == [text.id, info.id]
        assert await client.file(info.id) == info
        assert (await client.download_file(info.id, tmp_path / "copy")).read_bytes() == CONTENT
        await client.delete_file(info.id)
        with pytest.raises(NotFound):
            await client.file(info.id)
        with pytest.raises(NotFound):
            await client.download_file(info.id, tmp_path / "gone")
        assert not (tmp_path / "gone").exists()


async def test_the_sync_client_does_the_same(platform: PlatformFactory, tmp_path: Path) -> None:
    async with platform(files=MemoryFiles(), settings={"files": {"max_bytes": 5000}}) as it, it.served() as url:
        key = await it.key()

        def use() -> None:
            with Client(url, key) as client:
                info = client.upload_file(b"hello", name="a.txt")
                assert [found.id for found in client.files()] == [info.id]
                assert client.download_file(info.id, tmp_path / "a.txt").read_bytes() == b"hello"
                with pytest.raises(TooLarge):
                    client.upload_file(b"x" * 5001)
                with pytest.raises(InvalidRequest, match="plain name"):
                    client.upload_file(b"x", name="../x")
                client.delete_file(info.id)

        await asyncio.to_thread(use)


class _FailsOnce(httpx2.AsyncHTTPTransport):
    """A network that breaks off in the middle of the first upload."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.uploads += request.method == "POST"
        if request.method == "POST" and self.uploads == 1:
            assert isinstance(request.stream, httpx2.AsyncByteStream)
            await anext(aiter(request.stream))
            raise httpx2.WriteError("broken", request=request)
        return await super().handle_async_request(request)


async def test_an_upload_that_breaks_off_is_sent_again_from_its_beginning(platform: PlatformFactory) -> None:
    async def no_sleep(_: float) -> None: ...

    network = _FailsOnce()
    async with (
        platform(files=MemoryFiles()) as it,
        it.served() as url,
        AsyncClient(url, await it.key(), transport=network, sleep=no_sleep) as client,
    ):
        info = await client.upload_file(CONTENT)
        assert info.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert network.uploads == 2


async def test_a_full_quota_is_told(platform: PlatformFactory) -> None:
    settings = {"quotas": {"file_bytes": 10}}
    async with (
        platform(files=MemoryFiles(), settings=settings) as it,
        it.served() as url,
        AsyncClient(url, await it.key()) as client,
    ):
        with pytest.raises(QuotaExceeded) as caught:
            await client.upload_file(b"x" * 11)
        assert caught.value.extra["quota"] == "file_bytes"


async def test_rlp_evaluate_uploads_archives_and_data(platform: PlatformFactory, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hw1.zip", "w") as archive:
        archive.writestr("main.py", "print(1)")
    (tmp_path / "main.py").write_text("print(1)")
    (tmp_path / "w.bin").write_bytes(CONTENT)
    async with platform(files=MemoryFiles(), judge=Verdict.ACCEPTED) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        for program in ("hw1.zip", "main.py"):
            done = await rlp(tmp_path, "evaluate", program, "--expect", "1", "--data", "w.bin", **at)
            assert done.code == 0, done.err
        names = {info["id"]: info["name"] for info in (await run(tmp_path, at, "ls", "--json")).lines}
        plain, archived = (found.request for found in await it.store.find("evaluation"))
        assert [(names[one.file], one.path) for one in plain.data] == [("w.bin", "w.bin")]
        assert plain.data == archived.data
        assert (plain.source, names[archived.source.file]) == ("print(1)", "hw1.zip")
        refused = await rlp(tmp_path, "evaluate", "main.py", "--with", "w.bin", **at)
        assert (refused.code, "--data" in refused.err) == (2, True)


async def run(tmp_path: Path, environment: dict[str, Any], *arguments: str, code: int = 0) -> Any:
    done = await rlp(tmp_path, "files", *arguments, **environment)
    assert done.code == code, done.err
    return done


async def test_rlp_files(platform: PlatformFactory, tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(CONTENT)
    (tmp_path / "1.in").write_bytes(b"1 2\n")
    async with platform(files=LocalFiles(tmp_path / "stored")) as it, it.served() as url:
        at = {"RLP_URL": url, "RLP_API_KEY": await it.key()}
        assert "no files" in (await run(tmp_path, at, "ls")).err
        first, second = (await run(tmp_path, at, "put", "weights.npz", "1.in")).out.split()
        assert (await run(tmp_path, at, "put", "weights.npz", "--name", "x")).out.strip() == first
        listed = (await run(tmp_path, at, "ls")).out
        assert "weights.npz" in listed
        assert "1,024,000" in listed
        assert [line["name"] for line in (await run(tmp_path, at, "ls", "--json")).lines] == ["1.in", "weights.npz"]
        refused = await run(tmp_path, at, "get", first, code=2)
        assert "weights.npz exists" in refused.err
        (tmp_path / "weights.npz").unlink()
        assert (await run(tmp_path, at, "get", first[-8:])).out.strip() == "weights.npz"
        assert (tmp_path / "weights.npz").read_bytes() == CONTENT
        await run(tmp_path, at, "get", second, "-o", "copy.in")
        assert (tmp_path / "copy.in").read_bytes() == b"1 2\n"
        assert (await run(tmp_path, at, "rm", first, second)).out.count("deleted") == 2
        await run(tmp_path, at, "rm", first, code=4)
        await run(tmp_path, at, "put", "nothing.here", code=2)
        await run(tmp_path, at, "put", "1.in", "copy.in", "--name", "x", code=2)
