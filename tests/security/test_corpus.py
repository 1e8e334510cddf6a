"""Every hostile program against every tier that this machine has. After each, a good program is still accepted in the
same sandbox, and no container is left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpus import Attack, load

from rlplatform.sandbox.docker_pool import DockerPool
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier

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


@pytest.mark.docker
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.family}-{attack.name}")
def test_an_attack_fails_and_leaves_nothing(docker_pool: DockerPool, tier: Tier, attack: Attack) -> None:
    assert attack.complaints(_attack(docker_pool, tier, attack)) == [], attack.why
    good = docker_pool.open(GOOD, Limits(), tier)
    try:
        outcome = good.run(Execution(Limits(), b"5"))
    finally:
        good.close()
    assert (outcome.kind, outcome.stdout) == (OutcomeKind.EXITED, b"252\n")


def _attack(pool: DockerPool, tier: Tier, attack: Attack) -> list[Outcome]:
    sandbox = pool.open(attack.program, attack.executions[0].limits, tier)
    try:
        return [sandbox.run(execution) for execution in attack.executions]
    finally:
        sandbox.close()


@pytest.fixture(scope="module", autouse=True)
def nothing_left() -> Iterator[None]:
    before = _sandbox_processes()
    yield
    deadline = time.monotonic() + 15
    while len(_sandbox_processes() - before) > 3 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert len(_sandbox_processes() - before) <= 3, "processes of the sandbox user are left beyond the warm containers"


def _sandbox_processes() -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if folder.stat().st_uid == 65534 or b"/opt/rlp" in (folder / "cmdline").read_bytes():
                    found.add(int(folder.name))
            except OSError:
                continue
    return found
