"""Bodies that mean harm, or two things at once: always a 4xx problem document, never a 5xx."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplatform.errors import Malformed
from serve_apps.api.http.parsing import parse

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
HOSTILE = {
    "empty": (b"", 400),
    "not_json": (b"{", 400),
    "not_utf8": (b'{"source": "\xff"}', 400),
    "utf16": ('{"source": "x"}'.encode("utf-16"), 400),
    "bom": (b'\xef\xbb\xbf{"source": ""}', 400),
    "null": (b"null", 422),
    "a_list": (b"[]", 422),
    "deep_list": (b"[" * 100_000 + b"]" * 100_000, 400),
    "deep_object": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400),
    "args_for_stdio": (b'{"source": "", "tests": [{"id": "a", "args": [[[[[[[[1]]]]]]]]}]}', 422),
    "nan": (b'{"points": NaN}', 400),
    "infinity": (b'{"points": 1e999}', 400),
    "long_number": (b'{"points": ' + b"9" * 100_000 + b"}", 400),
    "twice": (b'{"source": "a", "source": "b"}', 400),
    "twice_within": (b'{"source": "a", "tests": [{"id": "a", "id": "b"}]}', 400),
    "surrogate": (b'{"source": "\\ud800", "tests": [{"id": "a"}]}', 400),
    "surrogate_name": (b'{"\\udfff": 1}', 400),
    "wrong_types": (b'{"source": 1, "tests": {}, "grader": [], "limits": 3}', 422),
    "number_in_quotes": (b'{"source": "", "tests": [{"id": "a", "points": "1"}]}', 422),
    "number_for_a_boolean": (b'{"source": "", "tests": [{"id": "a", "hidden": 0}]}', 422),
    "many_errors": (json.dumps({"source": "", "tests": [{"di": 1}] * 200}).encode(), 422),
    "unknown_grader": (b'{"source": "", "tests": [{"id": "a"}], "grader": {"kind": "shell"}}', 422),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_bodies_are_refused(platform, name: str) -> None:
    body, status = HOSTILE[name]
    async with platform() as it, it.client() as client:
        answer = await client.post("/v1/evaluations", content=body, headers=JSON)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert len(answer.content) < 10_000
        assert await it.store.find("evaluation") == []


async def test_what_json_allows_is_accepted_and_comes_back_whole(platform) -> None:
    tests = [{"id": "a", "args": ["\x00\u2028 ß 🦀", 2**70, -0.0, {"": [None, True]}], "expected": 10**400}]
    body = {"source": "def solve(*_): ...", "tests": tests, "grader": {"kind": "function"}}
    async with platform() as it, it.client() as client:
        answer = await client.post("/v1/evaluations", json=body)
        assert answer.status_code == 202, answer.text
        run = await it.store.get(answer.json()["id"])
        assert run.request.tests[0].args == tests[0]["args"]
        assert run.request.tests[0].expected == 10**400


@given(st.binary(max_size=200) | st.text(alphabet='{}[]":,0123456789.eE+-\\u d8tfn', max_size=80).map(str.encode))
@settings(max_examples=300, deadline=None)
def test_parsing_raises_nothing_but_malformed(body: bytes) -> None:
    try:
        value = parse(body)
    except Malformed:
        return
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


async def test_a_body_over_the_limit_is_refused_before_it_is_read(platform) -> None:
    async with platform(settings={"api": {"max_body_bytes": 1024}}) as it, it.client() as client:
        declared = await client.post("/v1/evaluations", content=b" " * 1025, headers=JSON)
        assert (declared.status_code, declared.json()["code"]) == (413, "too_large")

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield b" " * 100

        streamed = await client.post("/v1/evaluations", content=chunks(), headers=JSON)
        assert (streamed.status_code, streamed.json()["code"]) == (413, "too_large")
        lying = await client.post("/v1/evaluations", content=chunks(), headers={**JSON, "Content-Length": "10"})
        assert lying.status_code == 413


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"8192")]], ids=["chunked", "declared"])
async def test_a_body_over_the_limit_has_been_sent_when_it_is_refused(platform, headers: list[Any]) -> None:
    sent: list[Any] = []
    unread = [{"type": "http.request", "body": b" " * 1024, "more_body": left > 0} for left in reversed(range(8))]

    async def receive() -> Any:
        return unread.pop(0)

    async def send(message: Any) -> None:
        assert not unread, "a client that is still sending does not see an answer"
        sent.append(message)

    async with platform(settings={"api": {"max_body_bytes": 1024}}) as it:
        key = (b"authorization", f"Bearer {await it.key()}".encode())
        scope = {"type": "http", "method": "POST", "path": "/v1/evaluations", "query_string": b""}
        await it.app({**scope, "headers": [key, *headers]}, receive, send)
    assert sent[0]["status"] == 413


async def test_a_body_that_drips_is_given_up(platform) -> None:
    async with platform(settings={"api": {"body_timeout_s": 0.1}}) as it, it.client() as client:

        async def drip() -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.03)
                yield b" "

        answer = await client.post("/v1/evaluations", content=drip(), headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")


async def test_the_connection_of_a_body_that_drips_is_closed(platform) -> None:
    async with platform(settings={"api": {"body_timeout_s": 0.2}}) as it, it.served() as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {await it.key()}\r\n"
        writer.write(f"{head}Content-Length: 100000\r\n\r\n{{".encode())

        async def drip() -> None:
            with suppress(OSError):
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        async with asyncio.timeout(10):
            answer = await reader.readuntil(b"\r\n\r\n")
            with suppress(ConnectionResetError):
                await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        dripping.cancel()
        writer.close()


async def test_a_body_that_breaks_off_is_no_fault_of_ours(platform, caplog: pytest.LogCaptureFixture) -> None:
    async with platform() as it, it.served() as url:
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        key = await it.key()
        head = (
            f"POST /v1/evaluations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: 100\r\n\r\n{{"
        )
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        async with it.client(key) as client:
            assert (await client.get("/v1/evaluations")).json()["items"] == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_other_types_and_encodings_are_refused(platform, headers: dict[str, str]) -> None:
    async with platform() as it, it.client() as client:
        answer = await client.post("/v1/evaluations", content=gzip.compress(b"x" * 10), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_nobody_unknown_has_a_body_parsed(platform) -> None:
    async with platform() as it, it.client("rlp_nobody") as client:
        answer = await client.post("/v1/evaluations", content=b"{", headers=JSON)
        assert answer.status_code == 401
