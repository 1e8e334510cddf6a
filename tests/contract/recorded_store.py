"""Records the store of an earlier commit, for ``test_upgrade.py``: ``python -m tests.contract.recorded_store COMMIT``.

The commit's own code runs its platform in one process (``tests/e2e/local.py``) on a SQLite file: evaluations with
hidden tests, a training that succeeds, one that is suspended while it runs, and keys. ``stores/COMMIT.sql`` is the file
as SQL, ``stores/COMMIT.json`` has the answers that clients of that commit received.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "stores"
_ROOT = Path(__file__).parents[2]

# Runs with the commit's own code.
_RECORDER = """
import asyncio, json, sys
import httpx2
from tests.e2e import local

database, told = sys.argv[1:]
opened = local.open_store

async def open_sqlite(url, **given):
    return await opened(f"sqlite:///{database}", **given)

local.open_store = open_sqlite
TESTS = [
    {"id": "small", "stdin": "2", "expected_stdout": "4"},
    {"id": "secret", "stdin": "21", "expected_stdout": "42", "hidden": True},
]

async def main():
    async with local.serving() as platform:
        headers = {"Authorization": f"Bearer {platform.key}"}
        async with httpx2.AsyncClient(base_url=platform.url, headers=headers, timeout=60) as client:
            for source in ("print(int(input()) * 2)", "print(int(input()) + 1)", "print("):
                request = {"source": source, "tests": TESTS}
                (await client.post("/v1/evaluations?wait=30", json=request)).raise_for_status()
            training = {"env": "CartPole-v1", "engine": "simulated", "seed": 1}
            short = {**training, "stop": {"iterations": 3}, "checkpoint": {"every_iterations": 2}}
            made = (await client.post("/v1/trainings", json=short)).json()["id"]
            while (await client.get(f"/v1/trainings/{made}")).json()["state"] != "succeeded":
                await asyncio.sleep(0.05)
            long = {**training, "stop": {"iterations": 10**6}, "env_config": {"simulated_iteration_s": 0.5}}
            left = (await client.post("/v1/trainings", json=long)).json()["id"]
            while (await client.get(f"/v1/trainings/{left}")).json()["state"] != "running":
                await asyncio.sleep(0.05)
            seen = {"key": platform.key, "running": left, "documents": {}}
            for kind in ("evaluations", "trainings"):
                for run in (await client.get(f"/v1/{kind}")).json()["items"]:
                    if run["id"] != left:
                        seen["documents"][run["id"]] = (await client.get(f"/v1/{kind}/{run['id']}")).json()
    with open(told, "w") as file:
        json.dump(seen, file, indent=1, sort_keys=True)

asyncio.run(main())
"""


def record(commit: str) -> None:
    """Write both files of a commit."""
    with tempfile.TemporaryDirectory(prefix="rlp-recorded-") as scratch:
        tree, database, told = (Path(scratch) / name for name in ("tree", "platform.db", "told.json"))
        subprocess.run(["git", "worktree", "add", "--detach", str(tree), commit], cwd=_ROOT, check=True)
        try:
            command = [sys.executable, "-c", _RECORDER, str(database), str(told)]
            subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=True, timeout=120)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=_ROOT, check=True)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{commit}.json").write_text(told.read_text() + "\n")
        with sqlite3.connect(database) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            lines = [f"PRAGMA application_id = {application};", *connection.iterdump()]
        connection.close()
        (FOLDER / f"{commit}.sql").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    record(sys.argv[1])
