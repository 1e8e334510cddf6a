"""Clients cannot tell a run whose events are in the archive from one whose events are in the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from rlplatform.clock import SystemClock
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.archive import EventsArchived
from rlplatform.settings import ArchiveSettings
from rlplatform.storage.archive.parquet import ParquetArchive

pytestmark = pytest.mark.anyio
ITERATIONS = 1200  # more than a page of the archive


async def _told(client: Any, run_id: str, url: str, key: str) -> dict[str, Any]:
    """Return what clients receive about a training, over every route."""
    told: dict[str, Any] = {}
    for path in (
        f"/v1/trainings/{run_id}",
        "/v1/trainings",
        f"/v1/trainings/{run_id}/metrics",
        f"/v1/trainings/{run_id}/metrics?max_points=50",
        f"/v1/trainings:export?run={run_id}",
    ):
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        told[path] = answer.text
    for after in (0, 1, 999, 1000, 1150, ITERATIONS + 1, ITERATIONS + 2):
        headers = {"Last-Event-ID": str(after)} if after else {}
        seen = []
        async with client.sse(f"{url}/v1/trainings/{run_id}/events", headers=headers) as source:
            if source.response.status_code == 200:
                seen = [event.data async for event in source if event.data]
        assert [json.loads(data)["seq"] for data in seen] == list(range(after + 1, ITERATIONS + 3))
        told[f"sse {after}"] = seen
    async with connect(
        f"{url.replace('http', 'ws')}/v1/live", additional_headers={"Authorization": f"Bearer {key}"}
    ) as ws:
        await ws.send(json.dumps({"type": "subscribe", "stream": f"trainings/{run_id}", "after": 1100}))
        heard: list[Any] = []
        while not heard or heard[-1]["type"] != "stream.end":
            heard.append(json.loads(await ws.recv()))
        told["socket"] = heard[1:]  # the first names the connection's ticket
    return told


@pytest.mark.timeout(120)
async def test_lists_metrics_exports_and_streams_are_the_same(platform, training, tmp_path: Path) -> None:
    archive = ParquetArchive(str(tmp_path / "archive"))
    async with platform(archive=archive) as it, it.served() as url:
        key = await it.key()
        async with it.client(key) as client:
            run = await it.store.get((await client.post("/v1/trainings", json=training)).json()["id"])
            await it.commands.iterate(run, 1, ITERATIONS)
            await it.commands.succeed(run)
            before = await _told(client, run.id, url, key)
            await Archiver(it.store, archive, ArchiveSettings(), SystemClock()).archive(run.id)
            with pytest.raises(EventsArchived):
                await it.store._store.read(run.stream)
            fresh = it.replica()  # its readers hold none of the events yet
            async with fresh.served() as other:
                assert await _told(client, run.id, other, key) == before
