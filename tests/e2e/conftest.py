from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import reachable_folder
from tests.e2e.platform import RunningPlatform, running_platform


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reachable_folder(tmp_path_factory, "platform")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """Settings of the module's platform."""
    return {}


@pytest.fixture(scope="module")
def platform(folder: Path, environment: dict[str, str]) -> Iterator[RunningPlatform]:
    with running_platform(folder, environment) as platform:
        yield platform
