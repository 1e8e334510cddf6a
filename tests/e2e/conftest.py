from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform import RunningPlatform, running_platform


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the sandbox user can reach: pytest's own are closed to others."""
    folder = tmp_path_factory.mktemp("platform")
    for parent in (folder, *folder.parents):
        if parent.is_relative_to(tmp_path_factory.getbasetemp().parent):
            parent.chmod(parent.stat().st_mode | 0o011)
    return folder


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of the module's platform."""
    return {}


@pytest.fixture(scope="module")
def platform(folder: Path, environment: dict[str, str]) -> Iterator[RunningPlatform]:
    with running_platform(folder, environment) as platform:
        yield platform
