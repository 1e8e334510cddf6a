"""WebSockets as Serve's servers speak them, in a server that is made as Serve makes its own."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from uvicorn.config import WS_PROTOCOLS
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from serve_apps.api.routes.live import MAX_MESSAGE
from serve_apps.serve_middleware import StripStreamsPrefix, middlewares
from serve_apps.websocket_limits import MAX_MESSAGE as READ_AT_MOST
from tests.serving import on_loopback

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = dict(WS_PROTOCOLS)
    yield
    WS_PROTOCOLS.update(before)


@asynccontextmanager
async def served(app: object) -> AsyncIterator[str]:
    for middleware in middlewares():
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)  # type: ignore[arg-type]
    async with on_loopback(app, log_level="critical") as address:
        yield f"ws://{address}/v1/live"


async def test_a_large_message_closes_the_socket_before_it_is_read(platform) -> None:
    async with platform() as it, served(StripStreamsPrefix(it.app)) as address:
        headers = {"Authorization": f"Bearer {await it.key()}"}
        async with connect(address, additional_headers=headers) as socket:
            assert json.loads(await socket.recv())["type"] == "authenticated"
            assert socket.response is not None
            assert "sec-websocket-extensions" not in socket.response.headers
            await socket.send("x" * (MAX_MESSAGE + 1))
            assert json.loads(await socket.recv())["code"] == "too_large"
            head = struct.pack("!BBQ4s", 0x81, 0xFF, READ_AT_MOST + 1, bytes(4))
            socket.transport.write(head)  # and nothing of the message itself
            async with asyncio.timeout(5):
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1009


async def test_a_large_message_in_pieces_is_not_read_to_its_end(platform) -> None:
    async def pieces() -> AsyncIterator[str]:
        for _ in range(2 * READ_AT_MOST // 1000):
            yield "x" * 1000

    async with platform() as it, served(StripStreamsPrefix(it.app)) as address, connect(address) as socket:
        with suppress(ConnectionClosed):
            await socket.send(pieces())
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
