"""A disk that is full when checkpoints are to be saved, and has room again later."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.chaos.rig import Rig, Scene, run
from tests.conftest import Missing

pytestmark = [pytest.mark.chaos, pytest.mark.e2e, pytest.mark.ray, pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> Iterator[Path]:
    """A file system of four megabytes."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "rlp-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("a small file system needs the right to mount one")
    yield folder
    run("umount", "--lazy", str(folder))


@pytest.fixture(scope="module")
def environment(disk: Path) -> dict[str, str]:
    return {"RLP_TRAINING__CHECKPOINT_URL": str(disk / "checkpoints"), "RLP_TRAINING__MAX_RESTARTS": "50"}


def test_the_disk_is_full_for_a_while(rig: Rig, disk: Path) -> None:
    scene = Scene(rig)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    rig.wait(scene.training, lambda now: now["restarts"] >= 1)
    ballast.unlink()
    scene.goes_on()
    assert scene.end().interruptions >= 1
    log = rig.logs()[f"trainings/{scene.training}"]
    reasons = [event["reason"] for event in log if event["type"] == "training.interrupted"]
    assert "No space left" in reasons[0], reasons
