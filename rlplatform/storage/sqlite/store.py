"""The store in one SQLite file: the embedded default.

WAL with ``synchronous=FULL``: an answered write survives a power cut. One process owns the file, by a lock beside it.
The file is not for network file systems, and not for several nodes: use Redis there.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import date, datetime
from pathlib import Path
from typing import Unpack

from rlplatform.access.api_keys import ApiKey
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, StorageError
from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.events import Event
from rlplatform.runs.index import RunFilter, RunQuery
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary
from rlplatform.storage import append_rules
from rlplatform.storage.sqlite import index as index
from rlplatform.storage.sqlite import records as records
from rlplatform.storage.sqlite import runs as runs
from rlplatform.storage.sqlite import schema
from rlplatform.storage.sqlite.write_thread import T, Work, Writer, storage_error
from rlplatform.storage.stream_notifier import StreamNotifier
from rlplatform.store import Document, OutboxEntry, Written

_CACHED_RUNS = 512
_LOCK = ".lock"
_LOCK_WAIT_S = 5.0
_CHECKED_BYTES = 64 * 2**20  # larger files are not read through on opening


class SqliteStore:
    """The ``Store`` port on a SQLite file. Open it with :meth:`open`; for one event loop."""

    def __init__(self, path: Path, lock: int, clock: Clock) -> None:
        self._clock = clock
        self._lock = lock
        self._wakeups = StreamNotifier()
        self._runs: OrderedDict[str, Run] = OrderedDict()  # for the writer thread alone
        self._write_connection = _connect(path)
        self._read_connection = _connect(path)
        self._read_connection.execute("PRAGMA query_only = ON")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="store-reader")
        self._writer = Writer(self._write_connection, rolled_back=self._runs.clear)
        self._closed = False

    @classmethod
    async def open(cls, path: Path, clock: Clock) -> SqliteStore:
        """Open or create the file at ``path``, and own it.

        Raises:
            StorageError: it is damaged, not ours, from a newer version, or owned by another process.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = await _lock(path.with_name(path.name + _LOCK), clock)
        except OSError as error:
            raise StorageError(f"{path} cannot be opened: {error}") from error
        try:
            await asyncio.to_thread(_prepare, path)
            return cls(path, lock, clock)
        except BaseException:
            os.close(lock)
            raise

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        new, encoded = append_rules.open_stream(run, first)
        now = self._clock.now()

        def work(connection: sqlite3.Connection) -> tuple[Run, bool]:
            if idempotency is not None:
                connection.execute("DELETE FROM idempotency WHERE expires_at <= ?", (now.timestamp(),))
                if (made := runs.find_by_idempotency_key(connection, idempotency, now.timestamp())) is not None:
                    return self._load(connection, made), False
            if runs.exists(connection, new.id):
                runs.check_live(connection, new)
                if (line := runs.stored_events(connection, new.id, [first]).get(first.id)) and line.seq == 1:
                    return self._load(connection, new.id), False
                raise Conflict(f"{new.id} exists")
            runs.insert(connection, new)
            runs.insert_events(connection, new.id, [first], [encoded])
            records.charge(connection, new.tenant, append_rules.opening_charges(new, first))
            if idempotency is not None:
                connection.execute(
                    "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?)",
                    (*idempotency, new.id, (now + append_rules.IDEMPOTENCY_LIFE).timestamp()),
                )
            return new, True

        return await self._writer.submit(work)

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        now = self._clock.now().timestamp()

        def work(connection: sqlite3.Connection) -> Run | None:
            made = runs.find_by_idempotency_key(connection, idempotency, now)
            return runs.load(connection, made) if made is not None else None

        return await self._read(work)

    async def get(self, run_id: str) -> Run:
        return await self._read(lambda connection: runs.load(connection, run_id))

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        wanted = RunFilter(kind=kind, **query)
        return await self._read(lambda connection: runs.find(connection, wanted))

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        wanted = RunFilter(kind=kind, **query)
        return await self._read(lambda connection: runs.summaries(connection, wanted))

    async def annotations(self, run_id: str) -> Annotations:
        return await self._read(lambda connection: index.read_annotations(connection, run_id))

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        def work(connection: sqlite3.Connection) -> Annotations:
            run = self._load(connection, run_id)
            run = run.annotated(patch.applied_to(run.annotations))
            index.annotate(connection, run)
            self._remember(run)
            return run.annotations

        return await self._writer.submit(work)

    async def remove(self, run_id: str) -> None:
        def work(connection: sqlite3.Connection) -> None:
            if runs.exists(connection, run_id):
                run = runs.load(connection, run_id)
                append_rules.check_over(run)
                records.charge(connection, run.tenant, [append_rules.removal_charge(run)])
                self._runs.pop(run_id, None)
                runs.remove(connection, run)

        await self._writer.submit(work)

    async def acquire(self, run_id: str) -> int:
        def work(connection: sqlite3.Connection) -> int:
            run = self._load(connection, run_id)
            run = run.model_copy(update={"epoch": run.epoch + 1})
            connection.execute("UPDATE runs SET epoch = ? WHERE id = ?", (run.epoch, run_id))
            self._remember(run)
            return run.epoch

        return await self._writer.submit(work)

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        run_id = append_rules.run_id_of(stream)

        def work(connection: sqlite3.Connection) -> list[EncodedEvent]:
            run = self._load(connection, run_id)
            append_rules.check_epoch(run_id, run.epoch, epoch)
            if events and run.final:
                runs.check_live(connection, run)
            lines = runs.stored_events(connection, run_id, events)
            new = [event for event in append_rules.distinct(events) if event.id not in lines]
            if new:
                before, (run, encoded) = run, append_rules.append_events(run, new)
                lines.update((event.id, line) for event, line in zip(new, encoded, strict=True))
                runs.insert_events(connection, run_id, new, encoded)
                runs.update(connection, run, new)
                records.charge(connection, run.tenant, append_rules.charges(before, run, new))
                records.put_out(connection, run, new, encoded)
                self._remember(run)
            return [lines[event.id] for event in events]

        return await self._writer.submit(work, committed=lambda: self._wakeups.notify(stream))

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        append_rules.check_limit(limit)
        append_rules.run_id_of(stream)
        return await self._read(lambda connection: runs.read_stream(connection, stream, after, limit))

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        append_rules.check_limit(limit)

        async def read_many(wanted: Mapping[str, int]) -> dict[str, Sequence[EncodedEvent]]:
            def work(connection: sqlite3.Connection) -> dict[str, Sequence[EncodedEvent]]:
                found = {stream: runs.read_stream(connection, stream, after, limit) for stream, after in wanted.items()}
                return {stream: lines for stream, lines in found.items() if lines}

            return await self._read(work)

        return await self._wakeups.tail(self._clock, cursors, wait_s, read_many)

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        append_rules.check_limit(limit)
        before = finished_before.timestamp()
        return await self._read(lambda connection: runs.list_unarchived(connection, before, limit))

    async def trim(self, run_id: str, *, archived: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            run = runs.load(connection, run_id)
            append_rules.check_trim(run, archived)
            runs.trim(connection, run)

        await self._writer.submit(work)

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        return await self._read(lambda connection: records.used(connection, tenant, day))

    async def written(self, tenant: str, day: date) -> Written:
        return await self._read(lambda connection: records.written(connection, tenant, day))

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        append_rules.check_limit(limit)
        return await self._read(lambda connection: records.read_outbox(connection, after, limit))

    async def acknowledge(self, position: int) -> None:
        await self._writer.submit(lambda connection: records.acknowledge(connection, position))

    async def put_document(self, document: Document) -> None:
        await self._writer.submit(lambda connection: records.put_document(connection, document))

    async def add_document(self, document: Document) -> Document:
        return await self._writer.submit(lambda connection: records.add_document(connection, document))

    async def replace_document(self, document: Document, expected: Document) -> bool:
        return await self._writer.submit(lambda connection: records.replace_document(connection, document, expected))

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        return await self._read(lambda connection: records.get_document(connection, kind, document_id))

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        append_rules.check_limit(limit)
        return await self._read(lambda connection: records.list_documents(connection, kind, owner, before, limit))

    async def delete_document(self, kind: str, document_id: str) -> None:
        await self._writer.submit(lambda connection: records.delete_document(connection, kind, document_id))

    async def put_key(self, key: ApiKey) -> None:
        values = (key.id, key.tenant, key.created_at.timestamp(), key.model_dump_json())
        put = """INSERT INTO keys VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET record = excluded.record
                 WHERE json_extract(keys.record, '$.revoked_at') IS NULL"""
        await self._writer.submit(lambda connection: connection.execute(put, values).rowcount)

    async def get_key(self, key_id: str) -> ApiKey | None:
        row = await self._read(
            lambda connection: connection.execute("SELECT record FROM keys WHERE id = ?", (key_id,)).fetchone()
        )
        return ApiKey.model_validate_json(row[0]) if row else None

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        query = "SELECT record FROM keys WHERE ?1 IS NULL OR tenant = ?1 ORDER BY created_at, id"
        rows = await self._read(lambda connection: connection.execute(query, (tenant,)).fetchall())
        return [ApiKey.model_validate_json(record) for (record,) in rows]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True

        def finish() -> None:
            self._writer.close()
            self._reader.shutdown()
            self._read_connection.close()
            self._write_connection.close()
            os.close(self._lock)

        await asyncio.to_thread(finish)

    async def _read(self, work: Work[T]) -> T:
        if self._closed:
            raise StorageError("the store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, work, self._read_connection)
        except sqlite3.Error as error:
            raise storage_error(error) from error

    def _load(self, connection: sqlite3.Connection, run_id: str) -> Run:
        run = self._runs.pop(run_id, None)
        return run if run is not None else runs.load(connection, run_id)

    def _remember(self, run: Run) -> None:
        """Keep ``run`` for the next append. :meth:`_load` takes it out, so that a failed job leaves none behind."""
        self._runs[run.id] = run
        if len(self._runs) > _CACHED_RUNS:
            self._runs.popitem(last=False)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _prepare(path: Path) -> None:
    """Create or migrate the file, which only its owner can read."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(_connect(path)) as connection:
            if path.stat().st_size <= _CHECKED_BYTES:
                (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if found != "ok":
                    raise sqlite3.DatabaseError(found)
            connection.execute("PRAGMA journal_mode = WAL")
            schema.migrate(connection, str(path))
    except (OSError, sqlite3.OperationalError) as error:  # locked, read-only, a full disk: no damage
        raise StorageError(f"{path} cannot be opened: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StorageError(
            f"{path} cannot be used as a database ({error}): restore a backup of it, or move it away to start afresh"
        ) from error


@asynccontextmanager
async def owned(path: Path, clock: Clock) -> AsyncIterator[None]:
    """Own the file at ``path`` for as long as this lasts, without opening it.

    Raises:
        StorageError: another process owns it.
    """
    try:
        lock = await _lock(path.with_name(path.name + _LOCK), clock)
    except OSError as error:
        raise StorageError(f"{path} cannot be opened: {error}") from error
    try:
        yield
    finally:
        os.close(lock)


async def _lock(path: Path, clock: Clock) -> int:
    """Return a descriptor that holds the lock. A dying owner gets a few seconds to release it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    waited = 0.0
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                if waited >= _LOCK_WAIT_S:
                    raise StorageError(
                        f"{path.with_suffix('')} is open in another process, and only one may own it: stop that one, "
                        "or share a redis:// store"
                    ) from None
                await clock.sleep(0.1)
                waited += 0.1
    except BaseException:
        os.close(lock)
        raise
