"""Stores that earlier commits wrote: today's platform reads all of them, and continues from there.

``python -m tests.contract.recorded_store COMMIT`` records another one.
"""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from rlplatform.storage.sqlite.schema import MIGRATIONS
from tests.contract.recorded_store import FOLDER
from tests.e2e.local import serving

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
RECORDED = sorted(path.stem for path in FOLDER.glob("*.sql"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def restored(commit: str, path: Path) -> int:
    """Make the recorded store at ``path``; return the version of its schema."""
    with sqlite3.connect(path) as connection:
        connection.executescript((FOLDER / f"{commit}.sql").read_text())
        (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
    connection.close()
    return int(version)


def lost(old: Any, new: Any, where: str = "") -> list[str]:
    """Return what ``new`` lacks of ``old``, or says otherwise. Fields may be added, and values given to empty ones."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [line for name in old for line in lost(old[name], new.get(name), f"{where}.{name}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line for number, pair in enumerate(zip(old, new, strict=True)) for line in lost(*pair, f"{where}[{number}]")
        ]
    return [] if old is None or old == new else [f"{where}: {old!r} became {new!r}"]


async def streamed(client: httpx2.AsyncClient, kind: str, run_id: str) -> list[dict[str, Any]]:
    """All events of a finished run."""
    async with client.stream("GET", f"/v1/{kind}/{run_id}/events") as answer:
        assert answer.status_code == 200
        return [json.loads(line[6:]) async for line in answer.aiter_lines() if line.startswith("data: ")]


def test_a_store_of_an_older_schema_is_among_them(tmp_path: Path) -> None:
    assert RECORDED
    assert min(restored(commit, tmp_path / commit) for commit in RECORDED) < len(MIGRATIONS)


@pytest.mark.parametrize("commit", RECORDED)
async def test_runs_events_keys_and_unfinished_work_survive_the_upgrade(commit: str, tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    restored(commit, path)
    told = json.loads((FOLDER / f"{commit}.json").read_text())
    headers = {"Authorization": f"Bearer {told['key']}"}
    async with (
        serving(store_url=f"sqlite:///{path}") as platform,
        httpx2.AsyncClient(base_url=platform.url, headers=headers, timeout=60) as client,
    ):
        for run_id, document in told["documents"].items():
            kind = "evaluations" if run_id.startswith("eval_") else "trainings"
            answer = await client.get(f"/v1/{kind}/{run_id}")
            assert answer.status_code == 200, answer.text
            assert lost(document, answer.json()) == []
            events = await streamed(client, kind, run_id)
            assert [event["seq"] for event in events] == list(range(1, answer.json()["seq"] + 1))
            assert run_id in [entry["id"] for entry in (await client.get(f"/v1/{kind}")).json()["items"]]
        await reach(client, told["running"], "running")
        assert (await client.post(f"/v1/trainings/{told['running']}/stop")).status_code == 202
        await reach(client, told["running"], "stopped")
        events = await streamed(client, "trainings", told["running"])
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        test = {"id": "t", "stdin": "2", "expected_stdout": "4"}
        request = {"source": "print(int(input()) * 2)", "tests": [test]}
        fresh = (await client.post("/v1/evaluations?wait=30", json=request)).json()
        assert fresh["verdict"] == "accepted"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT version FROM schema_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


async def reach(client: httpx2.AsyncClient, run_id: str, state: str) -> None:
    """Wait until a training is in a state."""
    deadline = time.monotonic() + 60
    while (training := (await client.get(f"/v1/trainings/{run_id}")).json())["state"] != state:
        assert time.monotonic() < deadline, training
