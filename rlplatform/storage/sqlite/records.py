"""Records of a SQLite store beside runs and events: usage, the outbox, documents. Each function is part of a job."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date

from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent
from rlplatform.runs.records import Run
from rlplatform.storage import append_rules
from rlplatform.store import Document, OutboxEntry, Written


def charge(connection: sqlite3.Connection, tenant: str, charges: Sequence[append_rules.Charge]) -> None:
    """Add to the tenant's usage, and forget that of days long past."""
    days = [charge.day for charge in charges if charge.day != append_rules.STANDING]
    if days:
        oldest = max(days) - append_rules.USAGE_LIFE
        forget = "DELETE FROM usage WHERE tenant = ? AND day > ? AND day < ?"
        connection.execute(forget, (tenant, append_rules.STANDING.isoformat(), oldest.isoformat()))
    connection.executemany(
        "INSERT INTO usage VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        [(tenant, charge.day.isoformat(), charge.counter, charge.amount) for charge in charges],
    )


def used(connection: sqlite3.Connection, tenant: str, day: date) -> dict[str, float]:
    query = "SELECT name, amount FROM usage WHERE tenant = ? AND day = ? AND name <> ?"
    return dict(connection.execute(query, (tenant, day.isoformat(), append_rules.WRITTEN)).fetchall())


def written(connection: sqlite3.Connection, tenant: str, day: date) -> Written:
    query = "SELECT name, amount FROM usage WHERE tenant = ? AND (day = ? AND name = ? OR day = ?)"
    values = (tenant, day.isoformat(), append_rules.WRITTEN, append_rules.STANDING.isoformat())
    found = dict(connection.execute(query, values).fetchall())
    return Written(int(found.get(append_rules.WRITTEN, 0)), int(found.get("stored_bytes", 0)))


def put_out(connection: sqlite3.Connection, run: Run, new: Sequence[Event], lines: Sequence[EncodedEvent]) -> None:
    """Put the final event among ``new``, if any, into the outbox."""
    if (last := append_rules.final_event(new)) is not None:
        connection.execute(
            "INSERT INTO outbox (tenant, run_id, event_id, type) VALUES (?, ?, ?, ?)",
            (run.tenant, run.id, last.id, lines[-1].type),
        )


def read_outbox(connection: sqlite3.Connection, after: int, limit: int) -> list[OutboxEntry]:
    query = "SELECT position, tenant, run_id, event_id, type FROM outbox WHERE position > ? ORDER BY position LIMIT ?"
    return [OutboxEntry(*row) for row in connection.execute(query, (after, limit)).fetchall()]


def acknowledge(connection: sqlite3.Connection, position: int) -> None:
    connection.execute("DELETE FROM outbox WHERE position <= ?", (position,))


def put_document(connection: sqlite3.Connection, document: Document) -> None:
    connection.execute("INSERT OR REPLACE INTO documents (kind, id, owner, record) VALUES (?, ?, ?, ?)", document)


def add_document(connection: sqlite3.Connection, document: Document) -> Document:
    connection.execute("INSERT OR IGNORE INTO documents (kind, id, owner, record) VALUES (?, ?, ?, ?)", document)
    stored = get_document(connection, document.kind, document.id)
    assert stored is not None
    return stored


def replace_document(connection: sqlite3.Connection, document: Document, expected: Document) -> bool:
    replace = "UPDATE documents SET record = ?1 WHERE kind = ?2 AND id = ?3 AND record IN (?1, ?4)"
    done = connection.execute(replace, (document.record, document.kind, document.id, expected.record))
    return done.rowcount == 1


def get_document(connection: sqlite3.Connection, kind: str, document_id: str) -> Document | None:
    query = "SELECT kind, id, owner, record FROM documents WHERE kind = ? AND id = ?"
    row = connection.execute(query, (kind, document_id)).fetchone()
    return Document(*row) if row else None


def list_documents(
    connection: sqlite3.Connection, kind: str, owner: str | None, before: str | None, limit: int
) -> list[Document]:
    conditions, values = ["kind = ?"], [kind]
    if owner is not None:
        conditions, values = [*conditions, "owner = ?"], [*values, owner]
    if before is not None:
        conditions, values = [*conditions, "id < ?"], [*values, before]
    query = f"SELECT kind, id, owner, record FROM documents WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    return [Document(*row) for row in connection.execute(query, (*values, limit)).fetchall()]


def delete_document(connection: sqlite3.Connection, kind: str, document_id: str) -> None:
    connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, document_id))
