"""Containers with jails: who shares one, and when it is replaced."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

LIMITS = Limits(memory_mib=64)
HELLO = Program({"main.py": b"print(1)"})


@pytest.fixture
def pool(make_pool) -> Iterator[DockerPool]:
    pool = make_pool("tests-jails", warm=0, slots=2, jail_max_submissions=3)
    yield pool
    pool.close()


def submit(pool: DockerPool, program: Program = HELLO, tenant: str = "a") -> tuple[OutcomeKind, str]:
    """How ``program`` ended, and in which container."""
    sandbox = pool.open(program, LIMITS, Tier.JAIL, tenant)
    kind = sandbox.run(Execution(LIMITS)).kind
    sandbox.close()
    return kind, sandbox.container_id


def kill(container_id: str) -> None:
    engine = Engine()
    engine.remove(container_id)
    engine.close()


def test_a_tenant_reuses_its_container_until_it_is_worn(pool: DockerPool) -> None:
    used = [submit(pool)[1] for _ in range(4)]
    assert used[0] == used[1] == used[2] != used[3]


def test_tenants_never_share_a_container(pool: DockerPool) -> None:
    first, second, third = (submit(pool, tenant=tenant)[1] for tenant in ("a", "b", "a"))
    assert first != second
    assert first == third


def test_a_program_that_is_stopped_does_not_cost_the_container(pool: DockerPool) -> None:
    good = submit(pool)[1]
    assert submit(pool, Program({"main.py": b"x = bytearray(1 << 28)"})) == (OutcomeKind.MEMORY_EXCEEDED, good)
    assert submit(pool) == (OutcomeKind.EXITED, good)


def test_an_anomaly_costs_the_container(pool: DockerPool) -> None:
    sandbox = pool.open(HELLO, LIMITS, Tier.JAIL, "a")
    kill(sandbox.container_id)
    with pytest.raises(SandboxFault):
        sandbox.run(Execution(LIMITS))
    sandbox.close()
    assert submit(pool)[1] != sandbox.container_id


def test_results_say_that_they_come_from_a_jail(pool: DockerPool) -> None:
    jail = pool.open(HELLO, LIMITS, Tier.JAIL)
    single = pool.open(HELLO, LIMITS, Tier.SINGLE_USE)
    assert jail.info.tier is Tier.JAIL
    assert jail.info.seccomp_digest != single.info.seccomp_digest
    jail.close()
    single.close()
