"""A busy machine does not make a correct program too slow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from rlplatform.sandbox.models import Execution, Limits, OutcomeKind, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

HOGS = 8
LIMITS = Limits(cpu_time_s=0.4, wall_time_s=0.4)
SPIN = "import os; os.sched_setaffinity(0, {0})\nprint(flush=True)\nwhile True: pass"
WORK = b"import time\nwhile time.process_time() < 0.2: pass\nprint('done')"
IN_THREADS = b"""
import threading, time
def work():
    while time.thread_time() < 0.2: pass
thread = threading.Thread(target=work)
thread.start()
thread.join()
print('done')
"""


@pytest.fixture(scope="module")
def pool(make_pool) -> Iterator[DockerPool]:
    pool = make_pool("tests-load", warm=1, cores="0")
    yield pool
    pool.close()


@pytest.fixture
def load(pool: DockerPool) -> Iterator[None]:
    """Programs that want the sandboxes' core."""
    command = [sys.executable, "-I", "-S", "-c", SPIN]
    hogs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(HOGS)]
    for hog in hogs:
        assert hog.stdout is not None
        hog.stdout.readline()
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()
        hog.stdout.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("tier", [Tier.SINGLE_USE, Tier.JAIL])
@pytest.mark.parametrize("source", [WORK, IN_THREADS])
def test_a_correct_program_ends_well_on_a_busy_machine(pool: DockerPool, load: None, tier: Tier, source: bytes) -> None:
    sandbox = pool.open(Program({"main.py": source}), LIMITS, tier)
    outcome = sandbox.run(Execution(LIMITS))
    sandbox.close()
    assert (outcome.kind, outcome.stdout) == (OutcomeKind.EXITED, b"done\n"), outcome
    assert outcome.usage.starved_s > 0.1, "the load was too low to show anything"


def test_a_program_that_sleeps_is_stopped_on_a_busy_machine(pool: DockerPool, load: None) -> None:
    sandbox = pool.open(Program({"main.py": b"import time\ntime.sleep(60)"}), LIMITS, Tier.SINGLE_USE)
    outcome = sandbox.run(Execution(LIMITS))
    sandbox.close()
    assert outcome.kind is OutcomeKind.WALL_TIME_EXCEEDED
    assert outcome.usage.wall_time_s < 5
