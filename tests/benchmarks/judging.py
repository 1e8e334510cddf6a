"""Time of whole judgements, from the request to the verdicts: what checkers, large inputs, suites and agents add.

    python -m tests.benchmarks.judging [--rounds 30]

All rows are judged in turn, round by round, by the judge in this process, with warm containers of the tier single-use.
A busy machine slows all rows alike, so their ratios say more than the milliseconds. Writes ``results/judging.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

from rlplatform.evaluation.attachments import attach
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement, Verdict
from rlplatform.ids import Kind, new_id
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings

RESULTS = Path(__file__).parent / "results" / "judging.md"
WARM = 4
EPISODES = 32
PLAIN = "plain: one test, stdin and stdout"

CHECKER = """import sys
given, output, expected = (open(path).read().split() for path in sys.argv[1:4])
sys.exit(0 if output == expected else 1)
"""
SUITE = "import pytest\nfrom main import double\n" + "\n".join(
    f"def test_{number}(): assert double({number}) == {2 * number}" for number in range(20)
)
AGENT = "def act(observation):\n    return int(observation[2] + 0.3 * observation[3] > 0)\n"


def requests(folder: Path) -> dict[str, EvaluationRequest]:
    """Return the requests by the names of their rows. ``folder`` receives the large input, as a node's cache does."""
    doubles: dict[str, Any] = {
        "source": "print(int(input()) * 2)",
        "image": "python",
        "tests": [{"id": "t", "stdin": "2\n", "expected_stdout": "4\n"}],
    }
    large, file = folder / "large", new_id(Kind.FILE)
    large.write_text("7 " * (5 << 20))
    counts = {"id": "t", "stdin": {"file": file}, "expected_stdout": "5242880"}
    suite = {"source": "def double(n): return n * 2", "tests": [{"id": "t"}], "image": "python-rl"}
    agent = {
        "source": AGENT,
        "limits": {"wall_time_s": 60},
        "tests": [{"id": "t", "episodes": EPISODES, "seed": 1}],
        "image": "python",
    }
    fields = {
        PLAIN: doubles,
        "program checker": doubles | {"checker": {"kind": "program", "source": CHECKER}},
        "10 MiB input": doubles | {"source": "print(len(input().split()))", "tests": [counts]},
        "plain in image python-rl": doubles | {"image": "python-rl"},
        "pytest with 20 tests": suite | {"grader": {"kind": "pytest", "suite": SUITE}},
        f"agent, {EPISODES} episodes side by side": agent | {"grader": {"kind": "episode", "env": "CartPole-v1"}},
    }
    made = {name: EvaluationRequest.model_validate(given) for name, given in fields.items()}
    return {name: attach(request, {file: large}) for name, request in made.items()}


def settle(pool: DockerPool) -> None:
    """Wait until the containers that were used are replaced."""
    deadline = time.monotonic() + 60
    while pool.status().warm < WARM and time.monotonic() < deadline:
        time.sleep(0.01)


def measure(pool: DockerPool, folder: Path, rounds: int) -> tuple[dict[str, list[float]], Judgement]:
    """Return the milliseconds of each row, and the last judgement of the agent."""
    asked = requests(folder)
    times: dict[str, list[float]] = {}
    for round_ in range(rounds + 2):
        for name, request in asked.items():
            settle(pool)
            began = time.perf_counter()
            judgement = Judge(pool).judge(request, lambda _: None, tenant="benchmark")
            took = 1e3 * (time.perf_counter() - began)
            if judgement.verdict is not Verdict.ACCEPTED:
                raise RuntimeError(f"{name}: {judgement.verdict}: {judgement.tests[0].message}")
            if round_ >= 2:  # the first ones fill caches
                times.setdefault(name, []).append(took)
    return times, judgement


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    given = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as state:
        pool = DockerPool(SandboxSettings.model_validate({"state_dir": state, "warm": WARM}), "judging")
        try:
            times, agent = measure(pool, Path(state), given.rounds)
        finally:
            pool.close()
    lines = [
        f"# Time of judgements\n\n{__doc__}",
        f"Load average before the run: {load:.1f}; {os.cpu_count()} cores; {given.rounds} rounds.\n",
        "| | p50 ms | p90 ms | p50 to plain |\n| --- | --- | --- | --- |",
    ]
    plain = quantiles(times[PLAIN], n=10)[4]
    for name, row in times.items():
        cuts = quantiles(row, n=10)
        lines.append(f"| {name} | {cuts[4]:.1f} | {cuts[8]:.1f} | {cuts[4] / plain:.2f} |")
    steps = sum(agent.tests[0].value["episode_lengths"])  # type: ignore[call-overload, index]
    seconds = quantiles(row, n=10)[4] / 1e3
    lines.append(
        f"\nThe agent takes {steps:,} steps: {steps / seconds:,.0f} steps/s, start and end of its program included.\n"
    )
    RESULTS.write_text("\n".join(lines))
    print(json.dumps({name: quantiles(row, n=10)[4] for name, row in times.items()}, indent=1))
    print("\n".join(lines[2:]))


if __name__ == "__main__":
    main()
