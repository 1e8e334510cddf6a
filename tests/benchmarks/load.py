"""Clients that cost little, to load the gateway with: HTTP/1.1, server-sent events and WebSockets on bare asyncio."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_SEQ = re.compile(rb"^id: (\d+)$", re.M)
_TIME = re.compile(rb'"time":"([^"]+)"')
_JSON_SEQ = re.compile(rb'"seq":(\d+)')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


_KEY = base64.b64encode(bytes(16)).decode()
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10


class Target(NamedTuple):
    """Address to ask, and the key."""

    url: str
    key: str

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One connection, kept alive while the server does."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request, and read the answer whole."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._target.address)
        reader, writer = self._streams
        writer.write(request(self._target, method, path, body))
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        answer = Answer(int(head[9:12]), await reader.readexactly(int(length[1])) if length else b"")
        if b"connection: close" in head.lower():  # a proxy that loads a new configuration
            self.close()
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def request(target: Target, method: str, path: str, body: object = None, *more: str) -> bytes:
    """The bytes of a request; ``more`` are further headers."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: rlp", f"Authorization: Bearer {target.key}", *more]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def ask(target: Target, method: str, path: str, body: object = None) -> Answer:
    """One request on a connection of its own."""
    connection = Connection(target)
    try:
        return await connection.ask(method, path, body)
    finally:
        connection.close()


class Latencies(NamedTuple):
    """Latencies of ``count`` requests that were answered as they should be, within ``seconds``; ``failed`` were not."""

    count: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        return self.count / self.seconds


def percentiles(values: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile, in milliseconds."""
    ordered = sorted(values) or [float("nan")]
    return tuple(round(ordered[min(len(ordered) - 1, int(len(ordered) * q))] * 1000, 2) for q in (0.5, 0.99))  # type: ignore[return-value]


async def repeat(
    target: Target,
    method: str,
    path: str,
    make_body: Callable[[], object] = lambda: None,
    *,
    connections: int,
    seconds: float = 4.0,
    most: int | None = None,
    pause_s: float = 0.0,
    expect: int = 200,
) -> Latencies:
    """Ask again and again on ``connections`` at once, for ``seconds`` or until ``most`` requests are done; each
    connection rests for ``pause_s`` after an answer.
    """
    took: list[float] = []
    failed = 0
    left = most if most is not None else 1 << 60
    began = time.perf_counter()

    async def worker() -> None:
        nonlocal failed, left
        connection = Connection(target)
        while left > 0 and time.perf_counter() - began < seconds:
            left -= 1
            asked = time.perf_counter()
            answer = await connection.ask(method, path, make_body())
            took.append(time.perf_counter() - asked)
            failed += answer.status != expect
            if pause_s:
                await asyncio.sleep(pause_s)
        connection.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return Latencies(len(took) - failed, failed, time.perf_counter() - began, *percentiles(took))


class Tally:
    """The events that one client got, and how late."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.latencies: list[float] = []

    def take(self, seq: int, sent: str) -> None:
        self.seqs.append(seq)
        self.latencies.append(time.time() - datetime.fromisoformat(sent).timestamp())

    @property
    def complete(self) -> bool:
        """Return True if it received everything once and in order."""
        return bool(self.seqs) and self.seqs == list(range(1, self.seqs[-1] + 1))


async def follow_sse(target: Target, stream: str, tally: Tally) -> None:
    """Follow a stream to its end."""
    async with stalled_sse(target, stream) as reader:
        async for block in _blocks(reader):
            found, sent = _SEQ.search(block), _TIME.search(block)
            if found and sent:
                tally.take(int(found[1]), sent[1].decode())


async def _blocks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        try:
            yield await reader.readuntil(b"\n\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return


@asynccontextmanager
async def stalled_sse(target: Target, stream: str) -> AsyncIterator[asyncio.StreamReader]:
    """An open event stream that nobody reads but the caller."""
    reader, writer = await asyncio.open_connection(*target.address, limit=1 << 20)
    writer.write(request(target, "GET", f"/v1/{stream}/events", None, "Connection: close"))
    try:
        yield reader
    finally:
        writer.close()


async def follow_ws(target: Target, stream: str, tally: Tally, ready: asyncio.Semaphore, path: str) -> None:
    """Follow a stream on a WebSocket to its end; ``ready`` is released once it is subscribed."""
    handshake = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {_KEY}")
    loop = asyncio.get_running_loop()
    subscribe = _frame(_TEXT, json.dumps({"type": "subscribe", "stream": stream}).encode())
    socket = _Socket(loop, subscribe, tally, ready)
    transport, _ = await loop.create_connection(lambda: socket, *target.address)
    try:
        transport.write(request(target, "GET", path, None, *handshake))
        await socket.ended
    finally:
        transport.close()


class _Socket(asyncio.Protocol):
    """As much of RFC 6455 as a client of ours needs: whole, unmasked frames in; pongs out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, first: bytes, tally: Tally, ready: asyncio.Semaphore) -> None:
        self.ended: asyncio.Future[None] = loop.create_future()
        self._first = first
        self._tally = tally
        self._ready = ready
        self._buffer = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("closed before the stream's end"))

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        if not self._open:
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            self._open = bool(found)
            if not found:
                buffer = head
            elif b" 101 " not in head.partition(b"\r\n")[0]:
                self._end(ConnectionError(head.decode()))
            else:
                self._transport.write(self._first)
        begin = 0
        while self._open and (frame := _next_frame(buffer, begin)) is not None:
            kind, payload, begin = frame
            self._take(kind, payload)
        self._buffer = buffer[begin:]

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == _PING:
            self._transport.write(_frame(_PONG, payload))
        elif kind == _CLOSE:
            self._end(ConnectionError(f"closed: {payload!r}"))
        elif found := _JSON_SEQ.search(payload):
            sent = _TIME.search(payload)
            assert sent
            self._tally.take(int(found[1]), sent[1].decode())
        elif b'"subscribed"' in payload:
            self._ready.release()
        elif b'"stream.end"' in payload:
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)


def _frame(kind: int, payload: bytes) -> bytes:
    """A frame, masked by zeros: a client has to."""
    assert len(payload) < 126 or len(payload) < 1 << 16
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes([0x80 | kind]) + length + bytes(4) + payload


def _next_frame(buffer: bytes, begin: int) -> tuple[int, bytes, int] | None:
    """The kind and payload of the frame at ``begin``, and where it ends; None: it is not all there."""
    if len(buffer) < begin + 2:
        return None
    size, head = buffer[begin + 1], 2
    if size >= 126:
        head = 4 if size == 126 else 10
        size = int.from_bytes(buffer[begin + 2 : begin + head], "big")
    end = begin + head + size
    return (buffer[begin] & 0x0F, buffer[begin + head : end], end) if len(buffer) >= end else None
