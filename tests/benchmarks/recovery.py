"""How soon things go on after a SIGKILL, and how soon a session begins: the targets of recovery, measured.

    python -m tests.benchmarks.recovery [--rounds 3]

On a cluster of its own with 4 CPUs, the event hub's SQLite store and the engines ``simulated`` (kills) and ``rllib``
(first metric). Seconds from the cause to the event in the log, by a reader that polls every 20 ms. Evaluations need a
Docker engine and the sandbox image; without them their row is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import ray

from actors import options
from rlplatform.errors import PlatformError
from rlplatform.evaluation.models import EvaluationRequest, TestCase
from rlplatform.runs import TrainingRun
from rlplatform.settings import Settings
from tests.actors.conftest import PRINCIPAL, Stage, clear, names

RESULTS = Path(__file__).parent / "results"
TARGETS_S = {"trainer": 10.0, "evaluator": 5.0, "supervisor": 10.0, "event hub": 10.0, "first metric, warm": 2.0}
Measure = Callable[[Stage], Awaitable[float]]


async def since(began: float, happened: Callable[[], Awaitable[bool]], timeout_s: float = 60.0) -> float:
    """Seconds from ``began`` until ``happened``."""
    while time.monotonic() - began < timeout_s:
        try:
            if await happened():
                return time.monotonic() - began
        except PlatformError:
            pass
        await asyncio.sleep(0.02)
    raise TimeoutError(f"not within {timeout_s:g} s")


async def running(stage: Stage) -> TrainingRun:
    run = await stage.train(iterations=1_000_000)
    return await stage.until_iteration(run, 12)


async def further(stage: Stage, run: TrainingRun, kill: str) -> float:
    """From the SIGKILL of ``kill`` to an iteration that began after it."""
    await stage.kill(kill)
    began, seq = time.monotonic(), (await stage.get(run)).seq

    async def happened() -> bool:
        return any(
            line.type == "training.iteration_completed" for line in await stage.store.read(run.stream, after=seq)
        )

    seconds = await since(began, happened)
    await stage.command(run, "stop")
    await stage.until_state(run, "stopped")
    return seconds


async def trainer(stage: Stage) -> float:
    run = await running(stage)
    return await further(stage, run, await stage.trainer(run))


async def event_hub(stage: Stage) -> float:
    return await further(stage, await running(stage), "event_hub")


async def supervisor(stage: Stage) -> float:
    await stage.kill("supervisor")

    async def answers() -> bool:
        return (await stage.commands.status()).dependencies[-1].ok

    return await since(time.monotonic(), answers)


async def evaluator(stage: Stage) -> float:
    (name,) = [name for name in names() if name.startswith(options.EVALUATOR_PREFIX)]
    source = "import time\ntime.sleep(0.5)\nprint(1)"
    request = EvaluationRequest(source=source, tests=[TestCase(id="t1", expected_stdout="1\n")])
    run, _ = await stage.commands.submit_evaluation(request, PRINCIPAL)
    await since(time.monotonic(), lambda: _is(stage, run.id, "running"))
    await stage.kill(name)
    return await since(time.monotonic(), lambda: _is(stage, run.id, "finished")) - 0.5


async def _is(stage: Stage, run_id: str, state: str) -> bool:
    return (await stage.store.get(run_id)).state == state


async def first_metric(stage: Stage) -> float:
    began = time.monotonic()
    run = await stage.train(
        iterations=1_000_000, engine="rllib", env_config={}, preset="CartPole-v1", evaluation={"episodes": 1}
    )
    await stage.until_iteration(run, 1)
    seconds = time.monotonic() - began
    await stage.command(run, "stop")
    await stage.until_state(run, "stopped", "failed")
    return seconds


async def first_metric_warm(stage: Stage) -> float:
    await since(time.monotonic(), _has_warm, 90)
    await asyncio.sleep(12)  # its imports, and a round in which the supervisor learns of them
    return await first_metric(stage)


async def _has_warm() -> bool:
    return any(name.startswith(options.WARM_PREFIX) for name in names())


async def sandboxes(stage: Stage) -> bool:
    with_sandbox = False
    for _ in range(100):
        await asyncio.sleep(0.2)
        try:
            with_sandbox = all(dependency.ok for dependency in (await stage.commands.status()).dependencies)
        except PlatformError:
            continue
        if with_sandbox:
            break
    return with_sandbox


async def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    cold: dict[str, Measure] = {"trainer": trainer, "event hub": event_hub, "supervisor": supervisor}
    found: dict[str, list[float]] = {}
    stage = Stage(settings(folder / "cold", warm=0))
    if await sandboxes(stage):
        cold["evaluator"] = evaluator
    for name, taken in (cold | {"first metric, cold": first_metric}).items():
        found[name] = [await taken(stage) for _ in range(rounds)]
    await stage.commands.drain()
    clear()
    stage = Stage(settings(folder / "warm", warm=1))
    found["first metric, warm"] = [await first_metric_warm(stage) for _ in range(rounds)]
    await stage.commands.drain()
    clear()
    return found


def settings(folder: Path, warm: int) -> Settings:
    folder.mkdir(mode=0o711)
    return Settings.model_validate(
        {
            "state_dir": folder,
            "store": {"url": f"sqlite:///{folder}/platform.db"},
            "training": {"checkpoint_url": f"{folder}/checkpoints", "warm_trainers": warm},
            "sandbox": {"state_dir": folder / "s", "warm": 1},
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    resources = {options.SANDBOX_RESOURCE: 1}
    ray.init(
        address="local", num_cpus=4, resources=resources, namespace=options.NAMESPACE, include_dashboard=False,
        log_to_driver=False, logging_level="ERROR",
    )  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix="rlp-") as name:
            Path(name).chmod(0o711)
            found = asyncio.run(measure(Path(name), rounds))
    finally:
        ray.shutdown()
    load = os.getloadavg()[0]
    lines = ["| after | median s | worst s | target s |", "| --- | --- | --- | --- |"]
    for what, seconds in found.items():
        lines.append(f"| {what} | {statistics.median(seconds):.1f} | {max(seconds):.1f} | {TARGETS_S.get(what, '')} |")
    lines.append(f"\n{rounds} rounds, {os.cpu_count()} cores, load average {load:.1f}")
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "recovery.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "recovery.json").write_text(json.dumps({"seconds": found, "load": load, "cores": os.cpu_count()}) + "\n")


if __name__ == "__main__":
    main()
