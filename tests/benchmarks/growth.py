"""Measure start, lists and the hourly sweep as the store grows from 1,000 to 100,000 evaluations.

    python -m tests.benchmarks.growth [--sizes 1000 10000 100000] [--rounds 50] [--events 500]

SQLite, with a hundredth as many trainings of so many events. A hundred runs are made as the platform makes them; the
others are copies of their rows under new ids. Times are of the wall clock, and of the processor, which other programs
do not lengthen. Results go to ``results/growth.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from actors.supervisor import Supervisor
from rlplatform.clock import SystemClock
from rlplatform.evaluation.events import EvaluationFinished, EvaluationQueued
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.ids import Kind, new_id
from rlplatform.maintenance.retention import Retention
from rlplatform.settings import RetentionSettings, Settings
from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.testing import samples
from rlplatform.testing.actors import FakeLauncher
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.training.events import TrainingSucceeded
from tests.benchmarks.load import percentiles

RESULTS = Path(__file__).parent / "results"
SAMPLES = 100
TRAINING_SHARE = 100
_BY_RUN = (
    ("runs", "id"),
    ("events", "run_id"),
    ("payloads", "run_id"),
    ("run_index", "run_id"),
    ("run_labels", "run_id"),
)


async def fill(store: Store, events: int) -> dict[str, list[str]]:
    """Make the runs that the others are copies of; return their ids by kind."""
    clock = SystemClock()
    made: dict[str, list[str]] = {"evaluation": [], "training": []}
    for number in range(SAMPLES):
        run = samples.evaluation_run(clock).model_copy(update={"tenant": f"t{number % 10}"})
        await store.create(run, EvaluationQueued(stream=run.stream, time=clock.now(), tests=1, max_score=1))
        result = TestResult(id=run.request.tests[0].id, verdict=Verdict.ACCEPTED, points=1.0)
        done = {"verdict": Verdict.ACCEPTED, "score": 1.0, "max_score": 1.0, "tests": [result]}
        await store.append(run.stream, [EvaluationFinished.model_validate(_event(run.stream, clock) | done)])
        made["evaluation"].append(run.id)
    for number in range(SAMPLES // 10):
        training = samples.training_run(clock, f"t{number % 10}")
        await store.create(training, samples.queued(training, clock))
        points = [samples.iteration(training, clock, count) for count in range(1, events - 1)]
        ended: dict[str, Any] = {"stop_reason": "env_steps", "progress": training.document.progress}
        await store.append(
            training.stream, [*points, TrainingSucceeded(stream=training.stream, time=clock.now(), **ended)]
        )
        made["training"].append(training.id)
    return made


def _event(stream: str, clock: SystemClock) -> dict[str, Any]:
    return {"stream": stream, "time": clock.now()}


def multiply(path: Path, kind: Kind, originals: list[str], total: int) -> None:
    """Copy the rows of ``originals`` until there are ``total`` runs of the kind."""
    with sqlite3.connect(path) as connection:
        copies = [(originals[number % len(originals)], new_id(kind)) for number in range(total - len(originals))]
        for table, column in _BY_RUN:
            rows = {
                run_id: connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (run_id,)).fetchall()
                for run_id in originals
            }
            width = len(connection.execute(f"SELECT * FROM {table} LIMIT 1").description)
            connection.executemany(
                f"INSERT INTO {table} VALUES ({', '.join('?' * width)})",
                (
                    tuple(cell.replace(old, new) if isinstance(cell, str) else cell for cell in row)
                    for old, new in copies
                    for row in rows[old]
                ),
            )
    connection.close()


async def timed(call: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return the seconds of the wall clock and of the processor that ``call`` takes."""
    begun, worked = time.perf_counter(), time.process_time()
    await call()
    return time.perf_counter() - begun, time.process_time() - worked


def told(times: list[tuple[float, float]]) -> str:
    wall, processor = ("{:.1f} / {:.1f}".format(*percentiles(list(column))) for column in zip(*times, strict=True))
    return f"{wall} ms; {processor} ms"


async def measure(folder: Path, size: int, rounds: int, events: int) -> dict[str, str]:
    path = folder / f"{size}.db"
    store = await open_store(f"sqlite:///{path}")
    made = await fill(store, events)
    await store.close()
    await asyncio.to_thread(multiply, path, Kind.EVALUATION, made["evaluation"], size)
    await asyncio.to_thread(multiply, path, Kind.TRAINING, made["training"], max(10, size // TRAINING_SHARE))
    cells = {"file": f"{path.stat().st_size / 2**20:,.0f} MiB"}

    begun, worked = time.perf_counter(), time.process_time()
    store = await open_store(f"sqlite:///{path}")
    clock, checkpoints = SystemClock(), MemoryCheckpoints()
    supervisor = Supervisor(Settings(), store, checkpoints, FakeLauncher(store, clock), clock)
    await supervisor.reconcile()
    cells["start: open the store, adopt what is unfinished"] = (
        f"{time.perf_counter() - begun:.2f} s; {time.process_time() - worked:.2f} s"
    )

    last = (await store.summaries("evaluation", tenant="t3", limit=size))[-52].id
    queries: dict[str, dict[str, Any]] = {
        "newest page of a tenant": {"tenant": "t3"},
        "last page of a tenant": {"tenant": "t3", "before": last},
        "page of a state": {"tenant": "t3", "states": ["finished"]},
        "page with a word that nothing has": {"tenant": "t3", "text": "nothing-has-this"},
        "page sorted by score": {"tenant": "t3", "sort": "score"},
        "newest page of all tenants": {},
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in queries}
    for _ in range(rounds):
        for name, query in queries.items():
            taken[name].append(await timed(lambda query=query: store.summaries("evaluation", limit=51, **query)))
    for name, times in taken.items():
        cells[f"{name}, p50 / p99"] = told(times)
    again = [await timed(supervisor.reconcile) for _ in range(rounds)]
    cells["a round of the supervisor, p50 / p99"] = told(again)
    kept = Retention(
        store, checkpoints, RetentionSettings(evaluation_days=365, training_days=365), clock, _nothing, None
    )
    cells["hourly sweep that removes nothing"] = "{:.2f} s; {:.2f} s".format(*await timed(kept.sweep))
    await store.close()
    return cells


async def _nothing(_: object) -> None:
    """There are no run folders."""


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--events", type=int, default=500)
    given = parser.parse_args()
    columns: dict[int, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for size in given.sizes:
            columns[size] = await measure(Path(folder), size, given.rounds, given.events)
            print(size, columns[size], flush=True)
    lines = [f"| evaluations | {' | '.join(f'{size:,}' for size in columns)} |", "| --- |" + " --- |" * len(columns)]
    for name in columns[given.sizes[0]]:
        lines.append(f"| {name} | {' | '.join(cells[name] for cells in columns.values())} |")
    text = "\n".join(lines) + "\n"
    (RESULTS / "growth.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    asyncio.run(main())
