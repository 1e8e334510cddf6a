"""One platform for the tests of a module that leave it well; what they killed is back when the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.chaos.rig import Rig
from tests.conftest import Missing, reachable_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reachable_folder(tmp_path_factory, "chaos")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of the module's platform."""
    return {}


@pytest.fixture(scope="module")
def engine(missing: Missing) -> None:
    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        missing(f"no Docker engine: {error}")


@pytest.fixture(scope="module")
def rig(engine: None, folder: Path, environment: dict[str, str]) -> Iterator[Rig]:
    rig = Rig(folder, environment)
    try:
        rig.start()
        yield rig
        rig.stop()
    finally:
        rig.close()


@pytest.fixture(autouse=True)
def _left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that fails is no reason for the next to."""
    yield
    if "rig" in request.fixturenames:
        rig = request.getfixturevalue("rig")
        rig.stop_trainings()
