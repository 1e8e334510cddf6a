"""Clients that cost little, to load the gateway with: HTTP/1.1, server-sent events and WebSockets on bare asyncio."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

_SEQ = re.compile(rb"^id: (\d+)$", re.M)
_TIME = re.compile(rb'"time":"([^"]+)"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


class Target(NamedTuple):
    """Where to ask, and with which key."""

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
    """One kept-alive connection."""

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
        return Answer(int(head[9:12]), await reader.readexactly(int(length[1])) if length else b"")

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


def request(target: Target, method: str, path: str, body: object = None) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: rlp", f"Authorization: Bearer {target.key}"]
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
    """Of ``count`` requests that were answered as they should be, within ``seconds``; ``failed`` were not."""

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
    expect: int = 200,
) -> Latencies:
    """Ask again and again on ``connections`` at once, for ``seconds`` or until ``most`` requests are done."""
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
        """Whether it got everything once and in order."""
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
    writer.write(request(target, "GET", f"/v1/{stream}/events"))
    try:
        yield reader
    finally:
        writer.close()


async def follow_ws(target: Target, stream: str, tally: Tally, ready: asyncio.Semaphore, path: str) -> None:
    """Follow a stream on a WebSocket to its end; ``ready`` is released once it is subscribed."""
    headers = {"Authorization": f"Bearer {target.key}"}
    host, port = target.address
    url = f"ws://{host}:{port}{path}"
    async with connect(
        url, additional_headers=headers, compression=None, open_timeout=60, ping_interval=None
    ) as socket:
        await socket.send(json.dumps({"type": "subscribe", "stream": stream}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "subscribed":
                ready.release()
            elif message["type"] == "stream.end":
                return
            elif "seq" in message:
                tally.take(message["seq"], message["time"])
