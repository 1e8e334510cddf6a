"""``make soak``: a platform under mixed load, one of its parts killed at random again and again, for many minutes.

    python -m tests.chaos.soak [--minutes 20] [--kill-every 20] [--seed 0]

All the while two clients follow every training, programs are evaluated, and what the processes hold is sampled. At the
end every log is read past the platform and checked, nothing may be left, and nothing may have grown. The result goes to
``tests/benchmarks/results/soak.md``. Needs a Docker engine and the sandbox image.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.chaos import invariants, processes
from tests.chaos.processes import Process
from tests.chaos.rig import Rig, Scene

RESULT = Path(__file__).parents[1] / "benchmarks" / "results" / "soak.md"
SAMPLE_S = 5.0
SETTLED = 0.3
"""The part of the time that is for growing to size: pools fill, modules are imported, caches are filled."""
MOST_GROWTH = 1.25
SLACK_BYTES = 48 << 20
SLACK_DESCRIPTORS = 12
CORE = re.compile(
    r"gcs_server|raylet|SupervisorActor|StoreServerActor|EvaluatorActor|ServeController|ServeReplica|Proxy"
)

Victim = Callable[[Rig, Scene], Sequence[int]]
VICTIMS: dict[str, Victim] = {
    "trainer": lambda rig, scene: [rig.trainer(scene.training)],
    "evaluator": lambda rig, _: [a.pid for a in rig.actors("EvaluatorActor")],
    "supervisor": lambda rig, _: [a.pid for a in rig.actors("SupervisorActor")],
    "store server": lambda rig, _: [a.pid for a in rig.actors("StoreServerActor")],
    "replica": lambda rig, _: [a.pid for a in rig.actors("ServeReplica")][:1],
    "trainer and supervisor": lambda rig, scene: [
        rig.trainer(scene.training),
        *(a.pid for a in rig.actors("SupervisorActor")),
    ],
}


class Sample(NamedTuple):
    """Resources of all processes of the platform at one moment."""

    at_s: float
    processes: int
    memory_bytes: int
    descriptors: int
    sockets: int
    containers: int
    actors: int


class Watch:
    """Samples a platform, and says at the end what grew. Of one process: its whole life, if that was long enough."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._began = time.monotonic()
        self.samples: list[Sample] = []
        self._lives: dict[tuple[int, str], list[Process]] = {}

    def take(self) -> None:
        found = processes.sample(processes.marked(self._rig.mark))
        for process in found:
            if kind := CORE.search(process.command):
                self._lives.setdefault((process.pid, kind[0]), []).append(process)
        self.samples.append(
            Sample(
                time.monotonic() - self._began,
                len(found),
                sum(process.memory_bytes for process in found),
                sum(process.descriptors for process in found),
                sum(process.sockets for process in found),
                len(self._rig.containers()),
                len(self._rig.probe.actors()),
            )
        )

    def growth(self) -> list[str]:
        """Return figures that are not flat: the median of the last third against that of the third before."""
        told = []
        for field in ("processes", "memory_bytes", "descriptors", "sockets", "containers", "actors"):
            slack = {"memory_bytes": SLACK_BYTES, "containers": 3, "actors": 3, "processes": 4}.get(field, 40)
            told += _grown(f"all: {field}", [getattr(sample, field) for sample in self.samples], slack)
        for (pid, kind), life in self._lives.items():
            if len(life) >= 20:
                told += _grown(f"{kind} {pid}: memory_bytes", [p.memory_bytes for p in life], SLACK_BYTES)
                told += _grown(f"{kind} {pid}: descriptors", [p.descriptors for p in life], SLACK_DESCRIPTORS)
        return told


def _grown(what: str, values: Sequence[float], slack: float) -> list[str]:
    settled = values[int(len(values) * SETTLED) :]
    half = len(settled) // 2
    if half < 3:
        return []
    early, late = statistics.median(settled[:half]), statistics.median(settled[half:])
    return [f"{what} grew from {early:g} to {late:g}"] if late > early * MOST_GROWTH + slack else []


class Soak:
    """Scene after scene of about a minute, each with its kills, each checked at its end."""

    def __init__(self, rig: Rig, kill_every_s: float, seed: int) -> None:
        self._rig = rig
        self._every_s = kill_every_s
        self._random = random.Random(seed)
        self.watch = Watch(rig)
        self.kills: Counter[str] = Counter()
        self.scenes = self.iterations = self.redone = self.evaluations = self.retried = self.connections = 0

    def run(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._scene(min(deadline, time.monotonic() + 60))

    def _scene(self, until: float) -> None:
        scene = Scene(self._rig)
        next_kill = time.monotonic() + self._random.uniform(0.3, 1.0) * self._every_s
        while time.monotonic() < until:
            if time.monotonic() >= next_kill:
                self._kill(scene)
                next_kill = time.monotonic() + self._random.uniform(0.5, 1.5) * self._every_s
            self.watch.take()
            time.sleep(SAMPLE_S)
        scene.goes_on(timeout_s=120)
        told = scene.end()
        self.scenes += 1
        self.iterations += told.iterations
        self.redone += told.redone_iterations
        self.evaluations += len(scene.feeder.taken)
        self.retried += scene.retried()
        self.connections += scene.stays.connections + scene.returns.connections
        sys.stdout.write(f"{self.watch.samples[-1].at_s:.0f} s: {told}, {dict(self.kills)}\n")
        sys.stdout.flush()

    def _kill(self, scene: Scene) -> None:
        name = self._random.choice(sorted(VICTIMS))
        pids = [pid for pid in VICTIMS[name](self._rig, scene) if pid]
        self._rig.kill(*pids)
        self.kills[name] += bool(pids)

    def report(self, minutes: float, grown: Sequence[str]) -> str:
        first, last = (self.watch.samples[int(len(self.watch.samples) * part)] for part in (SETTLED, 0.999))
        rows = [
            f"| {field.replace('_', ' ')} | {getattr(first, field):,} | {getattr(last, field):,} | "
            f"{max(getattr(sample, field) for sample in self.watch.samples):,} |"
            for field in Sample._fields[1:]
        ]
        return "\n".join(
            [
                f"{minutes:g} minutes, {sum(self.kills.values())} kills: "
                + ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items())),
                "",
                f"{self.scenes} trainings, {self.iterations} iterations, {self.redone} of them done again; "
                f"{self.evaluations} evaluations, {self.retried} of them tried again, none lost or recorded twice; "
                f"{self.connections} connections of {2 * self.scenes} clients, every event seen once by each.",
                "",
                "| | settled | at the end | at most |",
                "| --- | --- | --- | --- |",
                *rows,
                "",
                "Grown: " + ("; ".join(grown) or "nothing") + ".",
                "",
                f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}",
            ]
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--kill-every", type=float, default=20.0, metavar="SECONDS", help="on average")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rlp-soak-") as name:
        Path(name).chmod(0o711)
        rig = Rig(Path(name), {})
        try:
            rig.start()
            soak = Soak(rig, given.kill_every, given.seed)
            soak.run(60 * given.minutes)
            rig.stop()
            invariants.check_all(rig.logs())
            grown = soak.watch.growth()
        finally:
            rig.close()
    report = soak.report(given.minutes, grown)
    sys.stdout.write(report + "\n")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(report + "\n")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
