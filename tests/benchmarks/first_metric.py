"""How long a client waits for the first metric of a training: cold, and with a warm trainer. Target: 2 s warm.

    python -m tests.benchmarks.first_metric [--rounds 3]

On a platform as ``rlp serve`` starts it, in a folder of its own, with PPO on CartPole-v1: seconds from ``POST
/v1/trainings`` until the events that the client follows over SSE arrive. A warm round begins once the warm trainer has
come to rest. Needs no Docker engine. About two minutes on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.e2e.platform import RunningPlatform, descendants, running_platform

RESULTS = Path(__file__).parent / "results"
TARGET_S = 2.0
STEPS = ("queued", "starting", "started", "iteration_completed")
REQUEST = {"env": "CartPole-v1", "preset": "CartPole-v1", "stop": {"env_steps": 10**7}}
REST_S = 2.0
PATIENCE_S = 120.0


def first_metric(platform: RunningPlatform, seed: int) -> dict[str, float]:
    """Seconds until the answer and until each of ``STEPS``, as the client sees them. The training is then stopped."""
    began = time.monotonic()
    answer = platform.http.post("/v1/trainings", json=REQUEST | {"seed": seed})
    answer.raise_for_status()
    seen = {"accepted": time.monotonic() - began}
    training = f"/v1/trainings/{answer.json()['id']}"
    with platform.http.stream("GET", f"{training}/events") as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                event = json.loads(line[6:])
                seen.setdefault(event["type"].removeprefix("training."), time.monotonic() - began)
                if event["type"] in ("training.iteration_completed", "training.failed"):
                    break
    if "iteration_completed" not in seen:
        raise RuntimeError(f"no iteration: {event}")
    platform.http.post(f"{training}/stop").raise_for_status()
    deadline = time.monotonic() + PATIENCE_S
    while platform.http.get(training).json()["finished_at"] is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return {name: seen[name] for name in ("accepted", *STEPS) if name in seen}


def wait_for_rest(platform: RunningPlatform) -> None:
    """Wait until a trainer lives below the platform, and has used hardly any CPU for ``REST_S``."""
    deadline, since, before = time.monotonic() + PATIENCE_S, 0.0, -1.0
    while time.monotonic() < deadline:
        spent = sum(_cpu_s(pid) for pid in descendants(platform.process.pid) if _name(pid).startswith("ray::Trainer"))
        if spent < 1.0 or spent - before > 0.02 * REST_S:
            since, before = time.monotonic(), spent
        elif time.monotonic() - since > REST_S:
            return
        time.sleep(0.2)
    raise TimeoutError(f"no warm trainer has come to rest within {PATIENCE_S:g} s")


def measure(warm: int, rounds: int) -> tuple[float, list[dict[str, float]]]:
    """Seconds until the platform is ready, and what :func:`first_metric` says each round."""
    with tempfile.TemporaryDirectory(prefix="rlp-first-metric-") as folder:
        began = time.monotonic()
        environment = {"RLP_TRAINING__WARM_TRAINERS": str(warm)}
        with running_platform(Path(folder), environment) as platform:
            ready_s, found = time.monotonic() - began, []
            for seed in range(rounds):
                if warm:
                    wait_for_rest(platform)
                found.append(first_metric(platform, seed))
    return ready_s, found


def _name(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


def _cpu_s(pid: int) -> float:
    try:
        user, system = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[11:13]
    except OSError:
        return 0.0
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ready: dict[str, float] = {}
    found: dict[str, list[dict[str, float]]] = {}
    for name, warm in (("cold", 0), ("warm", 1)):
        ready[name], found[name] = measure(warm, rounds)
    columns = ("accepted", *STEPS)
    lines = [
        f"Seconds from `POST /v1/trainings` until the client has it, median of {rounds} rounds (target: {TARGET_S:g} s"
        " to the first `iteration_completed`, warm):\n",
        "| | " + " | ".join(columns) + " | worst |",
        "| --- |" + " --- |" * (len(columns) + 1),
    ]
    for name, rows in found.items():
        medians = [statistics.median(row.get(column, 0.0) for row in rows) for column in columns]
        worst = max(row["iteration_completed"] for row in rows)
        lines.append(f"| {name} | " + " | ".join(f"{value:.2f}" for value in (*medians, worst)) + " |")
    load = os.getloadavg()[0]
    lines.append(
        f"\n`rlp serve` was ready after {ready['cold']:.1f} s (without a warm trainer) and {ready['warm']:.1f} s. "
        f"{os.cpu_count()} cores, load average at the end {load:.1f}."
    )
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "first_metric.md").write_text("\n".join(lines) + "\n")
    document = {"seconds": found, "ready_s": ready, "target_s": TARGET_S, "load": load, "cores": os.cpu_count()}
    (RESULTS / "first_metric.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
