"""Measures of the storage that operators watch: the size of the store, and the time of the last back-up."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from rlplatform.settings import Settings
from rlplatform.storage.object_storage import beside, file_system

_BACKUPS, _LAST = "backups", "last.json"
_TIMEOUT_S = 2.0


class StoreSize(NamedTuple):
    """Bytes that the store takes, and may take; None: unknown, or no limit."""

    used_bytes: int | None = None
    max_bytes: int | None = None


def store_size(url: str) -> StoreSize:
    """Return the size of the store at ``url``: of SQLite's files, or of Redis' memory. Blocks."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite":
        used = 0
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                used += Path(f"{path}{suffix}").stat().st_size
        return StoreSize(used)
    if not url.startswith("redis"):
        return StoreSize()
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as redis:
            memory = redis.info("memory")
    except RedisError:
        return StoreSize()
    return StoreSize(int(memory["used_memory"]), int(memory["maxmemory"]) or None)


def note_backup(settings: Settings, at: datetime) -> None:
    """Record the time of a complete back-up beside the checkpoints, where every node finds it. Blocks."""
    from rlplatform.storage.blobs import ArrowBlobs

    ArrowBlobs(*_place(settings)).put(_LAST, json.dumps({"created_at": at.isoformat()}).encode())


def last_backup(settings: Settings) -> datetime | None:
    """Return the time of the last complete back-up; None if none is known. Blocks."""
    from rlplatform.storage.blobs import ArrowBlobs

    content = ArrowBlobs(*_place(settings)).get(_LAST)
    with suppress(ValueError, KeyError, TypeError):
        return datetime.fromisoformat(json.loads(content or b"null")["created_at"])
    return None


def _place(settings: Settings) -> tuple[object, str]:
    from pyarrow import fs

    opened = file_system(beside(settings.training.checkpoint_url, _BACKUPS), "training.checkpoint_url")
    return (fs.LocalFileSystem(), str(opened.absolute())) if isinstance(opened, Path) else opened
