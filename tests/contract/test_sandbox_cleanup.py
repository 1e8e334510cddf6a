"""Crashes of any part leave no container, process or file of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.docker_engine import OWNER_LABEL, Engine
from rlplatform.sandbox.models import Execution, Limits, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings
from tests.waiting import comes_true

pytestmark = pytest.mark.docker

SPIN = Program({"main.py": b"while True: pass"})
LONG = Limits(cpu_time_s=60, wall_time_s=120)

OWNER_PROGRAM = """
import sys, threading
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.models import Execution, Limits, Program, Tier
from rlplatform.settings import SandboxSettings

pool = DockerPool(SandboxSettings(state_dir=sys.argv[1], warm=1, slots=3), sys.argv[2])
limits = Limits(cpu_time_s=60, wall_time_s=120)
for tier in (Tier.SINGLE_USE, Tier.JAIL):
    sandbox = pool.open(Program({"main.py": b"print(flush=True)\\nwhile True: pass"}), limits, tier)
    threading.Thread(target=sandbox.run, args=(Execution(limits),), daemon=True).start()
print("running", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def engine(docker_pool: DockerPool) -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def owner(docker_pool: DockerPool, sandbox_state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Another process that owns sandboxes, two of them in the middle of an execution."""
    name = f"victim-{os.getpid()}"
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER_PROGRAM, str(sandbox_state), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    yield name, process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_owner_leaves_nothing(
    engine: Engine, sandbox_state: Path, owner: tuple[str, subprocess.Popen[str]], number: int
) -> None:
    name, process = owner
    assert len(engine.list(**{OWNER_LABEL: name})) >= 2
    process.send_signal(number)
    process.wait(10)
    assert comes_true(lambda: engine.list(**{OWNER_LABEL: name}) == [], 15)
    assert comes_true(lambda: not (sandbox_state / name).exists(), 15), "the pool that lives must sweep the folder"


def test_a_living_owner_is_left_alone(
    engine: Engine, docker_pool: DockerPool, owner: tuple[str, subprocess.Popen[str]]
) -> None:
    name, _ = owner
    before = {entry.id for entry in engine.list(**{OWNER_LABEL: name})}
    docker_pool._reaper.sweep()
    assert before <= {entry.id for entry in engine.list(**{OWNER_LABEL: name})}


def test_an_owner_is_one_process(owner: tuple[str, subprocess.Popen[str]], sandbox_state: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="another process owns"):
        DockerPool(SandboxSettings(state_dir=sandbox_state), owner[0])


def test_a_killed_owner_can_come_back_at_once(
    engine: Engine, owner: tuple[str, subprocess.Popen[str]], sandbox_state: Path
) -> None:
    name, process = owner
    old = {entry.id for entry in engine.list(**{OWNER_LABEL: name})}
    process.kill()
    process.wait()
    pool = DockerPool(SandboxSettings(state_dir=sandbox_state, warm=0), name)
    assert comes_true(lambda: not old & {entry.id for entry in engine.list(**{OWNER_LABEL: name})}, 15)
    pool.close()
    assert engine.list(**{OWNER_LABEL: name}) == []
    assert not (sandbox_state / name).exists()


def test_closing_a_pool_ends_what_runs(make_pool: Callable[..., DockerPool], engine: Engine) -> None:
    pool = make_pool("tests-closing", warm=1)
    sandbox = pool.open(SPIN, LONG, Tier.SINGLE_USE)
    ended = threading.Event()

    def run() -> None:
        try:
            sandbox.run(Execution(LONG))
        except SandboxFault:
            ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.3)
    pool.close()
    assert ended.wait(15)
    thread.join()
    sandbox.close()
    assert engine.list(**{OWNER_LABEL: "tests-closing"}) == []


def test_an_idle_guest_that_nobody_pings_leaves(make_pool: Callable[..., DockerPool], engine: Engine) -> None:
    pool = make_pool("tests-lease", warm=0, lease_s=1.0)
    sandbox = pool.open(SPIN, LONG, Tier.SINGLE_USE)
    labels = {OWNER_LABEL: "tests-lease"}
    assert len(engine.list(**labels)) == 1
    assert comes_true(lambda: engine.list(**labels) == [], 10)
    with pytest.raises(SandboxFault):
        sandbox.run(Execution(LONG))
    sandbox.close()
    pool.close()


def test_warm_containers_outlive_their_lease_while_their_owner_cares(
    make_pool: Callable[..., DockerPool], engine: Engine
) -> None:
    pool = make_pool("tests-ping", warm=1, lease_s=3.0)
    assert comes_true(lambda: pool.status().warm == 1, 10)
    kept = {entry.id for entry in engine.list(**{OWNER_LABEL: "tests-ping"})}
    time.sleep(7)
    assert {entry.id for entry in engine.list(**{OWNER_LABEL: "tests-ping"})} == kept
    pool.close()


def test_a_killed_warm_container_is_replaced(make_pool: Callable[..., DockerPool], engine: Engine) -> None:
    pool = make_pool("tests-killed", warm=1)
    assert comes_true(lambda: pool.status().warm == 1, 10)
    (victim,) = engine.list(**{OWNER_LABEL: "tests-killed"})
    engine.remove(victim.id)
    sandbox = pool.open(Program({"main.py": b"print(1)"}), Limits(), Tier.SINGLE_USE)
    assert sandbox.run(Execution(Limits())).stdout == b"1\n"
    sandbox.close()
    pool.close()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"docker_host": "unix:///nowhere/docker.sock"}, "no Docker engine answers"),
        ({"docker_host": "tcp://127.0.0.1:1"}, "must be on this machine"),
        ({"image": "no-such-image"}, "rlp image build no-such-image"),
        ({"image": "rlp-no-such-image:latest"}, "no image 'rlp-no-such-image:latest'"),
        ({"image": "rlp-sandbox-base:bookworm-1"}, "another version of the guest"),
        ({"runtime": "no-such-runtime"}, "no runtime 'no-such-runtime'"),
        ({"state_dir": "/proc/nowhere"}, "RLP_SANDBOX__STATE_DIR"),
        ({"cores": "x"}, "RLP_SANDBOX__CORES"),
    ],
)
def test_what_is_missing_is_named(
    docker_pool: DockerPool, sandbox_state: Path, settings: dict[str, object], reason: str
) -> None:
    fields: dict[str, object] = {"state_dir": sandbox_state, **settings}
    with pytest.raises(SandboxUnavailable, match=reason):
        DockerPool(SandboxSettings.model_validate(fields), "tests-missing")
