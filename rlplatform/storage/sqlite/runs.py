"""Runs, their events and idempotency keys in a SQLite database. Each function is part of a job of the store's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from rlplatform.run_kinds import parse_summary
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary, StoredRun
from rlplatform.storage import append_rules

_PACKED = "epoch, request, tests, record"
_RUNS = "runs LEFT JOIN payloads ON run_id = id"


def insert(connection: sqlite3.Connection, run: Run) -> None:
    packed = run.to_stored()
    connection.execute(
        "INSERT INTO runs (id, kind, tenant, state, epoch, record) VALUES (?, ?, ?, ?, ?, ?)",
        (run.id, run.kind, run.tenant, run.state, run.epoch, packed.record),
    )
    if packed.request is not None:
        connection.execute("INSERT INTO payloads VALUES (?, ?, ?)", (run.id, packed.request, packed.tests))


def update(connection: sqlite3.Connection, run: Run) -> None:
    packed = run.to_stored()
    connection.execute("UPDATE runs SET state = ?, record = ? WHERE id = ?", (run.state, packed.record, run.id))
    if packed.request is not None:
        connection.execute("UPDATE payloads SET tests = ? WHERE run_id = ?", (packed.tests, run.id))


def remove(connection: sqlite3.Connection, run_id: str) -> None:
    for table, column in (("events", "run_id"), ("payloads", "run_id"), ("runs", "id")):
        connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (run_id,))


def exists(connection: sqlite3.Connection, run_id: str) -> bool:
    return connection.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is not None


def load(connection: sqlite3.Connection, run_id: str) -> Run:
    row = connection.execute(f"SELECT {_PACKED} FROM {_RUNS} WHERE id = ?", (run_id,)).fetchone()
    if row is None:
        raise append_rules.no_such_run(run_id)
    return _unpack(row)


class Query:
    """Filter of the runs that are listed, newest first."""

    def __init__(
        self,
        kind: str,
        *,
        tenant: str | None = None,
        states: Sequence[str] = (),
        before: str | None = None,
        limit: int = 50,
    ) -> None:
        append_rules.check_limit(limit)
        conditions, values = ["kind = ?"], [kind]
        if tenant is not None:
            conditions, values = [*conditions, "tenant = ?"], [*values, tenant]
        if states:
            conditions, values = [*conditions, f"state IN ({', '.join('?' * len(states))})"], [*values, *states]
        if before is not None:
            conditions, values = [*conditions, "id < ?"], [*values, before]
        self._which = f"WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
        self._values = (*values, limit)

    def runs(self, connection: sqlite3.Connection) -> list[Run]:
        rows = connection.execute(f"SELECT {_PACKED} FROM {_RUNS} {self._which}", self._values).fetchall()
        return [_unpack(row) for row in rows]

    def summaries(self, connection: sqlite3.Connection) -> list[RunSummary]:
        rows = connection.execute(f"SELECT record FROM runs {self._which}", self._values).fetchall()
        return [parse_summary(record) for (record,) in rows]


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
    if not rows and not exists(connection, run_id):
        raise append_rules.no_such_stream(stream)
    return [EncodedEvent(*row) for row in rows]


def _unpack(row: tuple[int, str | None, str | None, str]) -> Run:
    return append_rules.from_stored(StoredRun(*row[1:]), row[0])
