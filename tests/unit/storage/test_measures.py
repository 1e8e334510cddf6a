"""The size of the store, and the time of the last back-up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from redis import Redis

from rlplatform.settings import Settings, TrainingSettings
from rlplatform.storage.measures import StoreSize, last_backup, note_backup, store_size
from rlplatform.testing.redis_server import installed, redis_server


def test_sqlite_takes_its_file_and_its_log(tmp_path: Path) -> None:
    path = tmp_path / "platform.db"
    assert store_size(f"sqlite:///{path}") == StoreSize(0)
    path.write_bytes(b"x" * 100)
    Path(f"{path}-wal").write_bytes(b"x" * 10)
    assert store_size(f"sqlite:///{path}") == StoreSize(110)
    assert store_size("memory://") == StoreSize()


def test_redis_takes_memory_up_to_its_limit(tmp_path: Path, missing: Callable[[str], NoReturn]) -> None:
    if not installed():
        missing("no redis-server")
    with redis_server(tmp_path) as url:
        used, most = store_size(url)
        assert (used or 0) > 100_000
        assert most is None
        with Redis.from_url(url) as redis:
            redis.config_set("maxmemory", "100mb")
        assert store_size(url).max_bytes == 100 << 20
    assert store_size(url) == StoreSize(), "a server that is away has no size"


def test_the_last_back_up_is_noted_beside_the_checkpoints(tmp_path: Path) -> None:
    settings = Settings(training=TrainingSettings(checkpoint_url=str(tmp_path / "checkpoints")))
    assert last_backup(settings) is None
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    note_backup(settings, moment)
    assert last_backup(settings) == moment
    (tmp_path / "backups" / "last.json").write_text("[]")
    assert last_backup(settings) is None
