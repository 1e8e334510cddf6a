"""Each file reaches a node once, stays while it is held, and goes when room is needed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rlplatform.errors import StorageError, Unavailable
from rlplatform.files.models import FileInfo
from rlplatform.files.node_cache import NodeCache
from rlplatform.ids import Kind, new_id
from rlplatform.testing.contracts.files import put, sha256
from rlplatform.testing.files import MemoryFiles


class CountingFiles(MemoryFiles):
    """Counts the openings."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0

    def open(self, tenant: str, sha256: str) -> Any:
        self.opened += 1
        return super().open(tenant, sha256)


@pytest.fixture
def storage() -> CountingFiles:
    return CountingFiles()


def cache_of(storage: MemoryFiles, folder: Path, max_bytes: int = 100) -> NodeCache:
    return NodeCache(storage, folder / "cache", max_bytes)


def stored(storage: MemoryFiles, content: bytes, tenant: str = "school") -> FileInfo:
    put(storage, content, tenant)
    return FileInfo(
        id=new_id(Kind.FILE),
        name="f",
        size_bytes=len(content),
        sha256=sha256(content),
        media_type="text/plain",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_a_file_is_fetched_once(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path)
    info = stored(storage, b"weights")
    for _ in range(3):
        with cache.holding("school", [info, info]) as paths:
            assert paths[info.id].read_bytes() == b"weights"
            assert paths[info.id].stat().st_mode & 0o777 == 0o444
    assert storage.opened == 1
    assert cache.size_bytes == 7


def test_tenants_do_not_share_files(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path)
    info = stored(storage, b"secret")
    with cache.holding("school", [info]):
        pass
    with pytest.raises(StorageError, match="gone"), cache.holding("elsewhere", [info]):
        pass


def test_the_least_recently_used_goes_first(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path, 30)
    first, second, third, fourth = (stored(storage, bytes([number]) * 10) for number in range(4))
    for info in (first, second, third, first, fourth):
        with cache.holding("school", [info]):
            assert cache.size_bytes <= 30
    opened = storage.opened
    for info in (first, third, fourth):
        with cache.holding("school", [info]):
            pass
    assert storage.opened == opened
    with cache.holding("school", [second]):
        pass
    assert storage.opened == opened + 1


def test_what_is_held_is_never_removed(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path, 30)
    held, other, late = (stored(storage, bytes([number]) * 15) for number in range(3))
    waiting = threading.Event()

    def wait_for_room() -> bytes:
        waiting.set()
        with cache.holding("school", [late]) as paths:
            return paths[late.id].read_bytes()

    with ExitStack() as both, ThreadPoolExecutor(1) as thread:
        paths = both.enter_context(cache.holding("school", [held, other]))
        fetching = thread.submit(wait_for_room)
        assert waiting.wait(10)
        assert all(path.exists() for path in paths.values())
        both.close()
        assert fetching.result(10) == b"\x02" * 15


def test_a_file_larger_than_the_cache_is_refused_at_once(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path, 5)
    info = stored(storage, b"123456")
    with pytest.raises(Unavailable, match="RLP_FILES__CACHE_BYTES"), cache.holding("school", [info]):
        pass


def test_damaged_bytes_are_never_kept(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path)
    info = stored(storage, b"right")
    storage.contents["school", info.sha256] = b"wrong"
    with pytest.raises(StorageError, match="damaged"), cache.holding("school", [info]):
        pass
    assert cache.size_bytes == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    storage.contents["school", info.sha256] = b"right"
    with cache.holding("school", [info]) as paths:
        assert paths[info.id].read_bytes() == b"right"


def test_many_at_once_fetch_a_file_once(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path)
    info = stored(storage, b"shared")

    def read(_: int) -> bytes:
        with cache.holding("school", [info]) as paths:
            return paths[info.id].read_bytes()

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(read, range(64))) == {b"shared"}
    assert storage.opened == 1


def test_the_next_process_takes_over_what_is_there(storage: CountingFiles, tmp_path: Path) -> None:
    infos = [stored(storage, bytes([number]) * 10) for number in range(3)]
    with cache_of(storage, tmp_path).holding("school", infos):
        pass
    (tmp_path / "cache" / "parts" / "left").write_bytes(b"half")
    again = cache_of(storage, tmp_path, 20)
    assert again.size_bytes == 20
    assert list((tmp_path / "cache" / "parts").iterdir()) == []
    opened = storage.opened
    with again.holding("school", infos[1:]):
        assert storage.opened == opened, "the oldest went"


def test_a_file_that_somebody_removed_is_fetched_again(storage: CountingFiles, tmp_path: Path) -> None:
    cache = cache_of(storage, tmp_path)
    info = stored(storage, b"weights")
    with cache.holding("school", [info]) as paths:
        pass
    paths[info.id].unlink()
    with cache.holding("school", [info]) as paths:
        assert paths[info.id].read_bytes() == b"weights"
    assert cache.size_bytes == 7
