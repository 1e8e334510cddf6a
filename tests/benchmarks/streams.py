"""Fan-out of one event stream to many connections: delivered share, latency, memory, with one client that never reads.

::

    python tests/benchmarks/streams.py --clients 100 --rate 50 --seconds 10 --kind sse
    python tests/benchmarks/streams.py --clients 1000 --rate 20 --seconds 10 --kind ws

The server is the API on uvicorn over the store in memory, in a process of its own; the clients are this process.
Latency is from an event's ``time`` to its arrival, coalescing included; the two processes take from each other.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import uvicorn
from websockets.asyncio.client import connect

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import SystemClock
from rlplatform.settings import Settings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.commands import FakeCommands
from rlplatform.training.models import TrainingRequest
from serve_apps.api.app import create_app
from serve_apps.api.services import Services

_SEQ = re.compile(rb"^id: (\d+)$", re.M)
_TIME = re.compile(rb'"time":"([^"]+)"')


async def serve(rate: float, seconds: float) -> None:
    """The server: says where it listens, writes events once a line arrives on stdin, then the final one."""
    clock = SystemClock()
    store = MemoryStore(clock)
    commands = FakeCommands(store, clock)
    app = create_app(Services(store=store, commands=commands, clock=clock), Settings())
    _, key = await app.state.context.access.keys.mint(tenant="bench", name="bench", scopes=[Scope.READ])
    request = TrainingRequest.model_validate({"env": "x", "engine": "simulated", "stop": {"iterations": 1}})
    somebody = Principal(id="bench", tenant="bench", scopes=frozenset(Scope))
    run, _ = await commands.start_training(request, somebody)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", lifespan="off", backlog=4096))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    print(json.dumps({"port": port, "key": key, "stream": run.stream, "pid": os.getpid()}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = time.monotonic()
    for number in range(1, int(rate * seconds) + 1):
        await commands.iterate(run, number, number)
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
    await commands.succeed(run)
    await asyncio.to_thread(sys.stdin.readline)
    server.should_exit = True
    server.force_exit = True
    await task


class Tally:
    """What one client got."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.latencies: list[float] = []

    def take(self, seq: int, sent: str) -> None:
        self.seqs.append(seq)
        self.latencies.append(time.time() - datetime.fromisoformat(sent).timestamp())


async def follow_sse(server: dict[str, object], tally: Tally) -> None:
    reader, writer = await request_stream(server)
    async for block in blocks(reader):
        found, sent = _SEQ.search(block), _TIME.search(block)
        if found and sent:
            tally.take(int(found.group(1)), sent.group(1).decode())
    writer.close()


async def blocks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        try:
            yield await reader.readuntil(b"\n\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def request_stream(server: dict[str, object]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(str(server["port"])))
    head = f"GET /v1/{server['stream']}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server['key']}\r\n\r\n"
    writer.write(head.encode())
    return reader, writer


async def follow_ws(server: dict[str, object], tally: Tally) -> None:
    headers = {"Authorization": f"Bearer {server['key']}"}
    url = f"ws://127.0.0.1:{server['port']}/v1/live"
    async with connect(
        url, additional_headers=headers, compression=None, open_timeout=60, ping_interval=None
    ) as socket:
        await socket.send(json.dumps({"type": "subscribe", "stream": server["stream"]}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "stream.end":
                return
            if "seq" in message:
                tally.take(message["seq"], message["time"])


def memory_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def measure(clients: int, rate: float, seconds: float, kind: str) -> dict[str, object]:
    command = [sys.executable, __file__, "--serve", "--rate", str(rate), "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        server = json.loads(process.stdout.readline())
        stalled = await request_stream(server)
        tallies = [Tally() for _ in range(clients)]
        follow = follow_sse if kind == "sse" else follow_ws
        following = [asyncio.create_task(follow(server, tally)) for tally in tallies]
        await asyncio.sleep(2 + clients / 200)
        before = memory_mb(server["pid"])
        process.stdin.write("go\n")
        process.stdin.flush()
        await asyncio.wait_for(asyncio.gather(*following), seconds * 3 + 30)
        after = memory_mb(server["pid"])
        stalled[1].close()
    finally:
        process.kill()
        process.communicate()
    events = int(rate * seconds) + 2
    latencies = sorted(latency for tally in tallies for latency in tally.latencies[1:])
    return {
        "kind": kind,
        "clients": clients,
        "rate": rate,
        "delivered": sum(tally.seqs == list(range(1, events + 1)) for tally in tallies) / clients,
        "p50_ms": round(latencies[len(latencies) // 2] * 1000, 1),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] * 1000, 1),
        "memory_before_mb": round(before, 1),
        "memory_after_mb": round(after, 1),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--kind", choices=("sse", "ws"), default="sse")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.rate, given.seconds))
    else:
        print(json.dumps(asyncio.run(measure(given.clients, given.rate, given.seconds, given.kind))))


if __name__ == "__main__":
    main()
