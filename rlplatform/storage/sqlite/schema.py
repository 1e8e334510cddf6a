"""The SQLite schema, as a list of migrations: the file's version is how many of them it has seen."""

from __future__ import annotations

import sqlite3

from rlplatform.errors import StorageError

APPLICATION_ID = 0x524C5031  # "RLP1": tells our files from other SQLite databases

WITH_ARCHIVE = 5
"""First version whose runs may have their events in the archive."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE runs (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, tenant TEXT NOT NULL, state TEXT NOT NULL,
            epoch INTEGER NOT NULL, request TEXT, record TEXT NOT NULL
        )""",
        "CREATE INDEX runs_by_tenant ON runs (kind, tenant, id)",
        "CREATE INDEX runs_by_state ON runs (kind, state, id)",
        """CREATE TABLE events (
            run_id TEXT NOT NULL REFERENCES runs (id), seq INTEGER NOT NULL, event_id TEXT NOT NULL,
            type TEXT NOT NULL, data TEXT NOT NULL
        )""",
        "CREATE UNIQUE INDEX events_by_seq ON events (run_id, seq)",
        "CREATE UNIQUE INDEX events_by_id ON events (run_id, event_id)",
        """CREATE TABLE idempotency (
            tenant TEXT NOT NULL, key TEXT NOT NULL, body_sha256 TEXT NOT NULL, run_id TEXT NOT NULL,
            expires_at REAL NOT NULL, PRIMARY KEY (tenant, key)
        ) WITHOUT ROWID""",
        "CREATE INDEX idempotency_by_expiry ON idempotency (expires_at)",
        "CREATE TABLE keys (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, created_at REAL NOT NULL, record TEXT NOT NULL)",
    ),
    (
        """CREATE TABLE usage (
            tenant TEXT NOT NULL, day TEXT NOT NULL, name TEXT NOT NULL, amount REAL NOT NULL,
            PRIMARY KEY (tenant, day, name)
        ) WITHOUT ROWID""",
        """CREATE TABLE outbox (
            position INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, run_id TEXT NOT NULL,
            event_id TEXT NOT NULL, type TEXT NOT NULL
        )""",
        """CREATE TABLE documents (
            kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (kind, id)
        ) WITHOUT ROWID""",
        "CREATE INDEX documents_by_owner ON documents (kind, owner, id)",
    ),
    (  # what may be large, apart from the records that lists read
        "CREATE TABLE payloads (run_id TEXT PRIMARY KEY REFERENCES runs (id), request TEXT NOT NULL, tests TEXT)",
        """INSERT INTO payloads
            SELECT id, request, json_extract(record, '$.document.tests') FROM runs WHERE request IS NOT NULL""",
        "UPDATE runs SET record = json_remove(record, '$.document.tests') WHERE request IS NOT NULL",
        "ALTER TABLE runs DROP COLUMN request",
    ),
    (  # what lists filter and sort by, apart from the records that they show
        """CREATE TABLE run_index (
            kind TEXT NOT NULL, tenant TEXT NOT NULL, run_id TEXT NOT NULL REFERENCES runs (id), state TEXT NOT NULL,
            submitter TEXT NOT NULL, env TEXT, name TEXT, score REAL, env_steps REAL, finished_at REAL,
            text TEXT NOT NULL, annotations TEXT NOT NULL, PRIMARY KEY (kind, tenant, run_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX run_index_by_kind ON run_index (kind, run_id)",
        "CREATE INDEX run_index_by_state ON run_index (kind, state, run_id)",
        """CREATE TABLE run_labels (
            kind TEXT NOT NULL, tenant TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, run_id TEXT NOT NULL,
            PRIMARY KEY (kind, tenant, key, value, run_id)
        ) WITHOUT ROWID""",
        "CREATE INDEX run_labels_by_run ON run_labels (run_id)",
        """INSERT INTO run_index
            SELECT kind, tenant, id, state, json_extract(record, '$.created_by'), env, NULL,
                coalesce(json_extract(record, '$.document.evaluation.episode_return_mean'),
                         json_extract(record, '$.document.metrics."rollout/episode_return_mean"'),
                         json_extract(record, '$.document.score')),
                json_extract(record, '$.document.progress.env_steps'),
                (julianday(json_extract(record, '$.document.finished_at')) - 2440587.5) * 86400,
                lower(id || char(10) || coalesce(env, '')), '{}'
            FROM (SELECT runs.*, coalesce(json_extract(record, '$.document.request.env'),
                                          json_extract(request, '$.grader.env')) AS env
                  FROM runs LEFT JOIN payloads ON run_id = id)""",
        "DROP INDEX runs_by_tenant",
        "DROP INDEX runs_by_state",
    ),
    (  # runs that have finished and whose events are not in the archive; numbers of the events that are there
        "CREATE TABLE unarchived (run_id TEXT PRIMARY KEY REFERENCES runs (id), finished_at REAL NOT NULL)",
        "CREATE INDEX unarchived_by_time ON unarchived (finished_at, run_id)",
        "INSERT INTO unarchived SELECT run_id, finished_at FROM run_index WHERE finished_at IS NOT NULL",
        "ALTER TABLE runs ADD COLUMN archived INTEGER NOT NULL DEFAULT 0",
    ),
)


def migrate(connection: sqlite3.Connection, where: str) -> None:
    """Bring the database up to date, in one transaction.

    Raises:
        StorageError: it is not ours, or a newer version of the platform wrote it.
    """
    with_tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if with_tables and connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise StorageError(f"{where} is a database of another program; point RLP_STORE__URL at another file")
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        version = row[0] if row else 0
        if version > len(MIGRATIONS):
            raise StorageError(
                f"{where} was written by a newer version of the platform (schema {version}; this one knows "
                f"{len(MIGRATIONS)}): upgrade the platform, or point RLP_STORE__URL at another file"
            )
        for migration in MIGRATIONS[version:]:
            for statement in migration:
                connection.execute(statement)
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (?)", (len(MIGRATIONS),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
