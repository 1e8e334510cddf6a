"""Files over HTTP: uploads of any size, downloads in parts, and nothing of other tenants."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.datastructures import Headers

from rlplatform.access.principals import Scope
from rlplatform.errors import RangeNotSatisfiable
from rlplatform.storage.files import LocalFiles
from rlplatform.testing.files import MemoryFiles
from serve_apps.api.http.ranges import part_of
from tests.api.conftest import PlatformFactory
from tests.waiting import comes_true

pytestmark = pytest.mark.anyio
BYTES = bytes(range(256)) * 4


async def put(client: httpx2.AsyncClient, content: Any = BYTES, name: str = "data.bin", **more: Any) -> httpx2.Response:
    return await client.post("/v1/files", params={"name": name}, content=content, **more)


async def test_a_file_is_uploaded_once_and_found_again(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        made = await put(client, headers={"Content-Type": "application/x-npy"})
        assert made.status_code == 201
        info = made.json()
        assert made.headers["location"] == f"/v1/files/{info['id']}"
        assert info["name"] == "data.bin"
        assert info["size_bytes"] == 1024
        assert info["sha256"] == hashlib.sha256(BYTES).hexdigest()
        assert info["media_type"] == "application/x-npy"
        again = await put(client, name="other")
        assert (again.status_code, again.json()) == (200, info)
        shown = await client.get(f"/v1/files/{info['id']}")
        assert shown.json() == info
        unchanged = await client.get(f"/v1/files/{info['id']}", headers={"If-None-Match": shown.headers["etag"]})
        assert unchanged.status_code == 304
        assert (await client.get("/v1/usage")).json()["file_bytes"] == 1024


async def test_an_empty_file_is_a_file(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        info = (await put(client, b"", name="empty")).json()
        found = await client.get(f"/v1/files/{info['id']}/content")
        assert (found.status_code, found.content, found.headers["content-length"]) == (200, b"", "0")
        asked = await client.get(f"/v1/files/{info['id']}/content", headers={"Range": "bytes=0-"})
        assert asked.status_code == 416
        assert asked.headers["content-range"] == "bytes */0"


async def test_lists_come_in_pages(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        for number in range(5):
            await put(client, b"%d" % number)
        first = await client.get("/v1/files", params={"limit": 3})
        cursor = first.json()["next_cursor"]
        assert f"cursor={cursor}" in first.headers["link"]
        rest = (await client.get("/v1/files", params={"cursor": cursor})).json()
        assert rest["next_cursor"] is None
        assert len({item["id"] for item in (*first.json()["items"], *rest["items"])}) == 5
        wrong = await client.get("/v1/files", params={"cursor": "train_x"})
        assert (wrong.status_code, wrong.json()["field"]) == (422, "cursor")


async def test_content_is_downloaded_whole_and_in_parts(platform: PlatformFactory, tmp_path: Path) -> None:
    async with platform(files=LocalFiles(tmp_path)) as it, it.client() as client:
        path = (await put(client, name='naïve "x";.bin')).headers["location"] + "/content"
        whole = await client.get(path)
        assert (whole.status_code, whole.content) == (200, BYTES)
        assert whole.headers["content-length"] == "1024"
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.headers["content-disposition"] == "attachment; filename*=UTF-8''na%C3%AFve%20%22x%22%3B.bin"
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in whole.headers["content-security-policy"]
        tag = whole.headers["etag"]
        same = await client.get(path, headers={"If-None-Match": tag})
        assert (same.status_code, same.content) == (304, b"")
        head = await client.head(path)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "1024")
        part = await client.get(path, headers={"Range": "bytes=10-19", "If-Range": tag})
        assert (part.status_code, part.content) == (206, BYTES[10:20])
        assert part.headers["content-range"] == "bytes 10-19/1024"
        stale = await client.get(path, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
        assert (stale.status_code, stale.content) == (200, BYTES)
        beyond = await client.get(path, headers={"Range": "bytes=1024-"})
        assert beyond.status_code == 416
        assert beyond.json()["code"] == "range_not_satisfiable"
        assert beyond.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=99-", 99, 100),
        ("bytes=0-", 0, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-1", 99, 100),
        ("bytes=-100", 0, 100),
        ("bytes=-1000", 0, 100),
        ("Bytes = 5 - 6 ", 5, 7),
    ],
)
def test_ranges(asked: str, start: int, end: int) -> None:
    assert part_of(Headers({"range": asked}), 100, '"x"') == (start, end, 100, False)


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=5-4",
        "bytes=1-2,4-5",
        "lines=1-2",
        "bytes=a-b",
        "bytes=1--2",
        "bytes=½-",
    ],
)
def test_ranges_that_cannot_be_read_are_ignored(asked: str) -> None:
    assert part_of(Headers({"range": asked}), 100, '"x"') == (0, 100, 100, True)


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=999999999999999999-"])
def test_ranges_beyond_the_end_are_refused(asked: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        part_of(Headers({"range": asked}), 100, '"x"')


async def test_another_tenants_file_is_not_there(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it:
        async with it.client() as client:
            location = (await put(client)).headers["location"]
        learner = await it.key(scopes=[Scope.EVALUATE])
        stranger = await it.key("elsewhere")
        for key in (learner, stranger):
            async with it.client(key) as client:
                for method, path in (("GET", ""), ("HEAD", ""), ("GET", "/content"), ("DELETE", "")):
                    assert (await client.request(method, location + path)).status_code == 404, (method, path)
                assert (await client.get("/v1/files")).json()["items"] == []
                assert (await put(client)).status_code == 201, "nothing tells that somebody else has these bytes"
        async with it.client(await it.key(scopes=[Scope.READ])) as client:
            assert (await client.get(location)).status_code == 200
            assert (await put(client)).status_code == 403


async def test_deleting(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        location = (await put(client)).headers["location"]
        gone = await client.delete(location)
        assert (gone.status_code, gone.content) == (204, b"")
        for answer in (await client.delete(location), await client.get(location), await client.get("/v1/files/file_x")):
            assert (answer.status_code, answer.json()["detail"]) == (404, "no such file")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "a\0b", "a\\b", "x" * 256, ""])
async def test_names_that_are_paths_are_refused(platform: PlatformFactory, name: str) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        refused = await put(client, name=name)
        assert (refused.status_code, refused.json()["field"]) == (422, "name")
        assert (await client.get("/v1/files")).json()["items"] == []


async def test_requests_that_cannot_be_meant_are_refused(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        assert (await client.post("/v1/files", content=b"x")).json()["field"] == "name"
        form = await put(client, headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert form.status_code == 415
        assert "curl" in form.json()["detail"]
        assert (await put(client, headers={"Content-Encoding": "gzip"})).status_code == 415
        assert (await put(client, headers={"Content-Type": "nonsense"})).status_code == 422
        assert (await client.post("/v1/files", params={"name": "x", "colour": "red"})).status_code == 422


async def test_a_deployment_without_files_says_so(platform: PlatformFactory) -> None:
    async with platform() as it, it.client() as client:
        assert (await put(client)).status_code == 503


async def test_sizes_and_quotas(platform: PlatformFactory) -> None:
    settings = {"files": {"max_bytes": 2000}, "quotas": {"file_bytes": 3000}, "api": {"max_body_bytes": 1024}}
    async with platform(settings=settings, files=MemoryFiles()) as it, it.client() as client:
        assert (await put(client, b"a" * 2000)).status_code == 201, "larger than the bodies of other requests"
        assert (await client.post("/v1/evaluations", content=b"a" * 2000)).status_code == 413

        async def unannounced() -> AsyncIterator[bytes]:
            for _ in range(21):
                yield b"b" * 100

        for content in (b"b" * 2001, unannounced()):
            refused = await put(client, content)
            assert (refused.status_code, refused.json()["max_body_bytes"]) == (413, 2000)
        full = await put(client, b"c" * 1001)
        assert (full.status_code, full.json()["code"], full.json()["quota"]) == (429, "quota_exceeded", "file_bytes")
        assert (await put(client, b"c" * 1000)).status_code == 201
        quota = next(q for q in (await client.get("/v1/usage")).json()["quotas"] if q["quota"] == "file_bytes")
        assert (quota["used"], quota["limit"]) == (3000, 3000)


async def test_concurrent_uploads_never_exceed_the_quota(platform: PlatformFactory) -> None:
    settings = {"quotas": {"file_bytes": 5000}}
    async with platform(settings=settings, files=MemoryFiles()) as it, it.client() as client:
        done = await asyncio.gather(*(put(client, b"%01000d" % number) for number in range(20)))
        assert sorted(answer.status_code for answer in done) == [201] * 5 + [429] * 15
        assert (await client.get("/v1/usage")).json()["file_bytes"] == 5000


def _send(address: str, key: str, *pieces: bytes, length: int) -> socket.socket:
    """Send the head of an upload of ``length`` bytes, and ``pieces`` of it."""
    host, port = urlsplit(address).netloc.split(":")
    connection = socket.create_connection((host, int(port)))
    head = (
        f"POST /v1/files?name=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n"
    )
    connection.sendall(head.encode())
    for piece in pieces:
        connection.sendall(piece)
    return connection


async def test_an_upload_whose_client_leaves_is_forgotten(platform: PlatformFactory, tmp_path: Path) -> None:
    async with platform(files=LocalFiles(tmp_path)) as it, it.served() as address, it.client() as client:
        key = await it.key()
        connection = await asyncio.to_thread(_send, address, key, b"x" * 3_000_000, length=10_000_000)
        parts = tmp_path / ".uploads"
        assert await asyncio.to_thread(
            comes_true, lambda: [part.stat().st_size >= 1 << 20 for part in parts.glob("*")] == [True]
        )
        connection.close()
        assert await asyncio.to_thread(comes_true, lambda: list(parts.iterdir()) == [])
        assert (await client.get("/v1/files")).json()["items"] == []
        assert (await client.get("/v1/usage")).json()["file_bytes"] == 0
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_an_upload_that_stalls_is_ended(platform: PlatformFactory, tmp_path: Path) -> None:
    settings = {"files": {"idle_s": 0.1}}
    async with platform(settings=settings, files=LocalFiles(tmp_path)) as it, it.served() as address:
        key = await it.key()
        connection = await asyncio.to_thread(_send, address, key, b"x" * 10, length=100)
        answer = await asyncio.to_thread(connection.recv, 65_536)
        assert answer.startswith(b"HTTP/1.1 408")
        connection.close()
        assert list((tmp_path / ".uploads").iterdir()) == []


async def test_a_refused_client_that_still_sends_sees_why(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles(), settings={"quotas": {"file_bytes": 10}}) as it, it.served() as address:

        def upload() -> httpx2.Response:
            return httpx2.post(
                f"{address}/v1/files?name=x", content=b"x" * (32 << 20), headers={"Authorization": "Bearer nonsense"}
            )

        assert (await asyncio.to_thread(upload)).status_code == 401


async def test_a_large_upload_is_never_in_memory(platform: PlatformFactory, tmp_path: Path) -> None:
    """64 MiB in pieces, up and down again, while the server's memory stays far below that."""
    size, piece = 64 << 20, 1 << 20
    block = bytes(range(256)) * (piece >> 8)

    async with platform(files=LocalFiles(tmp_path)) as it, it.served() as address:
        key = await it.key()
        told: list[int] = []

        def client() -> None:
            headers = {"Authorization": f"Bearer {key}"}
            with httpx2.Client(base_url=address, headers=headers, timeout=60) as http:
                made = http.post("/v1/files?name=big", content=(block for _ in range(size // piece)))
                told.append(made.status_code)
                with http.stream("GET", made.headers["location"] + "/content") as answer:
                    told.append(sum(len(chunk) for chunk in answer.iter_bytes()))

        tracemalloc.start()
        try:
            await asyncio.to_thread(client)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert told == [201, size]
        assert peak < 24 << 20


async def test_damaged_bytes_are_never_sent_as_a_whole_file(platform: PlatformFactory, tmp_path: Path) -> None:
    async with platform(files=LocalFiles(tmp_path)) as it, it.served() as address, it.client() as client:
        info = (await put(client)).json()
        stored = tmp_path / "school" / info["sha256"][:2] / info["sha256"]
        stored.write_bytes(b"!" + BYTES[1:])
        headers = {"Authorization": client.headers["authorization"]}
        with pytest.raises(httpx2.TransportError):
            await asyncio.to_thread(httpx2.get, f"{address}/v1/files/{info['id']}/content", headers=headers)
        stored.write_bytes(b"short")
        assert (await client.get(f"/v1/files/{info['id']}/content")).status_code == 500


async def test_an_evaluation_takes_files_where_it_takes_text(platform: PlatformFactory) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        ref = {"file": (await put(client)).json()["id"]}
        request = {
            "source": ref,
            "files": [{"path": "w.bin", "content": ref}],
            "tests": [{"id": "1", "stdin": ref, "expected_stdout": ref}],
        }
        made = await client.post("/v1/evaluations", json=request)
        assert made.status_code == 202
        submitted = (await client.get(f"/v1/evaluations/{made.json()['id']}/submission")).json()
        assert submitted["source"] == ref
        assert submitted["files"] == [{"path": "w.bin", "content": ref}]
        assert submitted["tests"][0]["given"] == {"stdin": ref, "expected_stdout": ref}
        kept = await client.delete(f"/v1/files/{ref['file']}")
        assert (kept.status_code, kept.json()["used_by"]) == (409, made.json()["id"])
        assert (await client.delete(f"/v1/evaluations/{made.json()['id']}")).status_code == 202
        assert (await client.delete(f"/v1/files/{ref['file']}")).status_code == 204


@pytest.mark.parametrize(
    ("given", "field", "message"),
    [
        ({"file": "eval_" + "0" * 26}, "source.file", "ids of uploaded files"),
        ({"file": "../x"}, "source.file", "ids of uploaded files"),
        ({"file": 5}, "source.file", "must be text"),
        ({"fil": "x"}, "source.fil", "unknown field 'fil'"),
        ({"file": "file_" + "0" * 26, "path": "/etc/passwd"}, "source.path", "unknown field 'path'"),
        ({}, "source.file", "is missing"),
        (5, "source", "must be text"),
        ("x" * 262_145, "source", "at most 262,144 characters"),
    ],
)
async def test_what_is_neither_text_nor_a_file_is_refused(
    platform: PlatformFactory, given: Any, field: str, message: str
) -> None:
    async with platform(files=MemoryFiles()) as it, it.client() as client:
        refused = await client.post("/v1/evaluations", json={"source": given, "tests": [{"id": "1"}]})
        assert (refused.status_code, refused.json()["field"]) == (422, field)
        assert message in refused.json()["detail"]
