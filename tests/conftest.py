"""Fixtures of all tests. A test that this machine cannot run is skipped with a reason; on CI it fails instead."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.docker_engine import Engine
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.pool.gvisor_runtime import require_gvisor
from rlplatform.settings import SandboxSettings

hypothesis.settings.register_profile("shared", deadline=None)  # the machine may be busy with other things
hypothesis.settings.load_profile("shared")

# A shell that starts the suite in the background has interrupts ignored, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Workers of pytest-xdist have the width of the terminal, to which rlp would fit what it writes to a pipe.
os.environ.pop("COLUMNS", None)

GVISOR_RUNTIME = "runsc"
BESIDE_OTHERS = ("tests/unit/", "tests/api/")
"""Folders whose tests can run beside any other test."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """With several workers, keep on one of them all tests that need the machine: containers, Ray, ports, the clock."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid if nodeid.startswith(BESIDE_OTHERS) else "machine"

    return Scheduling(config, log)


Missing = Callable[[str], NoReturn]


@pytest.fixture(scope="session")
def missing() -> Missing:
    """Call it with the reason why a test cannot run here."""

    def give_up(reason: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have what the tests need: {reason}", pytrace=False)
        pytest.skip(reason)

    return give_up


MakePool = Callable[..., DockerPool]


@pytest.fixture(scope="session")
def sandbox_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory for sandboxes."""
    return reachable_folder(tmp_path_factory, "sandbox")


def reachable_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A new folder that the sandbox user can reach: pytest's own are closed to others."""
    folder = tmp_path_factory.mktemp(name)
    for parent in (folder, *folder.parents):
        if parent.is_relative_to(tmp_path_factory.getbasetemp().parent):
            parent.chmod(parent.stat().st_mode | 0o011)
    return folder


@pytest.fixture(scope="session")
def make_pool(missing: Missing, sandbox_state: Path) -> MakePool:
    """Makes Docker pools; gives up when there is no engine or image. The caller closes them."""

    def make(owner: str, data_dir: Path | None = None, **settings: object) -> DockerPool:
        fields: dict[str, object] = {"state_dir": sandbox_state, "warm": 1} | settings
        try:
            return DockerPool(SandboxSettings.model_validate(fields), owner, data_dir)
        except SandboxUnavailable as error:
            missing(str(error))

    return make


@pytest.fixture(scope="session")
def gvisor_pool(make_pool: MakePool, missing: Missing) -> Iterator[DockerPool]:
    """A pool that also has the tier *gvisor*; where the engine has no runtime for it, its tests are missing."""
    try:
        with closing(Engine()) as engine:
            require_gvisor(engine, GVISOR_RUNTIME)
    except SandboxUnavailable as error:
        missing(f"{error}; `make gvisor` sets it up")
    pool = make_pool(f"gvisor-{os.getpid()}", warm=1, gvisor_runtime=GVISOR_RUNTIME)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def docker_pool(make_pool: MakePool) -> Iterator[DockerPool]:
    """One pool for all tests that only run programs."""
    pool = make_pool(f"tests-{os.getpid()}", warm=2)
    yield pool
    pool.close()
