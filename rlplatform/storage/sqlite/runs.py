"""Runs, their events and idempotency keys in a SQLite database. Each function is part of a job of the store's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from rlplatform.runs.archive import EventsArchived
from rlplatform.runs.events import Event
from rlplatform.runs.index import RunFilter
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary, StoredRun
from rlplatform.storage import append_rules
from rlplatform.storage.sqlite import index

_PACKED = "epoch, request, tests, record, annotations"
_INDEXED = "runs JOIN run_index AS i ON i.kind = runs.kind AND i.tenant = runs.tenant AND i.run_id = id"
_RUNS = f"{_INDEXED} LEFT JOIN payloads AS p ON p.run_id = id"

_OF_RUN = (("events", "run_id"), ("unarchived", "run_id"), ("payloads", "run_id"), ("runs", "id"))
_AT_ONCE = 500  # SQLite 3.31 takes no more than 999 parameters


def insert(connection: sqlite3.Connection, run: Run) -> None:
    packed = run.to_stored()
    connection.execute(
        "INSERT INTO runs (id, kind, tenant, state, epoch, record) VALUES (?, ?, ?, ?, ?, ?)",
        (run.id, run.kind, run.tenant, run.state, run.epoch, packed.record),
    )
    if packed.request is not None:
        connection.execute("INSERT INTO payloads VALUES (?, ?, ?)", (run.id, packed.request, packed.tests))
    index.insert(connection, run)


def update(connection: sqlite3.Connection, run: Run, new: Sequence[Event]) -> None:
    """Write ``run`` after the events ``new``."""
    packed = run.to_stored()
    connection.execute("UPDATE runs SET state = ?, record = ? WHERE id = ?", (run.state, packed.record, run.id))
    if packed.request is not None:
        connection.execute("UPDATE payloads SET tests = ? WHERE run_id = ?", (packed.tests, run.id))
    if append_rules.news_for_index(new):
        index.update(connection, run)
    if run.final:
        connection.execute("INSERT INTO unarchived VALUES (?, ?)", (run.id, append_rules.finished_at(run)))


def remove(connection: sqlite3.Connection, run: Run) -> None:
    index.remove(connection, run)
    for table, column in _OF_RUN:
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (run.id,))


def exists(connection: sqlite3.Connection, run_id: str) -> bool:
    return connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None


def load(connection: sqlite3.Connection, run_id: str) -> Run:
    row = connection.execute(f"SELECT {_PACKED} FROM {_RUNS} WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise append_rules.no_such_run(run_id)
    return _unpack(row)


def find(connection: sqlite3.Connection, wanted: RunFilter) -> list[Run]:
    """Return the runs that are wanted, in their order."""
    rows = _rows(connection, wanted, f"id, {_PACKED}", _RUNS)
    return [_unpack(row) for row in rows]


def summaries(connection: sqlite3.Connection, wanted: RunFilter) -> list[RunSummary]:
    """Return the summaries of the runs of :func:`find`; requests and results are not read."""
    rows = _rows(connection, wanted, "id, record, annotations", _INDEXED)
    return [append_rules.summary_of(record, annotations) for record, annotations in rows]


def _rows(connection: sqlite3.Connection, wanted: RunFilter, columns: str, tables: str) -> list[tuple[Any, ...]]:
    """Read ``columns``, the first of them ``id``, of the runs that are wanted; return the others in their order."""
    ids = index.find(connection, wanted)
    found: dict[str, tuple[Any, ...]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        query = f"SELECT {columns} FROM {tables} WHERE id IN ({', '.join('?' * len(some))})"
        found |= {row[0]: row[1:] for row in connection.execute(query, some).fetchall()}
    return [found[run_id] for run_id in ids]


def find_by_idempotency_key(connection: sqlite3.Connection, idempotency: Idempotency, now: float) -> str | None:
    """Return the id of the run that the key has made; None if there is none.

    Raises:
        IdempotencyMismatch: the key came with another body.
    """
    used = connection.execute(
        "SELECT body_sha256, run_id FROM idempotency WHERE tenant = ? AND key = ? AND expires_at > ?",
        (idempotency.tenant, idempotency.key, now),
    ).fetchone()
    if used is None:
        return None
    append_rules.check_replay(idempotency, used[0])
    return str(used[1])


def insert_events(
    connection: sqlite3.Connection, run_id: str, events: Sequence[Event], lines: Sequence[EncodedEvent]
) -> None:
    connection.executemany(
        "INSERT INTO events (run_id, event_id, seq, type, data) VALUES (?, ?, ?, ?, ?)",
        [(run_id, event.id, *line) for event, line in zip(events, lines, strict=True)],
    )


def stored_events(connection: sqlite3.Connection, run_id: str, events: Sequence[Event]) -> dict[str, EncodedEvent]:
    """Return those of ``events`` that the log has, by id."""
    query = "SELECT seq, type, data FROM events WHERE run_id = ? AND event_id = ?"
    rows = {event.id: connection.execute(query, (run_id, event.id)).fetchone() for event in events}
    return {event_id: EncodedEvent(*row) for event_id, row in rows.items() if row is not None}


def read_stream(connection: sqlite3.Connection, stream: str, after: int, limit: int) -> list[EncodedEvent]:
    run_id = append_rules.run_id_of(stream)
    rows = connection.execute(
        "SELECT seq, type, data FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?", (run_id, after, limit)
    ).fetchall()
    if not rows:
        found = connection.execute("SELECT archived FROM runs WHERE id = ?", (run_id,)).fetchone()
        if found is None:
            raise append_rules.no_such_stream(stream)
        if max(0, after) < found[0]:
            raise EventsArchived(stream)
    return [EncodedEvent(*row) for row in rows]


def check_live(connection: sqlite3.Connection, run: Run) -> None:
    """Check that the events of ``run`` are here.

    Raises:
        EventsArchived: they are in the archive.
    """
    if connection.execute("SELECT archived FROM runs WHERE id = ?", (run.id,)).fetchone()[0]:
        raise EventsArchived(run.stream)


def trim(connection: sqlite3.Connection, run: Run) -> None:
    """Drop the events of ``run``, which the archive holds."""
    connection.execute("UPDATE runs SET archived = ? WHERE id = ?", (run.seq, run.id))
    for table in ("events", "unarchived"):
        connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run.id,))


def list_unarchived(connection: sqlite3.Connection, finished_before: float, limit: int) -> list[str]:
    query = "SELECT run_id FROM unarchived WHERE finished_at < ? ORDER BY finished_at, run_id LIMIT ?"
    return [run_id for (run_id,) in connection.execute(query, (finished_before, limit)).fetchall()]


def _unpack(row: tuple[Any, ...]) -> Run:
    return append_rules.from_stored(StoredRun(*row[1:]), row[0])
