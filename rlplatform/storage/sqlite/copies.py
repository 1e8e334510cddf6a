"""Copies of a SQLite store: made while others write to it, checked, and put where there is no store yet."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from rlplatform.clock import Clock
from rlplatform.errors import Conflict, StorageError
from rlplatform.storage.object_storage import flush_file
from rlplatform.storage.sqlite import schema
from rlplatform.storage.sqlite.store import owned

_STREAMS = """
SELECT runs.id, json_extract(record, '$.seq'), count(seq), ifnull(max(seq), 0), {archived}
FROM runs LEFT JOIN events ON run_id = runs.id GROUP BY runs.id
"""
_LEFT_BEHIND = ("", "-wal", "-shm")  # a log of another file would be taken for the new one's


def copy_out(path: Path, target: Path) -> None:
    """Copy the store at ``path``, as it is at one moment, into the new file ``target``.

    Raises:
        StorageError: there is no store, or it cannot be read.
    """
    if not path.is_file():
        raise StorageError(
            f"there is no store at {path}: set RLP_STORE__URL, or run this where the platform was started"
        )
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        as_storage_errors(path),
        closing(sqlite3.connect(path, timeout=10.0)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode = DELETE")  # one file, complete by itself


class Streams(NamedTuple):
    """Last ``seq`` of each stream, by run id; ids of the runs whose events are in the archive."""

    seqs: dict[str, int]
    archived: set[str]


def streams(path: Path) -> Streams:
    """Check all pages of the store at ``path`` and each run's events; return its streams.

    Raises:
        StorageError: it is damaged, lacks events, is of another program, or a newer version wrote it.
    """
    with as_storage_errors(path), closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StorageError(f"{path} is damaged: {found}")
        if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION_ID:
            raise StorageError(f"{path} is a database of another program")
        (version,) = connection.execute("SELECT version FROM schema_version").fetchone()
        if version > len(schema.MIGRATIONS):
            raise StorageError(
                f"{path} was written by a newer version of the platform (schema {version}; this one knows "
                f"{len(schema.MIGRATIONS)}): upgrade the platform first"
            )
        archived = "archived" if version >= schema.WITH_ARCHIVE else "0"
        return complete(connection.execute(_STREAMS.format(archived=archived)), str(path))


def complete(rows: Iterable[tuple[str, int, int, int, int]], where: str) -> Streams:
    """Return the streams of a store.

    Args:
        rows: Of each run its id, the ``seq`` of its record, the number of its events, their last ``seq``, and the
            number of events that were archived.
        where: Name of the store, for the error.

    Raises:
        StorageError: a stream lacks events, or has more than its record knows.
    """
    found = Streams({}, set())
    for run_id, seq, events, last, archived in rows:
        if archived:
            events, last = events + archived, archived
            found.archived.add(run_id)
        if not seq == events == last:
            raise StorageError(f"{where} is damaged: {run_id} is at seq {seq}, but has {events} events up to {last}")
        found.seqs[run_id] = seq
    return found


async def check_free(path: Path, clock: Clock) -> None:
    """Check that there is no store at ``path``, and no platform that uses it.

    Raises:
        Conflict: there is a store.
        StorageError: a process uses it.
    """
    if path.exists():
        async with owned(path, clock):
            _refuse(path)


async def put_in_place(copy: Path, path: Path, clock: Clock) -> None:
    """Make ``copy`` the store at ``path``. The next opening brings it up to the present schema.

    Raises:
        Conflict: there is a store already.
        StorageError: a process uses it, or it cannot be written.
    """
    with as_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    async with owned(path, clock):
        _refuse(path)
        part = path.with_name(path.name + ".restored")
        with as_storage_errors(path):
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
            shutil.copyfile(copy, part)
            flush_file(part)
            part.rename(path)
            flush_file(path.parent)


def _refuse(path: Path) -> None:
    for suffix in _LEFT_BEHIND:
        if (found := path.with_name(path.name + suffix)).exists():
            raise Conflict(f"{found} exists: move it away, or set RLP_STORE__URL to a new file, then restore again")


@contextmanager
def as_storage_errors(path: Path) -> Iterator[None]:
    """Convert errors of SQLite and of files to :class:`StorageError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path}: {error}") from error
