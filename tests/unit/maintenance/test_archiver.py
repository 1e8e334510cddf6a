"""Events of finished runs are archived when they are due; those of other runs stay in the store."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from rlplatform.errors import StorageError
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.ports import EncodedEvent
from rlplatform.settings import ArchiveSettings
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.archive import MemoryArchive
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.samples import evaluation_run, finished, queued, seqs

pytestmark = pytest.mark.anyio

DAY_S = 86400.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class FullArchive(MemoryArchive):
    """An archive that refuses the runs ``refused``."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def write(self, run_id: str, lines: Iterable[EncodedEvent]) -> int:
        if run_id in self.refused:
            raise StorageError("no space is left")
        return super().write(run_id, lines)


class Bench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.archive = FullArchive()
        self.store = ArchivedStore(MemoryStore(self.clock), self.archive)

    def archiver(self, after_days: float | None) -> Archiver:
        return Archiver(self.store, self.archive, ArchiveSettings(after_days=after_days), self.clock)

    async def evaluation(self, *, over: bool = True) -> EvaluationRun:
        run = evaluation_run(self.clock)
        await self.store.create(run, queued(run, self.clock))
        if over:
            await self.store.append(run.stream, [finished(run, self.clock)])
        return run


async def test_events_are_archived_so_many_days_after_the_end_of_their_run() -> None:
    bench = Bench()
    old = [await bench.evaluation() for _ in range(230)]
    going_on = await bench.evaluation(over=False)
    await bench.clock.advance(DAY_S)
    young = await bench.evaluation()
    await bench.clock.advance(6 * DAY_S)
    assert await bench.archiver(7).sweep() == 0
    await bench.clock.advance(1)
    assert await bench.archiver(7).sweep() == len(old)
    assert bench.archive.run_ids() == sorted(run.id for run in old)
    assert await bench.archiver(7).sweep() == 0
    for run in (old[0], young):
        assert seqs(await bench.store.read(run.stream)) == [1, 2]
    assert seqs(await bench.store.read(going_on.stream)) == [1]


async def test_without_a_number_of_days_all_events_stay_in_the_store() -> None:
    bench = Bench()
    await bench.evaluation()
    await bench.clock.advance(10_000 * DAY_S)
    assert await bench.archiver(None).sweep() == 0
    assert bench.archive.run_ids() == []


async def test_a_run_that_cannot_be_archived_does_not_keep_the_others_from_it() -> None:
    bench = Bench()
    runs = [await bench.evaluation() for _ in range(150)]
    bench.archive.refused = {runs[0].id, runs[120].id}
    await bench.clock.advance(DAY_S)
    with pytest.raises(StorageError, match="2 runs are not archived, 148 are: no space"):
        await bench.archiver(0).sweep()
    assert seqs(await bench.store.read(runs[0].stream)) == [1, 2]
    bench.archive.refused.clear()
    assert await bench.archiver(0).sweep() == 2


async def test_a_broken_archive_is_not_tried_for_every_run() -> None:
    bench = Bench()
    runs = [await bench.evaluation() for _ in range(150)]
    bench.archive.refused = {run.id for run in runs}
    await bench.clock.advance(DAY_S)
    with pytest.raises(StorageError, match="20 runs are not archived, 0 are"):
        await bench.archiver(0).sweep()


async def test_a_missing_archive_is_a_storage_error() -> None:
    bench = Bench()
    run = await bench.evaluation()
    await bench.archiver(7).archive(run.id)
    bench.archive.delete(run.id)
    with pytest.raises(StorageError, match="missing in the archive"):
        await bench.store.read(run.stream)
