"""The archive contract against all adapters; and nothing is lost or doubled when the archiver is killed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from rlplatform.clock import SystemClock
from rlplatform.errors import InvalidRequest, StorageError
from rlplatform.ids import Kind, new_id
from rlplatform.maintenance.archiver import Archiver
from rlplatform.settings import ArchiveSettings, Settings, read_settings
from rlplatform.storage import open_archive, open_platform_store, open_store
from rlplatform.storage.archive.parquet import ParquetArchive
from rlplatform.testing.archive import MemoryArchive
from rlplatform.testing.contracts.archive import ArchiveContract, lines_of
from rlplatform.testing.samples import evaluation_run, finished, iteration, queued, retried, training_run
from rlplatform.training.events import TrainingSucceeded
from rlplatform.training.models import Progress
from tests.contract.s3 import s3_server

KILLS = 3


class TestMemoryArchive(ArchiveContract):
    @pytest.fixture
    def archive(self) -> MemoryArchive:
        return MemoryArchive()


class TestParquetArchive(ArchiveContract):
    @pytest.fixture
    def archive(self, tmp_path: Path) -> ParquetArchive:
        return ParquetArchive(str(tmp_path / "archive"))

    def test_a_damaged_file_is_a_storage_error(self, archive: ParquetArchive, tmp_path: Path) -> None:
        archive.write(run_id := new_id(Kind.TRAINING), lines_of(3))
        (file,) = (tmp_path / "archive").rglob("*.parquet")
        file.write_bytes(file.read_bytes()[:-20])
        with pytest.raises(StorageError):
            archive.read(run_id)

    def test_a_file_that_cannot_be_written_is_a_storage_error(self, tmp_path: Path) -> None:
        (tmp_path / "archive").write_text("no folder")
        with pytest.raises(StorageError):
            ParquetArchive(str(tmp_path / "archive")).write(new_id(Kind.TRAINING), lines_of(3))

    def test_a_page_reads_only_the_rows_near_it(self, archive: ParquetArchive, tmp_path: Path) -> None:
        archive.write(run_id := new_id(Kind.TRAINING), lines_of(2500))
        (file,) = (tmp_path / "archive").rglob("*.parquet")
        content = file.read_bytes()
        file.write_bytes(content[:100] + bytes(200) + content[300:])  # in the first group
        assert archive.read(run_id, after=2400, limit=10) == lines_of(2500)[2400:2410]
        with pytest.raises(StorageError):
            archive.read(run_id, after=0, limit=10)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


class TestParquetArchiveInS3(ArchiveContract):
    @pytest.fixture
    def archive(self, server: str, monkeypatch: pytest.MonkeyPatch) -> ParquetArchive:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        query = f"endpoint_override={server}&scheme=http&region=us-east-1"
        return ParquetArchive(f"s3://bucket/{uuid4().hex}/archive?{query}")


def test_other_urls_are_refused(tmp_path: Path) -> None:
    archive = open_archive(read_settings(archive={"url": "ftp://x"}, state_dir=tmp_path))
    with pytest.raises(InvalidRequest, match=r"archive\.url"):
        archive.read(new_id(Kind.TRAINING))


def platform(folder: Path) -> Settings:
    return read_settings(
        store={"url": f"sqlite:///{folder}/platform.db"}, training={"checkpoint_url": str(folder / "checkpoints")}
    )


@pytest.mark.timeout(180)
def test_an_archiver_that_is_killed_again_and_again_loses_and_doubles_nothing(tmp_path: Path) -> None:
    settings = platform(tmp_path)
    before = asyncio.run(filled(settings))
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.contract.test_archive import archive_all\n"
        "asyncio.run(archive_all(Path(sys.argv[1])))\n"
    )
    left = [len(before)]
    for answers in range(1, 1 + KILLS):  # killed a moment after so many runs were archived
        with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(answers):
                assert process.stdout.readline()
            process.kill()
        found, unarchived = asyncio.run(told(settings, list(before)))
        assert found == before
        left.append(unarchived)
    asyncio.run(archive_all(tmp_path))
    assert asyncio.run(told(settings, list(before))) == (before, 0)
    assert any(0 < number < len(before) for number in left), "none of the kills came in between"
    assert open_archive(settings).run_ids() == sorted(before)


async def archive_all(folder: Path) -> None:
    """Archive all finished runs of a platform; print a line after each step."""
    settings = platform(folder)
    store, archive = await open_platform_store(settings), open_archive(settings)
    archiver = Archiver(store, archive, ArchiveSettings(), SystemClock())
    while due := await store.list_unarchived(finished_before=SystemClock().now() + timedelta(days=1), limit=1):
        await archiver.archive(due[0])
        sys.stdout.write(f"{due[0]}\n")
        sys.stdout.flush()
    await store.close()


async def filled(settings: Settings) -> dict[str, list[str]]:
    """Fill a store with finished runs; return the events of each."""
    clock = SystemClock()
    store = await open_store(settings.store.url)
    for number in range(12):
        run = evaluation_run(clock)
        await store.create(run, queued(run, clock))
        await store.append(run.stream, [*(retried(run, clock) for _ in range(number)), finished(run, clock)])
        training = training_run(clock)
        await store.create(training, queued(training, clock))
        await store.append(training.stream, [iteration(training, clock, count) for count in range(1, 100 * number)])
        end = {"stop_reason": "iterations", "progress": Progress()}
        await store.append(training.stream, [TrainingSucceeded(stream=training.stream, time=clock.now(), **end)])
    runs = [*await store.find("evaluation", limit=100), *await store.find("training", limit=100)]
    await store.close()
    return (await told(settings, [run.id for run in runs]))[0]


async def told(settings: Settings, run_ids: list[str]) -> tuple[dict[str, list[str]], int]:
    """Return the events of runs as the platform tells them, and the number of runs that are not archived."""
    store = await open_platform_store(settings)
    found = {}
    for run_id in run_ids:
        run = await store.get(run_id)
        lines = await store.read(run.stream, limit=100_000)
        assert [line.seq for line in lines] == list(range(1, run.seq + 1))
        found[run_id] = [line.data for line in lines]
    now = SystemClock().now() + timedelta(days=1)
    unarchived = len(await store.list_unarchived(finished_before=now, limit=1000))
    await store.close()
    return found, unarchived
