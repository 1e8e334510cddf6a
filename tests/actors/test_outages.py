"""Trainings outlive damaged checkpoints, a locked database, a full disk and a lost Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
from redis import Redis

from rlplatform.errors import PlatformError
from rlplatform.settings import Settings
from rlplatform.testing.redis_server import installed, redis_server
from rlplatform.training.record import TrainingRun
from tests.actors.conftest import Stage, clear, eventually, names, placements

pytestmark = [pytest.mark.ray, pytest.mark.anyio]

Missing = Callable[[str], NoReturn]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As the module's: a test's own may be other ones."""
    return settings


@pytest.fixture
async def stage(cluster: None, settings: Settings, anyio_backend: str) -> AsyncIterator[Stage]:
    """A stage of the test's own, for the settings of its own."""
    stage = Stage(settings)
    yield stage
    await stage.store.close()
    clear()


async def completed(stage: Stage, run: TrainingRun) -> list[int]:
    """The iterations that a run's log tells of, in order."""
    return [e["iteration"] for e in await stage.events(run) if e["type"] == "training.iteration_completed"]


async def test_a_damaged_checkpoint_is_skipped_for_the_one_before(stage: Stage) -> None:
    run = await stage.train(iterations=10_000)
    await stage.until_iteration(run, 7)
    await stage.command(run, "pause")
    checkpoint = (await stage.until_state(run, "paused")).document.checkpoint
    assert checkpoint is not None
    folder = Path(stage.settings.training.checkpoint_url)
    files = [path for path in folder.rglob("simulated.json") if checkpoint.id in str(path)]
    assert files
    for path in files:
        path.write_bytes(b"x" + path.read_bytes()[1:])
    await stage.command(run, "resume")
    await stage.until_state(run, "running")
    (recovered,) = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
    assert recovered["checkpoint_id"] != checkpoint.id
    assert recovered["iteration"] == (checkpoint.iteration - 1) // 5 * 5
    assert recovered["redone_iterations"] == checkpoint.iteration - recovered["iteration"]


async def test_a_database_that_is_locked_for_a_while_costs_nothing(stage: Stage) -> None:
    run = await stage.train(iterations=60)
    await stage.until_iteration(run, 3)
    path = stage.settings.store.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(11)  # longer than a writer waits before it reports an error
        other.execute("ROLLBACK")
    done = await stage.until_state(run, "succeeded")
    assert done.document.restarts == 0
    assert await completed(stage, run) == list(range(1, 61))


class TestFullDisk:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path, missing: Missing) -> Iterator[Settings]:
        with small_disk(tmp_path / "disk", missing) as folder:
            training = settings.training.model_copy(update={"checkpoint_url": str(folder / "checkpoints")})
            yield settings.model_copy(update={"training": training})

    async def test_the_session_goes_on_from_its_last_checkpoint_when_there_is_room_again(self, stage: Stage) -> None:
        disk = Path(stage.settings.training.checkpoint_url).parent
        run = await stage.train(iterations=40)
        await stage.until_iteration(run, 6)
        ballast = disk / "ballast"
        fill(ballast)
        interrupted = await stage.until(run, lambda found: found.document.restarts >= 1)
        ballast.unlink()
        done = await stage.until_state(run, "succeeded", "failed")
        assert done.state == "succeeded", done.document.message
        reasons = [e["reason"] for e in await stage.events(run) if e["type"] == "training.interrupted"]
        assert "No space left" in reasons[0]
        assert interrupted.document.checkpoint is not None
        (first, *_) = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
        assert first["iteration"] == interrupted.document.checkpoint.iteration


class TestRedis:
    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path, missing: Missing) -> Iterator[Settings]:
        if not installed():
            missing("no redis-server: apt-get install redis-server")
        with redis_server(tmp_path) as url:
            yield settings.model_copy(update={"store": settings.store.model_copy(update={"url": url})})

    async def test_trainer_and_supervisor_are_killed(self, stage: Stage) -> None:
        assert "store_server" not in names()
        run = await stage.train(iterations=40)
        await stage.until_iteration(run, 8)
        await stage.kill(await stage.trainer(run))
        await stage.kill("supervisor")
        done = await stage.until_state(run, "succeeded")
        assert done.document.progress.iteration == 40
        assert "recovered" in await stage.types(run)
        await eventually(lambda: not placements())

    async def test_a_server_that_hangs_for_a_while_costs_nothing(self, stage: Stage) -> None:
        run = await stage.train(iterations=60)
        await stage.until_iteration(run, 3)
        with Redis.from_url(stage.settings.store.url) as redis:
            pid = int(redis.info("server")["process_id"])
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(4)
        os.kill(pid, signal.SIGCONT)
        done = await stage.until_state(run, "succeeded")
        assert done.document.restarts == 0
        assert await completed(stage, run) == list(range(1, 61))


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


@contextmanager
def small_disk(folder: Path, missing: Missing) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "rlp-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        missing("a small file system needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_command_refused_for_want_of_a_supervisor_can_be_given_again(stage: Stage) -> None:
    run = await stage.train(iterations=10_000)
    await stage.until_iteration(run, 2)
    await stage.kill("supervisor")

    async def accepted() -> bool:
        try:
            return (await stage.command(run, "stop")).desired == "stop"
        except PlatformError:
            return False

    await eventually(accepted)
    assert (await stage.until_state(run, "stopped")).final
