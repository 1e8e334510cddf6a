"""Measure what the archive saves in the store, and what it costs to read from it.

    python -m tests.benchmarks.archive [--trainings 20] [--events 5000]

SQLite and a Redis server of its own, each with finished trainings of so many iterations. Results go to
``results/archive.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from redis import Redis

from rlplatform.clock import SystemClock
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.records import Run
from rlplatform.settings import ArchiveSettings
from rlplatform.storage import open_store
from rlplatform.storage.archive.parquet import ParquetArchive
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.store import Store
from rlplatform.testing import samples
from rlplatform.testing.redis_server import redis_server
from rlplatform.training.events import TrainingIterationCompleted, TrainingSucceeded
from tests.benchmarks.load import percentiles

RESULTS = Path(__file__).parent / "results"
PAGE = 200
METRICS = 24


def iteration(run: Run, clock: SystemClock, number: int) -> TrainingIterationCompleted:
    """Return an event with as many metrics as PPO reports."""
    values = {f"group/metric_{name}": (number * 7919 + name * 104729) % 99991 / 317 for name in range(METRICS)}
    event = samples.iteration(run, clock, number)
    assert isinstance(event, TrainingIterationCompleted)
    return event.model_copy(update={"metrics": values})


async def fill(store: Store, trainings: int, events: int) -> list[Run]:
    clock = SystemClock()
    runs: list[Run] = []
    for _ in range(trainings):
        run = samples.training_run(clock)
        await store.create(run, samples.queued(run, clock))
        for start in range(1, events - 1, 250):
            numbers = range(start, min(start + 250, events - 1))
            await store.append(run.stream, [iteration(run, clock, number) for number in numbers])
        ended: dict[str, Any] = {"stop_reason": "iterations", "progress": run.document.progress}
        await store.append(run.stream, [TrainingSucceeded(stream=run.stream, time=clock.now(), **ended)])
        runs.append(run)
    return runs


async def pages(store: Store, runs: list[Run]) -> str:
    """Return p50 and p99 of reading pages of all runs in turn."""
    times = []
    for run in runs:
        after = 0
        while True:
            begun = time.perf_counter()
            page = await store.read(run.stream, after=after, limit=PAGE)
            times.append(time.perf_counter() - begun)
            if not page:
                break
            after = page[-1].seq
    return "{:.1f} / {:.1f} ms".format(*percentiles(times))


async def measure(
    url: str, folder: Path, size: Callable[[], Awaitable[int]], trainings: int, events: int
) -> dict[str, str]:
    archive = ParquetArchive(str(folder / "archive"))
    store = ArchivedStore(await open_store(url), archive)
    empty = await size()
    runs = await fill(store, trainings, events)
    live, live_pages = await size(), await pages(store, runs)
    archiver = Archiver(store, archive, ArchiveSettings(after_days=0), SystemClock())
    begun, worked = time.perf_counter(), time.process_time()
    assert await archiver.sweep() == trainings
    took, worked = time.perf_counter() - begun, time.process_time() - worked
    left, archived_pages = await size(), await pages(store, runs)
    files = sum(path.stat().st_size for path in (folder / "archive").rglob("*.parquet"))
    await store.close()
    return {
        "store, for each training": f"{(live - empty) / trainings / 2**10:,.0f} KiB",
        "store, for each archived training": f"{(left - empty) / trainings / 2**10:,.1f} KiB",
        "Parquet file": f"{files / trainings / 2**10:,.0f} KiB",
        "archiving a training, wall / processor": f"{took / trainings:.2f} / {worked / trainings:.2f} s",
        f"page of {PAGE} events from the store, p50 / p99": live_pages,
        f"page of {PAGE} events from the archive, p50 / p99": archived_pages,
    }


async def sqlite(folder: Path, trainings: int, events: int) -> dict[str, str]:
    path = folder / "platform.db"

    async def used() -> int:
        """Bytes of the pages in use: a file does not shrink."""
        import sqlite3

        with sqlite3.connect(path) as connection:
            (pages,), (free,), (size,) = (
                connection.execute(f"PRAGMA {name}").fetchone()
                for name in ("page_count", "freelist_count", "page_size")
            )
        connection.close()
        return int((pages - free) * size)

    return await measure(f"sqlite:///{path}", folder, used, trainings, events)


async def redis(folder: Path, trainings: int, events: int) -> dict[str, str]:
    (folder / "redis").mkdir()
    with redis_server(folder / "redis") as url, Redis.from_url(url) as connection:

        async def used() -> int:
            await asyncio.sleep(1)  # unlinked keys are freed in the background
            return int(connection.info("memory")["used_memory_dataset"])

        return await measure(url, folder, used, trainings, events)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", type=int, default=20)
    parser.add_argument("--events", type=int, default=5000)
    given = parser.parse_args()
    columns = {}
    for name, run in {"SQLite": sqlite, "Redis": redis}.items():
        with tempfile.TemporaryDirectory() as folder:
            columns[name] = await run(Path(folder), given.trainings, given.events)
            print(name, columns[name], flush=True)
    lines = [
        "# What the archive saves and costs",
        "",
        f"`python -m tests.benchmarks.archive --trainings {given.trainings} --events {given.events}`: finished "
        f"trainings of {given.events:,} events with {METRICS} metrics each.",
        "",
        f"| | {' | '.join(columns)} |",
        "| --- |" + " --- |" * len(columns),
    ]
    lines += [f"| {name} | {' | '.join(cells[name] for cells in columns.values())} |" for name in columns["Redis"]]
    text = "\n".join(lines) + "\n"
    (RESULTS / "archive.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    asyncio.run(main())
