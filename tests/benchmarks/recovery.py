"""How soon things go on after a SIGKILL, and how soon a session begins: the targets of recovery, measured.

    python -m tests.benchmarks.recovery [--rounds 3]

On a platform as ``make run`` starts it, in a folder of its own, with PPO on CartPole-v1. Seconds from the SIGKILL until
a client of the API sees that things go on: the next iteration on its stream, the result of the evaluation that was cut
off (less its own half second), the next event after a broken connection. Needs a Docker engine and the sandbox image.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.clients import PROGRAM, Follower
from tests.chaos.rig import PPO, Rig

RESULTS = Path(__file__).parent / "results"
TARGETS_S = {"a trainer": 10.0, "an evaluator": 5.0, "a replica": 3.0, "first metric, warm": 2.0}
PROGRAM_S = 0.5


def until(happened: Callable[[], bool], timeout_s: float = 60.0) -> float:
    """Seconds until ``happened``."""
    began = time.monotonic()
    while not happened():
        if time.monotonic() - began > timeout_s:
            raise TimeoutError(f"not within {timeout_s:g} s")
        time.sleep(0.01)
    return time.monotonic() - began


class Session:
    """An unfinished training, and a client that follows it."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._began = time.monotonic()
        self.id = rig.call("POST", "/v1/trainings", **PPO)["id"]
        self.follower = Follower(rig.connect, f"trainings/{self.id}")

    def first_metric(self) -> float:
        until(lambda: self.iterations() > 0)
        return time.monotonic() - self._began

    def iterations(self, after: int = 0) -> int:
        """How many the client has seen after its first ``after`` events."""
        return sum(event["type"] == "training.iteration_completed" for event in self.follower.seen[after:])

    def killed(self, pid: int, since: str | None = None) -> float:
        """From the SIGKILL of ``pid`` to an iteration, one after an event of the type ``since`` if that is given."""
        self._rig.kill(pid)
        began, before = time.monotonic(), len(self.follower.seen)

        def goes_on() -> bool:
            types = [event["type"] for event in self.follower.seen[before:]]
            later = types[types.index(since) :] if since in types else [] if since else types
            return "training.iteration_completed" in later

        until(goes_on)
        return time.monotonic() - began

    def end(self) -> None:
        self._rig.call("POST", f"/v1/trainings/{self.id}/stop")
        self.follower.finish()


def trainer(rig: Rig, session: Session) -> float:
    return session.killed(rig.trainer(session.id), since="training.recovered")


def store_server(rig: Rig, session: Session) -> float:
    return session.killed(rig.actor("StoreServerActor").pid)


def supervisor(rig: Rig, _: Session) -> float:
    """Measure the time until a command is carried out."""
    rig.kill(rig.actor("SupervisorActor").pid)
    began = time.monotonic()
    rig.call("POST", "/v1/evaluations", source="print(1)", tests=[{"id": "t1", "expected_stdout": "1\n"}])
    return time.monotonic() - began


def evaluator(rig: Rig, _: Session) -> float:
    tests = [{"id": "t1", "stdin": "1\n", "expected_stdout": "2\n"}]
    run_id = rig.call("POST", "/v1/evaluations", source=PROGRAM.format(seconds=PROGRAM_S), tests=tests)["id"]

    def state() -> str:
        return str(rig.call("GET", f"/v1/evaluations/{run_id}")["state"])

    until(lambda: state() == "running")
    rig.kill(rig.actor("EvaluatorActor").pid)
    return until(lambda: state() == "finished") - PROGRAM_S


def replica(rig: Rig, session: Session) -> float:
    """The one that holds the streams: until the client, whose connection broke, has its next event."""
    connections = session.follower.connections
    rig.kill(rig.actor("ServeReplica", "streams").pid)
    began = time.monotonic()
    until(lambda: session.follower.connections > connections)
    seen = len(session.follower.seen)
    until(lambda: len(session.follower.seen) > seen)
    return time.monotonic() - began


MEASURES: dict[str, Callable[[Rig, Session], float]] = {
    "a trainer": trainer,
    "an evaluator": evaluator,
    "a replica": replica,
    "the supervisor": supervisor,
    "the store server": store_server,
}


def measure(rig: Rig, rounds: int) -> dict[str, list[float]]:
    """Seconds by what was killed. Every kill is of a platform that is whole and at work."""
    found: dict[str, list[float]] = {"first metric, warm": []}
    for name, taken in MEASURES.items():
        found[name] = []
        for _ in range(rounds):
            rig.await_true(lambda: len(rig.actors("TrainerActor", "^warm")) == 1, 60, "a trainer is warm")
            time.sleep(12)  # its imports, and a round in which the supervisor learns of them
            session = Session(rig)
            found["first metric, warm"].append(session.first_metric())
            until(lambda: session.iterations() > 12)  # noqa: B023
            found[name].append(taken(rig, session))
            session.end()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="rlp-") as name:
        Path(name).chmod(0o711)
        rig = Rig(Path(name), {})
        try:
            rig.start()
            found = measure(rig, rounds)
            rig.stop()
        finally:
            rig.close()
    load = os.getloadavg()[0]
    lines = ["| after the death of | median s | worst s | target s |", "| --- | --- | --- | --- |"]
    for what, seconds in found.items():
        lines.append(f"| {what} | {statistics.median(seconds):.1f} | {max(seconds):.1f} | {TARGETS_S.get(what, '')} |")
    lines.append(f"\n{rounds} rounds, {os.cpu_count()} cores, load average {load:.1f}")
    print("\n".join(lines))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "recovery.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "recovery.json").write_text(json.dumps({"seconds": found, "load": load, "cores": os.cpu_count()}) + "\n")


if __name__ == "__main__":
    main()
