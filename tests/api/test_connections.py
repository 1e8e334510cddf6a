"""Connections that hold on without a key, in a server that is made as Serve makes its own: headers, bodies, sockets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest
from uvicorn.config import HTTP_PROTOCOLS, WS_PROTOCOLS
from websockets.asyncio.client import connect

from serve_apps.connections import MAX_HEADER_BYTES, Patient
from serve_apps.serve_middleware import middlewares
from tests.serving import on_loopback

pytestmark = pytest.mark.anyio


class Short(Patient):
    headers_timeout_s = 0.4
    max_waiting = 20
    _waiting: ClassVar[dict[Patient, None]] = {}


@asynccontextmanager
async def served(app: object) -> AsyncIterator[tuple[str, int]]:
    async with on_loopback(app, log_level="critical", http=Short, timeout_keep_alive=1) as address:
        host, _, port = address.partition(":")
        yield host, int(port)


async def ended(address: tuple[str, int], first: bytes, drip: bytes = b"", within_s: float = 15) -> bytes:
    """Send ``first``, then ``drip`` again and again; return what the server sends until it closes the connection."""
    reader, writer = await asyncio.open_connection(*address)

    async def send() -> None:
        with suppress(OSError):
            writer.write(first)
            while drip:
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(drip)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(within_s):
            got = b""
            with suppress(ConnectionResetError):
                while piece := await reader.read(65536):
                    got += piece
            return got
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await left(writer)


async def left(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("first", "drip"),
    [(b"", b""), (b"GE", b""), (HEAD, b""), (HEAD, b"X: y\r\n"), (HEAD + b"X: ", b"y"), (HEAD + b"\r\n" + HEAD, b"a")],
    ids=["nothing", "half a word", "half the headers", "header after header", "a long header", "a second request"],
)
async def test_headers_that_never_end_end_the_connection(platform, first: bytes, drip: bytes) -> None:
    async with platform() as it, served(it.app) as address:
        got = await ended(address, first, drip)
        assert got.endswith(b"}")
        assert b"HTTP/1.1 408 Request Timeout\r\n" in got
        assert json.loads(got.rpartition(b"\r\n\r\n")[2])["code"] == "request_timeout"


async def test_headers_have_a_largest_size(platform) -> None:
    async with platform() as it, served(it.app) as address:
        got = await ended(address, HEAD + b"X: y\r\n" * (MAX_HEADER_BYTES // 3))
        assert got.startswith(b"HTTP/1.1 400 ") or not got


@pytest.mark.parametrize("key", ["none", "wrong", "good"])
@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("length", [b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("drip", [b"", b" "], ids=["never", "drips"])
async def test_a_body_that_never_ends_ends_the_connection(
    platform, key: str, method: str, length: bytes, drip: bytes
) -> None:
    async with platform(settings={"api": {"body_timeout_s": 0.5}}) as it, served(it.app) as address:
        sent = {"none": "", "wrong": "rlp_no", "good": await it.key()}[key]
        head = f"{method} /v1/evaluations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".encode()
        head += f"Authorization: Bearer {sent}\r\n".encode() if sent else b""
        if drip and b"chunked" in length:
            drip = b"1\r\n \r\n"
        got = await ended(address, head + length + b"\r\n", drip)
        status = {("good", "POST"): b"408", ("good", "GET"): b"200"}.get((key, method), b"401")
        assert got.startswith(b"HTTP/1.1 " + status), got[:200]
        assert b"connection: close" in got.lower()


async def test_of_those_that_say_nothing_the_oldest_goes_first(platform) -> None:
    async with platform() as it, served(it.app) as address:
        silent = [await asyncio.open_connection(*address) for _ in range(Short.max_waiting + 5)]
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(10):
            assert (await silent[0][0].read()).startswith(b"HTTP/1.1 408 ")
        await left(writer, *(each for _, each in silent))
        assert len(Short._waiting) <= Short.max_waiting


async def test_what_is_meant_to_be_long_stays(platform, training) -> None:
    settings = {"api": {"stream_heartbeat_s": 0.3, "body_timeout_s": 0.5}}
    async with platform(settings=settings) as it, it.client() as client, served(it.app) as (host, port):
        run = (await client.post("/v1/trainings", json=training)).json()["id"]
        key = await it.key()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(
            f"GET /v1/trainings/{run}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        headers = {"Authorization": f"Bearer {key}"}
        async with connect(f"ws://{host}:{port}/v1/live", additional_headers=headers) as live:
            begun = time.monotonic()
            while time.monotonic() < begun + 4 * Short.headers_timeout_s:
                assert json.loads(await live.recv())["type"] in ("authenticated", "heartbeat")
        async with asyncio.timeout(10):
            await reader.readuntil(b": heartbeat")
        assert not reader.at_eof()
        await left(writer)


async def test_a_connection_may_be_used_again_after_a_pause(platform) -> None:
    async with platform() as it, served(it.app) as address:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(3):
            writer.write(HEAD + b"\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(len(b'{"status":"alive"}'))
            await asyncio.sleep(1.5 * Short.headers_timeout_s)
        await left(writer)


async def test_only_so_many_sockets_wait_to_say_who_they_are(platform) -> None:
    async with platform(settings={"api": {"max_unauthenticated": 3}}) as it, served(it.app) as (host, port):
        url = f"ws://{host}:{port}/v1/live"
        silent = [await connect(url) for _ in range(3)]
        async with connect(url) as fourth:
            refused = json.loads(await fourth.recv())
            assert (refused["type"], refused["code"]) == ("error", "too_many_requests")
            await fourth.wait_closed()
            assert fourth.close_code == 1013
        await silent[0].send(json.dumps({"type": "auth", "token": await it.key()}))
        assert json.loads(await silent[0].recv())["type"] == "authenticated"
        async with connect(url) as next_:
            await next_.send(json.dumps({"type": "auth", "token": await it.key()}))
            assert json.loads(await next_.recv())["type"] == "authenticated"
        for socket in silent:
            await socket.close()


def test_serves_servers_are_given_these_connections() -> None:
    before = dict(HTTP_PROTOCOLS), dict(WS_PROTOCOLS)
    try:
        middlewares()
        assert HTTP_PROTOCOLS["auto"] == "serve_apps.connections:Patient"
    finally:
        HTTP_PROTOCOLS.update(before[0])
        WS_PROTOCOLS.update(before[1])
