"""Files that are used on this node, kept on its disk: each is fetched once, and the least recently used go first."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from rlplatform.errors import NotFound, StorageError, Unavailable
from rlplatform.files.models import FileInfo
from rlplatform.files.ports import FileStorage

_CHUNK = 1 << 20
_WAIT_S = 60.0
_READABLE = 0o444


@dataclass
class _Entry:
    size_bytes: int
    holders: int = 0


class NodeCache:
    """At most ``max_bytes`` of files in ``folder``, which outlive this process. Thread-safe.

    Only files whose SHA-256 is right are ever in it.
    """

    def __init__(self, storage: FileStorage, folder: Path, max_bytes: int) -> None:
        self._storage = storage
        self._contents = folder / "contents"
        self._parts = folder / "parts"
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Path, _Entry] = OrderedDict()
        self._changed = threading.Condition()
        self._fetching: set[Path] = set()
        self._open()

    @property
    def size_bytes(self) -> int:
        """Return the size of all files that are kept, in bytes."""
        return sum(entry.size_bytes for entry in self._entries.values())

    @contextmanager
    def holding(self, tenant: str, files: Sequence[FileInfo]) -> Iterator[dict[str, Path]]:
        """Have ``files`` of ``tenant`` on this node for as long as the context lasts; yield their paths by id.

        Raises:
            StorageError: one of them is gone or damaged.
            Unavailable: files of other holders leave no room for them.
        """
        held: dict[str, Path] = {}
        try:
            for info in files:
                held[info.id] = self._hold(tenant, info)
            yield held
        finally:
            with self._changed:
                for path in held.values():
                    self._entries[path].holders -= 1
                self._changed.notify_all()

    def _hold(self, tenant: str, info: FileInfo) -> Path:
        path = self._contents / tenant / info.sha256
        with self._changed:
            while path in self._fetching:
                self._changed.wait()
            if (entry := self._entries.get(path)) is not None and path.exists():
                entry.holders += 1
                self._entries.move_to_end(path)
                with suppress(OSError):
                    os.utime(path)
                return path
            self._entries.pop(path, None)
            self._make_room(info)
            self._entries[path] = _Entry(info.size_bytes, holders=1)
            self._fetching.add(path)
        try:
            self._fetch(tenant, info, path)
        except BaseException:
            with self._changed:
                del self._entries[path]
            raise
        finally:
            with self._changed:
                self._fetching.discard(path)
                self._changed.notify_all()
        return path

    def _make_room(self, info: FileInfo) -> None:
        """Remove files that nobody holds until ``info`` fits, or wait until somebody lets go."""
        deadline = time.monotonic() + _WAIT_S
        while self.size_bytes + info.size_bytes > self._max_bytes:
            free = next((path for path, entry in self._entries.items() if not entry.holders), None)
            if free is not None:
                free.unlink(missing_ok=True)
                del self._entries[free]
            elif info.size_bytes > self._max_bytes or not self._changed.wait(deadline - time.monotonic()):
                raise Unavailable(
                    f"the node's file cache of {self._max_bytes} bytes has no room for {info.id} of {info.size_bytes} "
                    "bytes; raise RLP_FILES__CACHE_BYTES"
                )

    def _fetch(self, tenant: str, info: FileInfo, path: Path) -> None:
        part = self._parts / uuid4().hex
        try:
            reader = self._storage.open(tenant, info.sha256)
        except NotFound:
            raise StorageError(f"the bytes of {info.id} are gone from the storage of files") from None
        try:
            digest = hashlib.sha256()
            with part.open("xb") as file:
                at = 0
                while chunk := reader.read_at(at, _CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    at += len(chunk)
            if digest.hexdigest() != info.sha256:
                raise StorageError(f"{info.id} is damaged: it is not what was uploaded")
            part.chmod(_READABLE)
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
        except OSError as error:
            raise StorageError(f"{info.id} cannot be kept in {self._contents}: {error}") from error
        finally:
            reader.close()
            part.unlink(missing_ok=True)

    def _open(self) -> None:
        """Take over what an earlier process kept, in the order in which it was used."""
        for folder in (self._contents, self._parts):
            folder.mkdir(parents=True, exist_ok=True)
        for part in self._parts.iterdir():
            part.unlink()
        found = [(path.stat(), path) for path in self._contents.glob("*/*") if path.is_file()]
        for stat, path in sorted(found, key=lambda entry: entry[0].st_mtime_ns):
            self._entries[path] = _Entry(stat.st_size)
        while self._entries and self.size_bytes > self._max_bytes:
            self._entries.popitem(last=False)[0].unlink(missing_ok=True)
