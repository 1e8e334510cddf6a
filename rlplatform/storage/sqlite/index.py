"""Index of runs in a SQLite database: what lists filter and sort by. Each function is part of a job of the store's."""

from __future__ import annotations

import sqlite3
from typing import Any

from rlplatform.runs.annotations import Annotations
from rlplatform.runs.index import RunFilter, sortable_name
from rlplatform.runs.records import Run
from rlplatform.storage import append_rules

_KEY = "kind = ? AND tenant = ? AND run_id = ?"
_COLUMNS = {"created_at": "run_id"}


def insert(connection: sqlite3.Connection, run: Run) -> None:
    entry, annotations = run.index_entry, run.annotations
    connection.execute(
        "INSERT INTO run_index VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(run.kind, run.tenant, run.id, run.state, run.created_by, entry.facts.env, sortable_name(annotations)),
            *(entry.facts.score, entry.facts.env_steps, entry.facts.finished_at),
            *(entry.text, annotations.model_dump_json()),
        ),
    )
    _insert_labels(connection, run, annotations)


def update(connection: sqlite3.Connection, run: Run) -> None:
    """Write the facts that events change. What people change is left alone: ``run`` may be older than that."""
    facts = run.facts
    connection.execute(
        f"UPDATE run_index SET state = ?, score = ?, env_steps = ?, finished_at = ? WHERE {_KEY}",
        (run.state, facts.score, facts.env_steps, facts.finished_at, run.kind, run.tenant, run.id),
    )


def annotate(connection: sqlite3.Connection, run: Run) -> None:
    """Write the annotations of ``run``."""
    annotations = run.annotations
    connection.execute(
        f"UPDATE run_index SET name = ?, text = ?, annotations = ? WHERE {_KEY}",
        (
            *(sortable_name(annotations), run.index_entry.text, annotations.model_dump_json()),
            *(run.kind, run.tenant, run.id),
        ),
    )
    connection.execute("DELETE FROM run_labels WHERE run_id = ?", (run.id,))
    _insert_labels(connection, run, annotations)


def remove(connection: sqlite3.Connection, run: Run) -> None:
    connection.execute("DELETE FROM run_labels WHERE run_id = ?", (run.id,))
    connection.execute(f"DELETE FROM run_index WHERE {_KEY}", (run.kind, run.tenant, run.id))


def read_annotations(connection: sqlite3.Connection, run_id: str) -> Annotations:
    query = """SELECT annotations FROM runs
               JOIN run_index AS i ON i.kind = runs.kind AND i.tenant = runs.tenant AND i.run_id = id WHERE id = ?"""
    row = connection.execute(query, (run_id,)).fetchone()
    if row is None:
        raise append_rules.no_such_run(run_id)
    return Annotations.model_validate_json(row[0])


def find(connection: sqlite3.Connection, wanted: RunFilter) -> list[str]:
    """Return the ids of the runs that are wanted, in their order."""
    conditions, values = _conditions(wanted)
    column = _COLUMNS.get(wanted.sort, wanted.sort)
    direction, beyond = ("DESC", "<") if wanted.descending else ("ASC", ">")
    if wanted.after is not None:
        value = _value(connection, wanted, column) if column != "run_id" else None
        if column == "run_id":
            conditions, values = [*conditions, f"run_id {beyond} ?"], [*values, wanted.after]
        elif value is None:
            conditions, values = [*conditions, f"{column} IS NULL AND run_id {beyond} ?"], [*values, wanted.after]
        else:
            follows = f"({column} {beyond} ? OR ({column} = ? AND run_id {beyond} ?) OR {column} IS NULL)"
            conditions, values = [*conditions, follows], [*values, value, value, wanted.after]
    order = f"run_id {direction}"
    if column != "run_id":
        order = f"{column} IS NULL, {column} {direction}, {order}"
    query = f"SELECT run_id FROM run_index WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"
    return [run_id for (run_id,) in connection.execute(query, (*values, wanted.limit)).fetchall()]


def _value(connection: sqlite3.Connection, wanted: RunFilter, column: str) -> Any:
    """Return the value that the last run of the page before is sorted by."""
    query = f"SELECT {column} FROM run_index WHERE kind = ? AND run_id = ?"
    row = connection.execute(query, (wanted.kind, wanted.after)).fetchone()
    if row is None:
        raise wanted.gone()
    return row[0]


def _conditions(wanted: RunFilter) -> tuple[list[str], list[Any]]:
    conditions, values = ["kind = ?"], [wanted.kind]
    for column, value in (("tenant", wanted.tenant), ("submitter", wanted.submitter), ("env", wanted.env)):
        if value is not None:
            conditions, values = [*conditions, f"{column} = ?"], [*values, value]
    if wanted.states:
        marks = ", ".join("?" * len(wanted.states))
        conditions, values = [*conditions, f"state IN ({marks})"], [*values, *wanted.states]
    if wanted.before is not None:
        conditions, values = [*conditions, "run_id < ?"], [*values, wanted.before]
    if wanted.since is not None:
        conditions, values = [*conditions, "run_id >= ?"], [*values, wanted.since]
    for word in wanted.words:
        conditions, values = [*conditions, "instr(text, ?) > 0"], [*values, word]
    for key, value in wanted.labels.items():
        of = {"kind": wanted.kind, "tenant": wanted.tenant, "key": key, "value": value}
        given = {name: text for name, text in of.items() if text is not None}
        labelled = " AND ".join(f"{name} = ?" for name in given)
        conditions = [*conditions, f"run_id IN (SELECT run_id FROM run_labels WHERE {labelled})"]
        values = [*values, *given.values()]
    return conditions, values


def _insert_labels(connection: sqlite3.Connection, run: Run, annotations: Annotations) -> None:
    connection.executemany(
        "INSERT INTO run_labels VALUES (?, ?, ?, ?, ?)",
        [(run.kind, run.tenant, key, value, run.id) for key, value in annotations.labels.items()],
    )
