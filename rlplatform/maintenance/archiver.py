"""Archiver: moves the events of finished runs from the store into the archive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from rlplatform.clock import Clock
from rlplatform.errors import NotFound, StorageError
from rlplatform.runs.archive import EventArchive
from rlplatform.runs.events import stream_of
from rlplatform.runs.ports import EncodedEvent
from rlplatform.settings import ArchiveSettings
from rlplatform.store import Store

_PAGE = 1000
_RUNS = 100
_FAILURES = 20  # then the rest waits for the next sweep


class Archiver:
    """Archives the events of runs that finished long enough ago.

    The archive has all events of a run, and has flushed them, before the store drops any. If the archiver is killed in
    between, both have them: readers take those of the store, and the next sweep writes the file again.
    """

    def __init__(self, store: Store, archive: EventArchive, settings: ArchiveSettings, clock: Clock) -> None:
        self._store = store
        self._archive = archive
        self._settings = settings
        self._clock = clock

    async def sweep(self) -> int:
        """Archive what is due; return the number of runs.

        Raises:
            StorageError: some runs cannot be archived. The others are.
        """
        if self._settings.after_days is None:
            return 0
        before = self._clock.now() - timedelta(days=self._settings.after_days)
        swept, failed = 0, dict[str, StorageError]()
        while True:
            found = await self._store.list_unarchived(finished_before=before, limit=_RUNS + len(failed))
            due = [run_id for run_id in found if run_id not in failed]
            for run_id in due:
                if len(failed) == _FAILURES:
                    break
                try:
                    await self.archive(run_id)
                    swept += 1
                except StorageError as error:
                    failed[run_id] = error
            if len(failed) == _FAILURES or (failed and not due):
                raise StorageError(f"{len(failed)} runs are not archived, {swept} are: {next(iter(failed.values()))}")
            if not due:
                return swept

    async def archive(self, run_id: str) -> None:
        """Archive the events of one finished run. A run that is removed meanwhile leaves nothing behind.

        Raises:
            Conflict: it has not finished.
            StorageError: the archive or the store failed.
        """
        lines = self._lines(run_id, asyncio.get_running_loop())
        try:
            archived = await asyncio.to_thread(self._archive.write, run_id, lines)
            await self._store.trim(run_id, archived=archived)
        except NotFound:
            await asyncio.to_thread(self._archive.delete, run_id)

    def _lines(self, run_id: str, loop: asyncio.AbstractEventLoop) -> Iterator[EncodedEvent]:
        """Yield the events of a run in a thread. They are read in the event loop, page by page: there may be many."""
        after = 0
        while True:
            reading = self._store.read(stream_of(run_id), after=after, limit=_PAGE)
            page = asyncio.run_coroutine_threadsafe(reading, loop).result()
            if not page:
                return
            yield from page
            after = page[-1].seq
