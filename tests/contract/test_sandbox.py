"""The sandbox pools against their contract, and the fake's own refusals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.ports import SandboxPool
from rlplatform.testing.contracts.sandbox import DOUBLE, LIMITS, SandboxPoolContract
from rlplatform.testing.sandboxes import ScriptedPool, ended, exited


def play_double(program: Program, execution: Execution) -> Outcome:
    assert program == DOUBLE
    try:
        return exited(b"%d\n" % (2 * int(execution.stdin)))
    except ValueError:
        return exited(code=1)


class TestScriptedPool(SandboxPoolContract):
    @pytest.fixture
    def pool(self) -> SandboxPool:
        return ScriptedPool(play_double)

    @pytest.fixture
    def fresh_pool(self) -> SandboxPool:
        return ScriptedPool(play_double)

    def test_follows_the_script_and_refuses_to_go_on_after_a_fault(self) -> None:
        pool = ScriptedPool([ended(OutcomeKind.CPU_TIME_EXCEEDED), SandboxFault("lost")])
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        assert sandbox.run(Execution(LIMITS)).kind is OutcomeKind.CPU_TIME_EXCEEDED
        for _ in range(2):
            with pytest.raises(SandboxFault, match="lost"):
                sandbox.run(Execution(LIMITS))

    def test_says_why_it_is_unavailable(self) -> None:
        pool = ScriptedPool(play_double)
        pool.unavailable = "no engine"
        assert pool.status().reason == "no engine"
        with pytest.raises(SandboxUnavailable, match="no engine"):
            pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)

    def test_an_exhausted_script_is_the_tests_mistake(self) -> None:
        sandbox = ScriptedPool([]).open(DOUBLE, Limits(), Tier.SINGLE_USE)
        with pytest.raises(AssertionError, match="script"):
            sandbox.run(Execution(LIMITS))


@pytest.mark.docker
class TestDockerPool(SandboxPoolContract):
    @pytest.fixture
    def pool(self, docker_pool: DockerPool) -> SandboxPool:
        return docker_pool

    @pytest.fixture
    def fresh_pool(self, make_pool) -> Iterator[SandboxPool]:
        pool = make_pool("tests-fresh", warm=0)
        yield pool
        pool.close()
