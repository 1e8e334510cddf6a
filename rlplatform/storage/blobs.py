"""Small files by path, on a local disk or in object storage, through ``pyarrow.fs``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import fs

from rlplatform.storage.object_storage import as_storage_errors, flush_file

_PART = ".part"


class ArrowBlobs:
    """Files below ``root`` over any pyarrow file system. Thread-safe. A file is written and read as a whole."""

    def __init__(self, filesystem: Any, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    def put(self, path: str, content: bytes) -> None:
        """Write a file, in place of the one that is there."""
        whole = f"{self._root}/{path}"
        with as_storage_errors():
            self._fs.create_dir(whole.rpartition("/")[0], recursive=True)
            self._write(whole, content)

    def get(self, path: str) -> bytes | None:
        """Return the content of a file; None if there is none."""
        with as_storage_errors():
            try:
                with self._fs.open_input_stream(f"{self._root}/{path}") as reader:
                    return bytes(reader.read())
            except FileNotFoundError:
                return None

    def open(self, path: str) -> Any | None:
        """Open a file to read parts of it; None if there is none."""
        with as_storage_errors():
            try:
                return self._fs.open_input_file(f"{self._root}/{path}")
            except FileNotFoundError:
                return None

    def list(self, folder: str) -> Sequence[str]:
        """Return the paths of the files in a folder, in order; none if there is no such folder."""
        with as_storage_errors():
            found = self._fs.get_file_info(fs.FileSelector(f"{self._root}/{folder}", allow_not_found=True))
        names = (entry.path.rpartition("/")[2] for entry in found if entry.type == fs.FileType.File)
        return sorted(f"{folder}/{name}" for name in names if not name.endswith(_PART))

    def delete(self, path: str) -> None:
        """Remove a file. Idempotent."""
        whole = f"{self._root}/{path}"
        with as_storage_errors():
            if self._fs.get_file_info(whole).type != fs.FileType.NotFound:
                self._fs.delete_file(whole)

    def delete_folder(self, folder: str) -> None:
        """Remove a folder with all that is in it. Idempotent."""
        whole = f"{self._root}/{folder}"
        with as_storage_errors():
            if self._fs.get_file_info(whole).type != fs.FileType.NotFound:
                self._fs.delete_dir(whole)

    def _write(self, path: str, content: bytes) -> None:
        with self._fs.open_output_stream(path) as writer:
            writer.write(content)


class LocalBlobs(ArrowBlobs):
    """Files on a local disk: written aside, flushed to the disk, and moved into place in one step."""

    def __init__(self, root: Path) -> None:
        super().__init__(fs.LocalFileSystem(), str(root.absolute()))
        self._folder = root.absolute().parent

    def _write(self, path: str, content: bytes) -> None:
        aside = Path(f"{path}.{uuid4().hex[:8]}{_PART}")
        try:
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
            for folder in aside.parents:  # new folders too are entries of theirs
                flush_file(folder)
                if folder == self._folder:
                    break
        finally:
            aside.unlink(missing_ok=True)


def open_blobs(opened: Path | tuple[Any, str]) -> ArrowBlobs:
    """Return the files of a local folder, or of a file system and a folder in it."""
    return LocalBlobs(opened) if isinstance(opened, Path) else ArrowBlobs(*opened)
