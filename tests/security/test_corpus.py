"""Every hostile program against every tier that this machine has. After each, a good program is still accepted in the
same sandbox, and no container is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from corpus import Attack, load

from rlplatform.sandbox.docker_pool import DockerPool
from rlplatform.sandbox.engine import Engine
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier

ATTACKS = load()
FAMILIES = {
    "results",
    "time",
    "memory",
    "output",
    "processes",
    "state",
    "files",
    "system",
    "network",
    "kernel",
    "compiling",
}
GOOD = Program({"main.py": b"import json, math\nprint(json.dumps(math.comb(10, int(input()))))"})


def test_the_corpus_covers_every_family() -> None:
    assert len(ATTACKS) >= 60
    assert {attack.family for attack in ATTACKS} == FAMILIES


@pytest.fixture(params=[Tier.SINGLE_USE, Tier.JAIL], ids=lambda tier: tier.value)
def tier(request: pytest.FixtureRequest) -> Tier:
    return request.param


@pytest.fixture(scope="module")
def used() -> Iterator[set[str]]:
    """The containers that attacks ran in: of those for a single use, nothing may be left."""
    used: set[str] = set()
    yield used
    deadline = time.monotonic() + 15
    while (left := _left_of(used)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


@pytest.mark.docker
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_an_attack_fails_and_leaves_nothing(
    docker_pool: DockerPool, used: set[str], tier: Tier, attack: Attack
) -> None:
    sandbox = docker_pool.open(attack.program, attack.executions[0].limits, tier)
    if tier is not Tier.JAIL:
        used.add(sandbox.container_id)
    try:
        outcomes = [sandbox.run(execution) for execution in attack.executions]
    finally:
        sandbox.close()
    assert attack.complaints(outcomes) == [], attack.why
    good = docker_pool.open(GOOD, Limits(), tier)
    try:
        outcome = good.run(Execution(Limits(), b"5"))
    finally:
        good.close()
    assert (outcome.kind, outcome.stdout) == (OutcomeKind.EXITED, b"252\n")


def _left_of(containers: set[str]) -> list[str]:
    """What the engine, the control groups and the process table still know of these containers."""
    engine = Engine()
    left = [f"container {entry.id}" for entry in engine.list() if entry.id in containers]
    engine.close()
    left += [f"control group {path}" for path in Path("/sys/fs/cgroup").glob("*/docker/*") if path.name in containers]
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            groups = (folder / "cgroup").read_text() if folder.name.isdigit() else ""
            left += [f"process {folder.name}" for container in containers if container in groups]
    return left
