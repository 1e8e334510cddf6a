"""Copies of a Redis store: dumps of its keys in a SQLite file, made while others write to the store.

A run is copied with its events in one transaction. The indices are not copied; they are built again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis

from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, StorageError
from rlplatform.storage import append_rules
from rlplatform.storage.redis.records import as_storage_errors
from rlplatform.storage.redis.store import RESTORING, SCHEMA, UNARCHIVED, WITH_INDEX, RedisStore
from rlplatform.storage.sqlite.copies import Streams, complete
from rlplatform.storage.sqlite.copies import as_storage_errors as as_file_errors

_PAGE = 500
_OF_RUNS = ("run", "events", "seen")
_BUILT = ("index", "facet", "fields", "documents", UNARCHIVED)
_LAST = ("outbox", "counters")
_TABLES = (
    "CREATE TABLE entries (key TEXT PRIMARY KEY, dump BLOB NOT NULL, life_ms INTEGER NOT NULL)",
    "CREATE TABLE streams (run_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, archived INTEGER NOT NULL)",
    "CREATE TABLE schema_version (version INTEGER NOT NULL)",
)


class RedisCopier:
    """Copies a Redis store out and in. For one event loop; close it."""

    def __init__(self, url: str, clock: Clock, namespace: str) -> None:
        try:
            self._redis: Any = Redis.from_url(url, protocol=2, socket_timeout=60.0, socket_connect_timeout=5.0)
            texts: Redis = Redis.from_url(url, protocol=2, decode_responses=True, socket_timeout=60.0)
        except ValueError as error:
            raise InvalidRequest(f"the Redis URL cannot be read: {error}", field="store.url") from None
        self._texts: Any = texts
        self._store = RedisStore(texts, clock, namespace)
        self._prefix = f"{{{namespace}}}:"

    async def close(self) -> None:
        await self._redis.aclose()
        await self._store.close()

    async def copy_out(self, target: Path) -> None:
        """Copy the store into the new file ``target``.

        Documents come before the runs that they name, and the outbox after the runs: nothing names a run that is not
        there, and no notification is lost.

        Raises:
            StorageError: Redis does not answer, a stream lacks events, or the store is of another version.
        """
        with as_storage_errors():
            version = await self._redis.get(self._key("schema"))
        if version is None or int(version) != SCHEMA:
            raise StorageError(
                f"this Redis holds no store of schema {SCHEMA} (it has {version.decode() if version else 'none'}): set "
                "RLP_STORE__URL, or start this version of the platform on it first"
            )
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with as_file_errors(target), closing(sqlite3.connect(target, isolation_level=None)) as file:
            for table in _TABLES:
                file.execute(table)
            file.execute("BEGIN")
            file.execute("INSERT INTO schema_version VALUES (?)", (SCHEMA,))
            skipped = {*_OF_RUNS, *_BUILT, *_LAST, "schema", RESTORING}
            async for keys in self._scan("*"):
                await self._copy(file, [key for key in keys if key.partition(":")[0] not in skipped])
            async for keys in self._scan("run:*"):
                for key in keys:
                    await self._copy_run(file, key.partition(":")[2])
            await self._copy(file, _LAST)
            file.execute("COMMIT")

    async def check_free(self) -> None:
        """Check that there is no store in this Redis, and no platform that uses it.

        Raises:
            Conflict: there are runs or keys, or other clients are connected.
            StorageError: Redis does not answer.
        """
        with as_storage_errors():
            await self._texts.ping()
            own = {await self._texts.client_id(), await self._redis.client_id()}
            clients = await self._texts.client_list()
            unfinished = await self._redis.exists(self._key(RESTORING))
        database = next(client["db"] for client in clients if int(client["id"]) in own)
        others = [client for client in clients if int(client["id"]) not in own and client["db"] == database]
        if others:
            raise Conflict(
                f"{len(others)} other clients are connected to this Redis, {others[0]['addr']} among them: stop the "
                "platform that uses it"
            )
        async for keys in self._scan("*"):
            if not unfinished and any(key != "schema" for key in keys):
                raise Conflict(
                    "there is a store in this Redis already: set RLP_STORE__URL to an empty database of it, or empty "
                    "this one with FLUSHDB, then restore again"
                )

    async def put_in_place(self, copy: Path) -> None:
        """Fill the store from ``copy``. Until all of it is there, the platform refuses the store.

        Raises:
            Conflict: see :meth:`check_free`.
            StorageError: Redis does not answer, or is older than the one that was copied.
        """
        await self.check_free()
        with as_storage_errors():
            await self._redis.set(self._key(RESTORING), 1)
            async for keys in self._scan("*"):  # of a restore that was interrupted
                if old := [self._key(key) for key in keys if key != RESTORING]:
                    await self._redis.unlink(*old)
        with as_file_errors(copy), closing(sqlite3.connect(copy)) as file, as_storage_errors():
            rows = file.execute("SELECT key, dump, life_ms FROM entries")
            while page := rows.fetchmany(_PAGE):
                pipeline = self._redis.pipeline(transaction=False)
                for key, dump, life_ms in page:
                    pipeline.restore(self._key(key), life_ms, dump)
                await pipeline.execute()
            await self._build(_read_streams(file))
            await self._drop_early_notifications()
            await self._redis.set(self._key("schema"), SCHEMA)
            await self._redis.delete(self._key(RESTORING))

    async def streams(self) -> Streams:
        """Return the streams of all runs.

        Raises:
            StorageError: a stream lacks events, or has more than its record knows.
        """
        found = Streams({}, set())
        async for keys in self._scan("run:*"):
            for run_id in (key.partition(":")[2] for key in keys):
                with as_storage_errors():
                    pipeline = self._redis.pipeline(transaction=True)
                    self._ask_position(pipeline, run_id)
                    one = complete([_position(run_id, *await pipeline.execute())], "this Redis")
                found.seqs.update(one.seqs)
                found.archived.update(one.archived)
        return found

    async def _copy(self, file: sqlite3.Connection, keys: Collection[str]) -> None:
        with as_storage_errors():
            pipeline = self._redis.pipeline(transaction=True)
            for key in keys:
                pipeline.dump(self._key(key)).pttl(self._key(key))
            found = iter(await pipeline.execute())
        for key, dump, life_ms in zip(keys, found, found, strict=True):
            if dump is not None:
                file.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (key, dump, max(0, life_ms)))

    async def _copy_run(self, file: sqlite3.Connection, run_id: str) -> None:
        """Copy a run with its events. One that is removed meanwhile is left out."""
        with as_storage_errors():
            pipeline = self._redis.pipeline(transaction=True)
            for name in _OF_RUNS:
                pipeline.dump(self._key(name, run_id))
            self._ask_position(pipeline, run_id)
            *dumps, position, events, last = await pipeline.execute()
        if position[0] is None:
            return
        found = complete([_position(run_id, position, events, last)], "this Redis")
        for name, dump in zip(_OF_RUNS, dumps, strict=True):
            if dump is not None:  # the events of archived runs are elsewhere
                file.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, 0)", (f"{name}:{run_id}", dump))
        row = (run_id, found.seqs[run_id], run_id in found.archived)
        file.execute("INSERT OR REPLACE INTO streams VALUES (?, ?, ?)", row)

    def _ask_position(self, pipeline: Any, run_id: str) -> None:
        pipeline.hmget(self._key("run", run_id), "seq", "archived")
        pipeline.xlen(self._key("events", run_id))
        pipeline.xrevrange(self._key("events", run_id), count=1)

    async def _build(self, streams: Streams) -> None:
        """Build the indices of runs and documents, and what tenants store, from what was restored."""
        stored: dict[str, int] = {}
        for run_id in streams.seqs:
            run = await self._store.get(run_id)
            await self._store.put_in_index(run, archived=run_id in streams.archived)
            stored[run.tenant] = stored.get(run.tenant, 0) + run.stored_bytes
        day = append_rules.STANDING.isoformat()
        for tenant, size in stored.items():
            await self._redis.hset(self._key("usage", quote(tenant, safe=""), day), "stored_bytes", size)
        async for keys in self._scan("document:*"):
            for key in keys:
                kind, document_id, owner = await self._texts.hmget(self._key(key), "kind", "id", "owner")
                for shelf in ("*", f"={quote(owner, safe='')}"):
                    await self._redis.zadd(self._key("documents", kind, shelf), {document_id: 0})

    async def _drop_early_notifications(self) -> None:
        """Drop the entries of the outbox whose events came after their run was copied."""
        after = 0
        while entries := await self._store.read_outbox(after=after, limit=_PAGE):
            after = entries[-1].position
            for entry in entries:
                if not await self._redis.hexists(self._key("seen", entry.run_id), entry.event_id):
                    await self._redis.xdel(self._key("outbox"), f"{entry.position}-0")

    async def _scan(self, pattern: str) -> AsyncIterator[list[str]]:
        """Yield the keys of the store that match, without the prefix, in pages."""
        cursor = 0
        while True:
            with as_storage_errors():
                cursor, keys = await self._texts.scan(cursor, match=self._prefix + pattern, count=_PAGE)
            if keys:
                yield [key.removeprefix(self._prefix) for key in keys]
            if cursor == 0:
                return

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)


def streams_of(copy: Path) -> Streams:
    """Return the streams in a copy.

    Raises:
        StorageError: it is damaged, or of another version.
    """
    with as_file_errors(copy), closing(sqlite3.connect(copy)) as file:
        (version,) = file.execute("SELECT version FROM schema_version").fetchone()
        if version not in (WITH_INDEX, SCHEMA):
            raise StorageError(
                f"{copy} is a copy of a Redis store of schema {version}, and this version of the platform restores "
                f"schema {SCHEMA}: restore it with the version that made it, then upgrade"
            )
        return _read_streams(file)


def _read_streams(file: sqlite3.Connection) -> Streams:
    columns = [name for _, name, *_ in file.execute("PRAGMA table_info(streams)")]
    archived = "archived" if "archived" in columns else "0"  # copies of schema 4 have no archive
    rows = file.execute(f"SELECT run_id, seq, {archived} FROM streams").fetchall()
    return Streams({run_id: seq for run_id, seq, _ in rows}, {run_id for run_id, _, archived in rows if archived})


def _position(
    run_id: str, position: Sequence[bytes | None], events: int, last: Sequence[Any]
) -> tuple[str, int, int, int, int]:
    seq, archived = (int(number or 0) for number in position)
    return run_id, seq, events, int(last[0][0].partition(b"-")[0]) if last else 0, archived
