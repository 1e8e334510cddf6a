"""The Docker engine is stopped, or killed, in the middle of an execution, and comes back. It is the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.docker_engine import OWNER_LABEL, Engine
from rlplatform.sandbox.models import Execution, Flavour, Limits, Outcome, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.settings import SandboxSettings
from tests.waiting import comes_true

pytestmark = pytest.mark.docker

LIMITS = Limits(cpu_time_s=30, wall_time_s=60)
OWNER = "tests-restart"


class OwnEngine:
    """A ``dockerd`` with everything below ``folder``: it disturbs no other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        folder = self._folder
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    # without a bridge it would remove the one of the machine's own engine; mounts would be left behind
                    *("unshare", "--net", "--mount"),
                    "dockerd",
                    *("--host", self.host),
                    *("--data-root", str(folder / "data")),
                    *("--exec-root", str(folder / "exec")),
                    *("--pidfile", str(folder / "pid")),
                    *("--bridge", "none", "--iptables=false"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        assert comes_true(self._answers, 30), (folder / "log").read_text()[-2000:]

    def end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)
        for left in ("pid", "exec/containerd/containerd.pid"):  # a killed one's: see cluster/setup.py
            (self._folder / left).unlink(missing_ok=True)

    def _answers(self) -> bool:
        with suppress(SandboxUnavailable), closing(Engine(self.host)):
            return True
        return False


@pytest.fixture(scope="module")
def own_engine(docker_pool: DockerPool, sandbox_state: Path, missing: Callable[[str], None]) -> Iterator[OwnEngine]:
    if shutil.which("dockerd") is None or os.geteuid() != 0:
        missing("an engine of one's own needs dockerd, and root")
    folder = sandbox_state.parent / "engine"
    folder.mkdir()
    engine = OwnEngine(folder)
    engine.start()
    with closing(Engine()) as usual, closing(Engine(engine.host, timeout_s=60)) as own:
        own.api.load_image(usual.api.get_image(Flavour.PYTHON_RL.image))
    yield engine
    engine.end(signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


class Running(threading.Thread):
    """An execution in a thread: ``outcome``, or the ``fault``."""

    def __init__(self, pool: DockerPool, source: bytes) -> None:
        super().__init__()
        self.outcome: Outcome | None = None
        self.fault: SandboxFault | None = None
        self._sandbox = pool.open(Program({"main.py": source}), LIMITS, Tier.SINGLE_USE)
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._sandbox.run(Execution(LIMITS))
        except SandboxFault as fault:
            self.fault = fault
        self._sandbox.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGKILL, marks=pytest.mark.chaos)])
def test_a_pool_outlives_its_engine(own_engine: OwnEngine, sandbox_state: Path, number: int) -> None:
    state = sandbox_state.parent / "engine-state"
    settings = SandboxSettings(docker_host=own_engine.host, state_dir=state, warm=1)
    with closing(DockerPool(settings, OWNER)) as pool:
        running = Running(pool, b"import time\ntime.sleep(4)\nprint(1)")
        time.sleep(0.5)
        with closing(Engine(own_engine.host)) as engine:
            before = {entry.id for entry in engine.list()}
        assert before
        own_engine.end(number)
        own_engine.start()
        running.join(30)
        if running.fault is None:  # a killed engine's containers live on
            assert running.outcome is not None
            assert running.outcome.stdout == b"1\n"
        again = Running(pool, b"print(2)")
        again.join(30)
        assert again.outcome is not None, again.fault
        assert again.outcome.stdout == b"2\n"
        with closing(Engine(own_engine.host)) as engine:
            assert comes_true(lambda: not before & {entry.id for entry in engine.list(**{OWNER_LABEL: OWNER})}, 15)
    with closing(Engine(own_engine.host)) as engine:
        assert comes_true(lambda: not engine.list(), 15)
    assert list(state.iterdir()) == []
