"""Cost of a call of an actor: through Ray with objects, through Ray with bytes, over a socket.

    python -m tests.benchmarks.calls [--rounds 10]

One actor of a cluster of its own answers with what it is given, a small submission, to a process on the same node. The
ways take turns, 50 calls each a round: one upon the other ("busy"), and 20 ms apart ("at rest"), when the threads and
processes that a call passes through have gone to sleep. Medians over all calls. Results go to ``results/calls.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import ray

from actors import options
from actors.actor_classes import UnixRpcActor
from actors.rpc.ray_calls import call, spawn
from actors.rpc.unix_rpc import UnixRpcClient
from rlplatform.evaluation.models import EvaluationRequest
from tests.benchmarks.gateway import SUBMISSION
from tests.benchmarks.load import percentiles

RESULTS = Path(__file__).parent / "results"
CALLS = 50
REST_S = 0.02
OPTIONS = {"num_cpus": 0.05, "max_concurrency": 1000}

Way = Callable[[Any], Awaitable[Any]]


class Echo(UnixRpcActor):
    """Gives back what it gets."""

    def __init__(self, path: Path) -> None:
        self._listen(path)

    async def echo(self, value: Any) -> Any:
        return value


class PlainEcho:
    """The same, as Ray has actors by default."""

    async def echo(self, value: Any) -> Any:
        return value


async def make_ways(folder: Path) -> dict[str, Way]:
    """The ways to call, each ready."""
    plain = ray.remote(PlainEcho).options(**OPTIONS).remote()
    packed = spawn(Echo, OPTIONS, folder / "echo.sock")
    address = await call(packed, "line")
    client = await UnixRpcClient.open(address)

    async def objects(value: Any) -> Any:
        return await plain.echo.remote(value)

    async def as_bytes(value: Any) -> Any:
        return await call(packed, "echo", value)

    async def over_socket(value: Any) -> Any:
        return await client.call("echo", value)

    return {"Ray, objects": objects, "Ray, bytes": as_bytes, "Unix socket": over_socket}


async def measure(rounds: int) -> dict[tuple[str, str], list[float]]:
    """Seconds of every call, by way and by what went on around it."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="rlp-calls-") as folder:
        ways = await make_ways(Path(folder))
        value = EvaluationRequest.model_validate(SUBMISSION)
        for way in ways.values():
            assert await way(value) == value
        for _ in range(rounds):
            for around, pause_s in (("busy", 0.0), ("at rest", REST_S)):
                for name, way in ways.items():
                    for _ in range(CALLS):
                        if pause_s:
                            await asyncio.sleep(pause_s)
                        began = time.perf_counter()
                        await way(value)
                        took[name, around].append(time.perf_counter() - began)
    return took


def markdown(took: dict[tuple[str, str], list[float]], load_before: float) -> str:
    lines = [
        "# What a call of an actor costs",
        "",
        f"`python -m tests.benchmarks.calls` on {os.cpu_count()} cores; load before the run {load_before:.1f}.",
        "",
        "| way | around it | p50 ms | p99 ms |",
        "| --- | --- | --- | --- |",
    ]
    for (way, around), seconds in took.items():
        p50, p99 = percentiles(seconds)
        lines.append(f"| {way} | {around} | {p50} | {p99} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    load_before = os.getloadavg()[0]
    ray.init(
        address="local",
        num_cpus=4,
        namespace=options.NAMESPACE,
        include_dashboard=False,
        log_to_driver=False,
        _system_config={"worker_niceness": 0},
    )
    try:
        text = markdown(asyncio.run(measure(given.rounds)), load_before)
    finally:
        ray.shutdown()
    (RESULTS / "calls.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
