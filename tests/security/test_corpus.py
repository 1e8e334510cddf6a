"""Every hostile program against every tier that this machine has. After each, a good program is still accepted in the
same sandbox, and no container is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from corpus import Attack, load

from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

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
# a container of gVisor takes a second: the others run with -m 'chaos or not chaos'
ROUTINE_IN_GVISOR = {
    "abstract_socket",
    "exit_before_answer",
    "fork_bomb",
    "forbidden_calls",
    "interfaces",
    "kill_everything",
    "nested_parentheses",
    "one_shot",
    "privileges",
    "runner_descriptors",
    "spin_in_children",
    "stderr_flood",
    "write_root",
}
GOOD = Program({"main.py": b"import json, math\nprint(json.dumps(math.comb(10, int(input()))))"})


def test_the_corpus_covers_every_family() -> None:
    assert len(ATTACKS) >= 60
    assert {attack.family for attack in ATTACKS} == FAMILIES


@pytest.fixture(scope="module")
def used() -> Iterator[set[str]]:
    """The containers that attacks ran in: of those for a single use, nothing may be left."""
    used: set[str] = set()
    yield used
    deadline = time.monotonic() + 15
    while (left := _left_of(used)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left


def against_tiers() -> Iterator[Any]:
    """Every attack on every tier."""
    for tier in Tier:
        for attack in ATTACKS:
            if tier is Tier.GVISOR and attack.not_in_gvisor:
                continue
            if tier is Tier.GVISOR:
                attack = replace(attack, kinds=attack.kinds + attack.also_in_gvisor)
            slow = tier is Tier.GVISOR and attack.name not in ROUTINE_IN_GVISOR
            marks = [pytest.mark.chaos] if slow else []
            yield pytest.param(tier, attack, id=f"{tier.value}-{attack.family}-{attack.name}", marks=marks)


@pytest.mark.docker
@pytest.mark.parametrize(("tier", "attack"), list(against_tiers()))
def test_an_attack_fails_and_leaves_nothing(
    request: pytest.FixtureRequest, used: set[str], tier: Tier, attack: Attack
) -> None:
    pool: DockerPool = request.getfixturevalue("gvisor_pool" if tier is Tier.GVISOR else "docker_pool")
    sandbox = pool.open(attack.program, attack.executions[0].limits, tier)
    if tier is not Tier.JAIL:
        used.add(sandbox.container_id)
    try:
        outcomes = [sandbox.run(execution) for execution in attack.executions]
    finally:
        sandbox.close()
    assert attack.complaints(outcomes) == [], attack.why
    good = pool.open(GOOD, Limits(), tier)
    try:
        outcome = good.run(Execution(Limits(), b"5"))
    finally:
        good.close()
    assert (outcome.kind, outcome.stdout) == (OutcomeKind.EXITED, b"252\n")


def _left_of(containers: set[str]) -> list[str]:
    """Return what the engine, the control groups and the process table still know of these containers."""
    engine = Engine()
    left = [f"container {entry.id}" for entry in engine.list() if entry.id in containers]
    engine.close()
    left += [f"control group {path}" for path in Path("/sys/fs/cgroup").glob("*/docker/*") if path.name in containers]
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            groups = (folder / "cgroup").read_text() if folder.name.isdigit() else ""
            left += [f"process {folder.name}" for container in containers if container in groups]
    return left
