"""Tier *gvisor*, where the engine has its runtime; and its refusal where it has not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.docker_engine import APP_LABEL, Engine
from rlplatform.sandbox.execution.cgroups import Hierarchy
from rlplatform.sandbox.images.builder import require_image
from rlplatform.sandbox.models import Call, Execution, Flavour, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.container import TMPFS, ContainerSpec, start_container
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.pool.gvisor_runtime import require_gvisor
from rlplatform.sandbox.pool.seccomp import load_profile
from rlplatform.sandbox.pool.users import DEFAULT_RANGE, Users
from rlplatform.sandbox.self_check import run_selfcheck

pytestmark = pytest.mark.docker

SUM = Program({"main.py": b"from helper import solve", "helper.py": b"def solve(a, b):\n    return a + b"})
BOMB = Program({"main.py": b"import os, time\nwhile os.fork(): pass\ntime.sleep(60)"})


@pytest.mark.chaos  # a container a check
def test_the_self_check_passes(gvisor_pool: DockerPool) -> None:
    assert [finding for finding in run_selfcheck(gvisor_pool, Tier.GVISOR) if not finding.ok] == []


def test_executions_follow_one_another_in_one_container(gvisor_pool: DockerPool) -> None:
    sandbox = gvisor_pool.open(SUM, Limits(), Tier.GVISOR)
    outcomes = [sandbox.run(Execution(Limits(), call=Call("solve", [1, number]))) for number in range(3)]
    sandbox.close()
    assert sandbox.info.tier is Tier.GVISOR
    assert sandbox.info.runtime == "runsc"
    assert [outcome.returned for outcome in outcomes] == [b"1", b"2", b"3"]
    assert all(outcome.usage.cpu_time_s > 0 and outcome.usage.peak_memory_bytes > 0 for outcome in outcomes)


def test_what_costs_the_kernel_its_life_is_the_programs_own_doing(gvisor_pool: DockerPool) -> None:
    limits = Limits(memory_mib=2048, cpu_time_s=20, wall_time_s=60)
    sandbox = gvisor_pool.open(BOMB, limits, Tier.GVISOR)
    outcome = sandbox.run(Execution(limits))
    sandbox.close()
    assert (outcome.kind, outcome.detail) == (OutcomeKind.SIGNALLED, "too many processes")


def test_what_is_not_gvisor_does_not_serve_its_tier(docker_pool: DockerPool, make_pool) -> None:
    with closing(make_pool("tests-no-gvisor", warm=0, gvisor_runtime="runc")) as pool:
        with pytest.raises(SandboxUnavailable, match="lacks --network=none and --host-uds=open in its runtimeArgs"):
            pool.open(SUM, Limits(), Tier.GVISOR)
        assert pool.status().available


def test_flags_are_read_as_runsc_reads_them() -> None:
    class Flags:
        def __init__(self, *flags: str) -> None:
            self.flags = flags

        def runtime_arguments(self, runtime: str) -> list[str]:
            return list(self.flags)

    require_gvisor(Flags("-network=none", "--host-uds=all"), "x")  # type: ignore[arg-type]
    for missing in (("--network=none",), ("--network=host", "--host-uds=open"), ("--network=none", "--host-uds=none")):
        with pytest.raises(SandboxUnavailable, match=r"daemon\.json"):
            require_gvisor(Flags(*missing), "x")  # type: ignore[arg-type]


def test_another_kernel_is_found_out(docker_pool: DockerPool, sandbox_state: Path) -> None:
    with closing(Engine()) as engine:
        recipe = ContainerSpec(
            image_digest=require_image(engine, Flavour.PYTHON.image).digest,
            runtime="runc",
            profile=load_profile("sandbox"),
            cpus="0",
            labels={APP_LABEL: "1"},
            lease_s=60.0,
            tmpfs=TMPFS,
            tier=Tier.GVISOR,
        )
        with pytest.raises(SandboxFault, match="under the runtime 'runc' the kernel is 'linux'"):
            start_container(
                engine, Hierarchy(), recipe, Users(DEFAULT_RANGE), sandbox_state.parent, sandbox_state.parent
            )
