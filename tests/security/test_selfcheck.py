"""The self-check passes in a real sandbox, and tells what is wrong where it is."""

from __future__ import annotations

import pytest

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.models import Execution, Outcome, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.self_check import CANARIES, run_selfcheck
from rlplatform.testing.sandboxes import ScriptedPool, ended, exited


@pytest.mark.docker
@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
def test_all_is_well_in_a_real_sandbox(docker_pool: DockerPool, tier: Tier) -> None:
    assert [check for check in run_selfcheck(docker_pool, tier) if not check.ok] == []


def test_every_hole_is_explained() -> None:
    results = run_selfcheck(ScriptedPool(lambda program, execution: exited(b"open\n"), slots=1))
    assert len(results) == len(CANARIES)
    assert not any(check.ok for check in results)
    assert all(check.detail and "open" in check.detail for check in results)


def test_only_the_failing_check_is_reported() -> None:
    def play(program: Program, execution: Execution) -> Outcome:
        canary = next(c for c in CANARIES if c.source.encode() == program.files["main.py"])
        if canary.name == "memory":
            return ended(OutcomeKind.WALL_TIME_EXCEEDED)
        return (
            exited(canary.stdout)
            if canary.kind is OutcomeKind.EXITED
            else Outcome(canary.kind, exited().usage, stdout=canary.stdout)
        )

    failed = [check for check in run_selfcheck(ScriptedPool(play)) if not check.ok]
    assert [check.name for check in failed] == ["memory"]
    assert "OOM" in (failed[0].detail or "")


def test_our_own_failure_is_a_result() -> None:
    pool = ScriptedPool([SandboxFault("lost")] * len(CANARIES))
    assert {check.detail for check in run_selfcheck(pool)} == {"lost"}
    pool.unavailable = "no engine"
    assert {check.detail for check in run_selfcheck(pool)} == {"no engine"}
