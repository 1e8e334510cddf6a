"""Contract suite of the stores that drop the events of finished runs, alone and with the archive that has them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from rlplatform.clock import Clock
from rlplatform.errors import Conflict, Fenced, NotFound
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.archive import EventsArchived
from rlplatform.settings import ArchiveSettings
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.store import Store
from rlplatform.testing.archive import MemoryArchive
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.opened_store import OpenedStore
from rlplatform.testing.samples import evaluation_run, finished, queued, retried, seqs


class TrimContract(OpenedStore):
    """Subclasses provide ``open_store(clock)``, an asynchronous context of a store that holds nothing."""

    async def over(self, store: Store, clock: Clock, tenant: str = "acme") -> EvaluationRun:
        """A run that has finished, with three events."""
        run = await self.started(store, clock, tenant)
        await store.append(run.stream, [retried(run, clock), finished(run, clock)])
        return run

    async def test_finished_runs_wait_for_the_archive_oldest_first(self, store: Store, clock: FakeClock) -> None:
        going_on = await self.started(store, clock)
        runs = []
        for _ in range(3):
            runs.append(await self.over(store, clock))
            await clock.advance(60)
        now = clock.now()
        assert await store.list_unarchived(finished_before=now) == [run.id for run in runs]
        assert await store.list_unarchived(finished_before=now, limit=2) == [run.id for run in runs[:2]]
        assert await store.list_unarchived(finished_before=now - timedelta(seconds=60)) == [run.id for run in runs[:2]]
        await store.trim(runs[1].id, archived=3)
        await store.remove(runs[2].id)
        assert await store.list_unarchived(finished_before=now) == [runs[0].id]
        await store.append(going_on.stream, [finished(going_on, clock)])
        later = clock.now() + timedelta(seconds=1)
        assert await store.list_unarchived(finished_before=later) == [runs[0].id, going_on.id]

    async def test_only_a_finished_run_whose_archive_is_complete_is_trimmed(
        self, store: Store, clock: FakeClock
    ) -> None:
        over, going_on = await self.over(store, clock), await self.started(store, clock)
        with pytest.raises(Conflict, match="queued"):
            await store.trim(going_on.id, archived=1)
        for wrong in (0, 2, 4):
            with pytest.raises(Conflict, match=f"3 events, and {wrong} of them"):
                await store.trim(over.id, archived=wrong)
        with pytest.raises(NotFound):
            await store.trim(evaluation_run(clock).id, archived=1)
        assert seqs(await store.read(over.stream)) == [1, 2, 3]

    async def test_a_trimmed_run_keeps_all_but_its_events(self, store: Store, clock: FakeClock) -> None:
        run, other = await self.over(store, clock), await self.over(store, clock)
        before = await self.told(store, clock)
        stored = await store.get(run.id)
        for _ in range(2):
            await store.trim(run.id, archived=3)
        assert await self.told(store, clock) == before
        assert await store.get(run.id) == stored
        assert seqs(await store.read(other.stream)) == [1, 2, 3]
        assert await store.acquire(run.id) == 1

    async def told(self, store: Store, clock: Clock) -> list[object]:
        day = clock.now().date()
        return [
            await store.find("evaluation"),
            await store.summaries("evaluation", states=["finished"]),
            *(await store.used("acme", day), await store.written("acme", day), await store.read_outbox()),
        ]

    async def test_a_store_alone_says_that_events_are_archived(self, store: Store, clock: FakeClock) -> None:
        first = queued(run := evaluation_run(clock), clock)
        await store.create(run, first)
        last = finished(run, clock)
        await store.append(run.stream, [last])
        await store.trim(run.id, archived=2)
        for attempt in (
            store.read(run.stream),
            store.read(run.stream, after=1),
            store.read(run.stream, after=-1),
            store.tail({run.stream: 1}, wait_s=60),
            store.append(run.stream, [last]),
            store.create(run, first),
        ):
            with pytest.raises(EventsArchived):
                await attempt
        assert list(await store.read(run.stream, after=2)) == []
        assert await store.tail({run.stream: 2}, wait_s=0) == {}
        assert await store.append(run.stream, []) == []
        with pytest.raises(Fenced):
            await store.append(run.stream, [last], epoch=7)

    # -- with the archive

    async def test_archived_events_are_read_as_before(self, store: Store, clock: FakeClock) -> None:
        first = queued(run := evaluation_run(clock), clock)
        whole = ArchivedStore(store, archive := MemoryArchive())
        await whole.create(run, first)
        events = [first, retried(run, clock), retried(run, clock), finished(run, clock)]
        await whole.append(run.stream, events)
        other = await self.started(whole, clock)
        pages = [(after, limit) for after in (-1, 0, 1, 3, 4, 9) for limit in (1, 2, 1000)]

        async def told() -> list[object]:
            return [
                *[list(await whole.read(run.stream, after=after, limit=limit)) for after, limit in pages],
                *[await whole.tail({run.stream: after, other.stream: 1}, wait_s=0, limit=2) for after in (0, 1, 4, 9)],
                await whole.append(run.stream, [events[3], events[1]]),
                await whole.create(run, first),
            ]

        before = await told()
        await Archiver(whole, archive, ArchiveSettings(), clock).archive(run.id)
        with pytest.raises(EventsArchived):
            await store.read(run.stream)
        assert await told() == before
        for refused in ([retried(run, clock)], [events[1], retried(run, clock)]):
            with pytest.raises(Conflict, match="finished"):
                await whole.append(run.stream, refused)
        with pytest.raises(Conflict, match=run.id):
            await whole.create(run, queued(run, clock))

    async def test_a_removed_run_leaves_nothing_in_the_archive(self, store: Store, clock: FakeClock) -> None:
        whole = ArchivedStore(store, archive := MemoryArchive())
        gone, stays = await self.over(whole, clock), await self.over(whole, clock)
        archiver = Archiver(whole, archive, ArchiveSettings(), clock)
        for run in (gone, stays):
            await archiver.archive(run.id)
        for _ in range(2):
            await whole.remove(gone.id)
        assert archive.run_ids() == [stays.id]
        with pytest.raises(NotFound):
            await whole.read(gone.stream)
        going_on = await self.started(whole, clock)
        with pytest.raises(Conflict, match="queued"):
            await whole.remove(going_on.id)
        await archiver.archive(evaluation_run(clock).id)  # removed meanwhile
        assert archive.run_ids() == [stays.id]

    async def test_a_follower_reads_through_while_its_run_is_archived(self, store: Store, clock: FakeClock) -> None:
        whole = ArchivedStore(store, archive := MemoryArchive())
        run = await self.started(whole, clock)
        cursor, read = 0, list[int]()

        async def follow() -> None:
            nonlocal cursor
            while cursor < 101:
                for lines in (await whole.tail({run.stream: cursor}, wait_s=60, limit=7)).values():
                    read.extend(seqs(lines))
                    cursor = lines[-1].seq

        await whole.append(run.stream, [retried(run, clock) for _ in range(99)])
        following = asyncio.create_task(follow())
        await whole.append(run.stream, [finished(run, clock)])
        await Archiver(whole, archive, ArchiveSettings(), clock).archive(run.id)
        async with asyncio.timeout(10):
            await following
        assert read == list(range(1, 102))
