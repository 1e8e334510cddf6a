"""Time of lists of runs: 10,000 trainings of a tenant beside as many of another, in each store.

    python -m tests.benchmarks.run_lists [--runs 10000] [--rounds 100] [--stores sqlite redis]

Each query asks for 50 summaries, as a list of the API does. Medians and 99th percentiles in milliseconds over all
rounds, whose queries take turns: by the clock, and of processor time, in this process and in the Redis server. On a
machine that does nothing else, the clock shows a little more than the processor time. Every training has a manifest of
a real size. Results go to ``results/run_lists.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from redis.asyncio import Redis

from rlplatform.clock import SystemClock
from rlplatform.ids import Kind, new_id
from rlplatform.runs.index import RunQuery
from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.testing.redis_server import redis_server
from rlplatform.testing.samples import iteration, queued, training_run
from rlplatform.training.events import TrainingSucceeded
from rlplatform.training.record import TrainingRun
from tests.benchmarks.load import percentiles

RESULTS = Path(__file__).parent / "results"
STORES = ("memory", "sqlite", "redis")
ENVS = ("CartPole-v1", "LunarLander-v3", "Acrobot-v1", "Pendulum-v1")
QUERIES: dict[str, RunQuery] = {
    "newest": {},
    "a state": {"states": ["succeeded"]},
    "a label of 100 runs": {"labels": {"group": "7"}},
    "two labels, the second of half": {"labels": {"group": "7", "course": "rl1"}},
    "an environment, a submitter": {"env": "CartPole-v1", "submitter": "key_4"},
    "two words, found in 100 runs": {"text": "run group=7"},
    "a word that nothing has": {"text": "nothing-has-this"},
    "sorted by score": {"sort": "score"},
    "sorted by name, ascending": {"sort": "name", "descending": False},
    "a label, sorted by steps": {"labels": {"course": "rl1"}, "sort": "env_steps"},
}


async def fill(store: Store, runs: int) -> None:
    clock = SystemClock()
    rng = random.Random(0)
    made = [_training(clock, number, rng) for number in range(2 * runs)]
    for start in range(0, len(made), 50):
        await asyncio.gather(*(_store(store, clock, run) for run in made[start : start + 50]))


async def _store(store: Store, clock: SystemClock, run: TrainingRun) -> None:
    await store.create(run, queued(run, clock))
    if int(run.id[-1], 36) % 2:
        point = iteration(run, clock, int(run.id[-2:], 36))
        done: dict[str, Any] = {"stop_reason": "env_steps", "progress": run.document.progress}
        await store.append(run.stream, [point, TrainingSucceeded(stream=run.stream, time=clock.now(), **done)])


def _training(clock: SystemClock, number: int, rng: random.Random) -> TrainingRun:
    run = training_run(clock, ("ours", "theirs")[number % 2])
    request = run.document.request.model_copy(
        update={
            "env": ENVS[number // 2 % 4],
            "name": f"Run {rng.randrange(10**6)}",
            "labels": {"course": f"rl{number // 2 % 2}", "group": str(number // 2 % 100)},
            "notes": "Notes of two lines,\nas people write them.",
        }
    )
    manifest = {"packages": {new_id(Kind.EVENT): "1.2.3" for _ in range(40)}, "git": "0" * 40}
    document = run.document.model_copy(update={"request": request, "manifest": manifest})
    run = run.model_copy(update={"document": document, "created_by": f"key_{number // 2 % 10}"})
    return run.annotated(request.annotations)


class Taken(NamedTuple):
    """Seconds that each list of one query took."""

    wall: list[float]
    processor: list[float]


async def measure(store: Store, rounds: int, server_s: Callable[[], Awaitable[float]]) -> dict[str, Taken]:
    """Time the queries.

    Args:
        store: A store that was filled.
        rounds: Lists of each query, after one that is not counted.
        server_s: Returns the processor time of the store's server.
    """
    taken = {name: Taken([], []) for name in QUERIES}
    for number in range(rounds + 1):
        for name, query in QUERIES.items():
            used = await server_s()
            processor, wall = time.process_time(), time.perf_counter()
            await store.summaries("training", tenant="ours", limit=51, **query)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            if number:
                taken[name].wall.append(wall)
                taken[name].processor.append(processor + await server_s() - used)
    return taken


def table(runs: int, columns: dict[str, dict[str, Taken]]) -> str:
    """Return the percentiles of each store and query as Markdown."""
    measures = [f"{store}, {measure}" for store in columns for measure in ("clock", "processor")]
    lines = [f"| {runs:,} runs, 50 shown | {' | '.join(measures)} |", "| --- |" + " --- |" * len(measures)]
    for query in QUERIES:
        cells = [percentiles(each) for taken in columns.values() for each in taken[query]]
        lines.append(f"| {query} | {' | '.join(f'{p50:.1f} / {p99:.1f}' for p50, p99 in cells)} |")
    return "\n".join(lines) + "\n"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES, help="fewer of them are only printed")
    given = parser.parse_args()
    clock = SystemClock()
    columns: dict[str, dict[str, Taken]] = {}
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as redis_url:
        urls = dict(zip(STORES, ("memory://", f"sqlite:///{folder}/runs.db", redis_url), strict=True))
        server = Redis.from_url(redis_url)

        async def redis_s() -> float:
            found = await server.info("cpu")
            return float(found["used_cpu_user_main_thread"]) + float(found["used_cpu_sys_main_thread"])

        async def none() -> float:
            return 0.0

        for name in given.stores:
            store = await open_store(urls[name], clock=clock)
            begun = time.perf_counter()
            await fill(store, given.runs)
            print(f"{name}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
            columns[name] = await measure(store, given.rounds, redis_s if name == "redis" else none)
            await store.close()
        await server.aclose()
    text = table(given.runs, columns)
    if set(given.stores) == set(STORES):
        load = f"{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.0f}"
        head = f"# What lists of {given.runs:,} runs cost\n\nMilliseconds, p50 / p99 of {given.rounds} lists, on {load}"
        command = "(`python -m tests.benchmarks.run_lists`)"
        (RESULTS / "run_lists.md").write_text(f"{head}\n{command}.\n\n{text}", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    asyncio.run(main())
