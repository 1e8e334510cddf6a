"""Whatever a client misses or kills, a reconnect gives it exactly the rest."""

from __future__ import annotations

import asyncio
import json
from itertools import cycle
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect

LAST = 40
SMALL_RING = {"api": {"stream_buffer_bytes": 4096}}

bursts = st.lists(st.integers(1, 9), min_size=1, max_size=6)
cuts = st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any)


async def _write(it: Any, run: Any, bursts: list[int]) -> None:
    """Events 2 to ``LAST`` (iterations, then the final one), in bursts, while clients read."""
    done = 0
    for burst in cycle(bursts):
        upto = min(LAST - 2, done + burst)
        await it.commands.iterate(run, done + 1, upto)
        done = upto
        if done == LAST - 2:
            break
        await asyncio.sleep(0.002)
    await it.commands.succeed(run)


async def _read_sse(client: httpx2.AsyncClient, url: str, after: int, most: int) -> list[int]:
    headers = {"Last-Event-ID": str(after)} if after else {}
    seen: list[int] = []
    async with client.sse(url, headers=headers) as source:
        if source.response.status_code == 204:
            return seen
        async for event in source:
            if not event.data:
                continue
            body = json.loads(event.data)
            assert body["seq"] == int(event.id)
            assert body["type"] != "stream.gap"
            seen.append(int(event.id))
            if len(seen) == most:
                break
    return seen


@settings(max_examples=12, deadline=None)
@given(bursts=bursts, cuts=cuts)
def test_sse_misses_and_doubles_nothing(platform, training, bursts: list[int], cuts: list[int]) -> None:
    async def scenario() -> None:
        async with (
            platform(settings=SMALL_RING) as it,
            it.served() as url,
            httpx2.AsyncClient(
                base_url=url, headers={"Authorization": f"Bearer {await it.key()}"}, timeout=10
            ) as client,
        ):
            made = (await client.post("/v1/trainings", json=training)).json()
            run = await it.store.get(made["id"])
            writer = asyncio.create_task(_write(it, run, bursts))
            seen: list[int] = []
            for cut in cycle(cuts):
                seen += await _read_sse(client, f"/v1/trainings/{run.id}/events", seen[-1] if seen else 0, cut or 1)
                if seen[-1] == LAST:
                    break
            await writer
            assert seen == list(range(1, LAST + 1))

    asyncio.run(scenario())


async def _read_socket(url: str, key: str, stream: str, after: int, most: int) -> list[int]:
    seen: list[int] = []
    async with connect(url, additional_headers={"Authorization": f"Bearer {key}"}, max_queue=None) as socket:
        await socket.send(json.dumps({"type": "subscribe", "stream": stream, "after": after}))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "stream.end":
                break
            assert message["type"] != "stream.gap"
            if "seq" in message:
                seen.append(message["seq"])
                if len(seen) == most:
                    break
    return seen


@settings(max_examples=12, deadline=None)
@given(bursts=bursts, cuts=cuts)
def test_websocket_misses_and_doubles_nothing(platform, training, bursts: list[int], cuts: list[int]) -> None:
    async def scenario() -> None:
        async with platform(settings=SMALL_RING) as it, it.served() as url:
            key = await it.key()
            async with it.client(key) as client:
                run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
            writer = asyncio.create_task(_write(it, run, bursts))
            seen: list[int] = []
            live = url.replace("http", "ws") + "/v1/live"
            for cut in cycle(cuts):
                seen += await _read_socket(live, key, run.stream, seen[-1] if seen else 0, cut or 1)
                if seen[-1] == LAST:
                    break
            await writer
            assert seen == list(range(1, LAST + 1))

    asyncio.run(scenario())


@pytest.mark.anyio
async def test_every_position_of_a_finished_stream(platform, training) -> None:
    async with platform() as it, it.client() as client:
        run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
        await _write(it, run, [7])
        url = f"/v1/trainings/{run.id}/events"
        for after in range(LAST):
            assert await _read_sse(client, url, after, LAST) == list(range(after + 1, LAST + 1))
        answer = await client.get(url, headers={"Last-Event-ID": str(LAST)})
        assert answer.status_code == 204
