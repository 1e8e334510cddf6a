"""``python -m tests.chaos.probe ADDRESS``: answers every line of its input with what a Ray cluster holds, as JSON.

A process of its own, so that the death of what it looks at is not the test's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]


class Actor(NamedTuple):
    """A living actor. ``cls`` is the class that it is of; ``name`` may be empty."""

    name: str
    cls: str
    pid: int
    node: str


class Probe:
    """A connection to the cluster at ``address``. ``within`` is a command that the process is to be started with."""

    def __init__(self, address: str, within: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [*within, sys.executable, "-m", "tests.chaos.probe", address],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> dict[str, Any]:
        """``actors`` that live, and the names of the placement ``groups`` that stand."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("{"):  # what Ray says of a lost node goes there, too
                return dict(json.loads(line))
        raise AssertionError("the probe is gone")

    def actors(self) -> list[Actor]:
        return [Actor(*fields) for fields in self.ask()["actors"]]

    def groups(self) -> list[str]:
        return list(self.ask()["groups"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def main(address: str) -> None:
    import ray
    from ray._private.state import actors
    from ray.util.placement_group import placement_group_table

    ray.init(address=address, namespace="probe", log_to_driver=False, logging_level="ERROR")
    for _ in sys.stdin:
        living = [
            (a["Name"], a["ActorClassName"], a["Pid"], a["Address"]["NodeID"])
            for a in actors().values()
            if a["State"] == "ALIVE"
        ]
        groups = [group["name"] for group in placement_group_table().values() if group["state"] != "REMOVED"]
        sys.stdout.write(json.dumps({"actors": living, "groups": groups}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
