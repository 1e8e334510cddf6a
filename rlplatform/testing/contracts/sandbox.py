"""Contract suite of every :class:`~rlplatform.sandbox.ports.SandboxPool`."""

from __future__ import annotations

import pytest

from rlplatform.errors import InvalidRequest, SandboxFault, SandboxUnavailable
from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.ports import SandboxPool

LIMITS = Limits()
DOUBLE = Program({"main.py": b"print(int(input()) * 2)"})
"""What the suite runs: prints twice the number that it reads; anything else on stdin is its exit status 1."""


class SandboxPoolContract:
    """Subclasses provide the fixtures ``pool`` (two slots, tier single-use; may be shared) and ``fresh_pool`` (one that
    the test closes). A pool that runs nothing plays :data:`DOUBLE`."""

    def test_runs_the_program_in_each_execution_anew(self, pool: SandboxPool) -> None:
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        for number in (1, 21):
            outcome = sandbox.run(Execution(LIMITS, stdin=b"%d\n" % number))
            assert (outcome.kind, outcome.exit_code) == (OutcomeKind.EXITED, 0)
            assert outcome.stdout == b"%d\n" % (2 * number)
        assert sandbox.run(Execution(LIMITS, stdin=b"x")).exit_code == 1
        sandbox.close()

    def test_says_where_a_program_runs(self, pool: SandboxPool) -> None:
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        assert sandbox.info.tier is Tier.SINGLE_USE
        assert sandbox.info.runtime
        sandbox.close()

    def test_runs_a_program_in_the_image_that_is_asked_for(self, pool: SandboxPool) -> None:
        status = pool.status()
        assert status.image is not None
        assert status.has_image(status.image)
        for asked in (None, status.image):
            sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE, image=asked)
            assert sandbox.info.image == status.image
            sandbox.close()

    def test_refuses_an_image_that_it_does_not_have(self, pool: SandboxPool) -> None:
        before = pool.status().in_use
        assert not pool.status().has_image("nowhere")
        with pytest.raises(SandboxFault, match="no image 'nowhere'"):
            pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE, image="nowhere")
        assert pool.status().in_use == before

    def test_counts_what_is_in_use(self, pool: SandboxPool) -> None:
        before = pool.status()
        assert before.available
        assert before.reason is None
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        assert pool.status().in_use == before.in_use + 1
        sandbox.close()
        sandbox.close()
        assert pool.status().in_use == before.in_use

    def test_a_closed_sandbox_runs_nothing(self, pool: SandboxPool) -> None:
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        sandbox.close()
        with pytest.raises(SandboxFault, match="closed"):
            sandbox.run(Execution(LIMITS, stdin=b"1"))

    def test_a_cancelled_sandbox_runs_nothing_more(self, pool: SandboxPool) -> None:
        sandbox = pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
        sandbox.cancel()
        assert sandbox.run(Execution(LIMITS, stdin=b"1")).kind is OutcomeKind.CANCELLED
        sandbox.close()

    @pytest.mark.parametrize("path", ["/etc/x.py", "../x.py", "a/../x.py", "./x.py", "a//x.py", "", "a\0b", "x" * 129])
    def test_refuses_paths_that_leave_the_box(self, pool: SandboxPool, path: str) -> None:
        with pytest.raises(InvalidRequest):
            pool.open(Program({"main.py": b"", path: b""}), LIMITS, Tier.SINGLE_USE)

    def test_refuses_a_program_without_its_entry(self, pool: SandboxPool) -> None:
        with pytest.raises(InvalidRequest, match="entry"):
            pool.open(Program({"other.py": b""}), LIMITS, Tier.SINGLE_USE)

    def test_never_lowers_a_tier(self, pool: SandboxPool) -> None:
        with pytest.raises(SandboxUnavailable, match="gvisor"):
            pool.open(DOUBLE, LIMITS, Tier.GVISOR)

    def test_a_closed_pool_opens_nothing_and_says_so(self, fresh_pool: SandboxPool) -> None:
        fresh_pool.close()
        fresh_pool.close()
        assert not fresh_pool.status().available
        assert fresh_pool.status().reason
        with pytest.raises(SandboxUnavailable, match="closed"):
            fresh_pool.open(DOUBLE, LIMITS, Tier.SINGLE_USE)
