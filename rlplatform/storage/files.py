"""Contents of uploaded files on a local disk or in object storage, through ``pyarrow.fs``.

A content is ``<root>/<tenant>/<first two digits>/<sha256>``. An upload waits in a file on a local disk until all of it
is there, so that one that breaks off leaves nothing: beside the contents, or in a folder of its own for object storage.
"""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import fs

from rlplatform import patterns
from rlplatform.errors import InvalidRequest, NotFound, StorageError
from rlplatform.files.ports import FileReader
from rlplatform.storage.object_storage import as_storage_errors, flush_file

_UPLOADS = ".uploads"
_PART = ".part"
_CHUNK = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ArrowFiles:
    """The ``FileStorage`` port over any pyarrow file system. Thread-safe."""

    def __init__(self, filesystem: Any, root: str, spool: Path) -> None:
        """``spool`` is the local folder in which uploads wait."""
        self._fs = filesystem
        self._root = root.rstrip("/")
        self._spool = spool.absolute()

    def begin(self) -> SpooledUpload:
        with as_storage_errors():
            return SpooledUpload(self._spool, self)

    def open(self, tenant: str, sha256: str) -> FileReader:
        with as_storage_errors():
            try:
                return ArrowReader(self._fs.open_input_file(self._path(tenant, sha256)))
            except FileNotFoundError:
                raise NotFound(f"no such content: {sha256}") from None

    def delete(self, tenant: str, sha256: str) -> None:
        path = self._path(tenant, sha256)
        with as_storage_errors():
            if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                self._fs.delete_file(path)

    def sweep(self, min_age_s: float = 86_400.0) -> int:
        swept = 0
        before = time.time() - min_age_s
        with as_storage_errors():
            for part in self._spool.glob(f"*{_PART}") if self._spool.is_dir() else ():
                with suppress(FileNotFoundError):  # it has been committed, or aborted, meanwhile
                    if part.stat().st_mtime < before:
                        part.unlink()
                        swept += 1
        return swept

    def adopt(self, part: Path, tenant: str, sha256: str) -> None:
        """Make the complete upload ``part`` a content; it is removed."""
        path = self._path(tenant, sha256)
        size = part.stat().st_size
        found = self._fs.get_file_info(path)
        if found.type != fs.FileType.File or found.size != size:
            self._fs.create_dir(path.rpartition("/")[0], recursive=True)
            try:
                with part.open("rb") as reader, self._fs.open_output_stream(path) as writer:
                    while chunk := reader.read(_CHUNK):
                        writer.write(chunk)
            except BaseException:
                with suppress(Exception):  # closing the stream may have stored what there was
                    self._fs.delete_file(path)
                raise
        part.unlink()

    def _path(self, tenant: str, sha256: str) -> str:
        if not re.fullmatch(patterns.TENANT, tenant) or not _SHA256.fullmatch(sha256):
            raise InvalidRequest(f"{tenant[:64]!r}, {sha256[:64]!r}: not a tenant and a SHA-256")
        return f"{self._root}/{tenant}/{sha256[:2]}/{sha256}"


class LocalFiles(ArrowFiles):
    """Contents on a local disk: flushed to the disk, and moved into place in one step."""

    def __init__(self, root: Path) -> None:
        root = root.absolute()
        super().__init__(fs.LocalFileSystem(), str(root), root / _UPLOADS)

    def adopt(self, part: Path, tenant: str, sha256: str) -> None:
        path = Path(self._path(tenant, sha256))
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
        flush_file(path.parent)


class SpooledUpload:
    """An upload in a file of its own."""

    def __init__(self, spool: Path, files: ArrowFiles) -> None:
        spool.mkdir(parents=True, exist_ok=True)
        self._files = files
        self._path = spool / f"{uuid4().hex}{_PART}"
        self._file = self._path.open("xb", buffering=0)
        self._committed = False

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        with as_storage_errors():
            while view:
                view = view[self._file.write(view) :]

    def commit(self, tenant: str, sha256: str) -> None:
        with as_storage_errors():
            os.fsync(self._file.fileno())
            self._file.close()
            self._files.adopt(self._path, tenant, sha256)
        self._committed = True

    def abort(self) -> None:
        self._file.close()
        if not self._committed:
            self._path.unlink(missing_ok=True)


class ArrowReader:
    """A content, read in any order."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.size_bytes: int = file.size()

    def read_at(self, offset: int, size: int) -> bytes:
        with as_storage_errors(), self._lock:
            self._file.seek(offset)
            data = bytes(self._file.read(size))
        if len(data) < min(size, max(0, self.size_bytes - offset)):
            raise StorageError("a file became shorter while it was read")
        return data

    def close(self) -> None:
        with self._lock:
            self._file.close()
