"""The one thread that writes to a SQLite database. Waiting jobs are committed together: one fsync for many jobs."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from rlplatform.errors import PlatformError, StorageError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_MAX_BATCH = 256


class _Job(NamedTuple):
    work: Work[object]
    done: Callable[[object, BaseException | None], None]


class Writer:
    """Runs jobs one after another, each in a savepoint of its own; a job's caller is answered after the commit.

    Args:
        rolled_back: called in the writer's thread when a whole batch could not be committed.
    """

    def __init__(self, connection: sqlite3.Connection, rolled_back: Callable[[], None]) -> None:
        self._connection = connection
        self._rolled_back = rolled_back
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Work[T], committed: Callable[[], None] | None = None) -> T:
        """Do ``work`` and commit it. ``committed`` is then called in this event loop, even if the caller is cancelled.

        Raises:
            StorageError: the database refused.
        """
        if self._closed:
            raise StorageError("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: object, error: BaseException | None) -> None:
            if error is None and committed is not None:
                committed()
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def done(result: object, error: BaseException | None) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        self._jobs.put(_Job(work, done))
        return await future

    def close(self) -> None:
        """Finish what was submitted, then end. Blocking, idempotent."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            last = False
            while len(batch) < _MAX_BATCH:
                try:
                    following = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                    break
                batch.append(following)
            self._commit(batch)
            if last:
                return

    def _commit(self, batch: list[_Job]) -> None:
        answers: list[tuple[object, BaseException | None]] = []
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            answers = [self._try(job) for job in batch]
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._rolled_back()
            answers = [(None, storage_error(error))] * len(batch)
        for job, (result, failure) in zip(batch, answers, strict=True):
            job.done(result, failure)

    def _try(self, job: _Job) -> tuple[object, BaseException | None]:
        self._connection.execute("SAVEPOINT job")
        try:
            result = job.work(self._connection)
        except Exception as error:
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return None, storage_error(error) if isinstance(error, sqlite3.Error) else error
        self._connection.execute("RELEASE job")
        return result, None


def storage_error(error: sqlite3.Error) -> PlatformError:
    """Convert an error of SQLite to the platform's."""
    if isinstance(error, sqlite3.OperationalError):
        return StorageError(f"database operation failed: {error}")
    return StorageError(f"the database is damaged or was misused: {error}")
