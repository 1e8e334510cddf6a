"""Trees of files, copied between local disks and object storage, and sums of their contents."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rlplatform.errors import StorageError
from rlplatform.storage.object_storage import as_storage_errors, file_system

SUMS = "SHA256SUMS"
"""File of the sums of a folder, which ``sha256sum -c`` reads."""
_UNFINISHED = ".part"
_UPLOADS = ".uploads"


class Tree:
    """Files at a URL, by their path in it.

    Args:
        url: What :func:`rlplatform.storage.open_checkpoints` takes.
        field: Name of the setting, for errors.
    """

    def __init__(self, url: str, field: str) -> None:
        from pyarrow import fs

        opened = file_system(url, field)
        self._fs: Any
        self._fs, root = (fs.LocalFileSystem(), str(opened.absolute())) if isinstance(opened, Path) else opened
        self._root = root.rstrip("/")

    def paths(self) -> list[str]:
        """Return the paths of all complete files, in order."""
        from pyarrow import fs

        with as_storage_errors():
            found = self._fs.get_file_info(fs.FileSelector(self._root, allow_not_found=True, recursive=True))
        paths = (entry.path[len(self._root) + 1 :] for entry in found if entry.type == fs.FileType.File)
        return sorted(path for path in paths if not path.endswith(_UNFINISHED) and _UPLOADS not in path.split("/"))

    def copy_to(self, target: Tree) -> int:
        """Copy the files that ``target`` lacks; return their number. Files that are deleted meanwhile are left out.

        Raises:
            StorageError: one of the two cannot be read or written.
        """
        there = set(target.paths())
        return sum(self._copy(path, target) for path in self.paths() if path not in there)

    def _copy(self, path: str, target: Tree) -> bool:
        whole = f"{target._root}/{path}"
        part = f"{whole}{_UNFINISHED}"
        with as_storage_errors():
            try:
                reader = self._fs.open_input_stream(f"{self._root}/{path}")
            except FileNotFoundError:
                return False
            target._fs.create_dir(whole.rpartition("/")[0], recursive=True)
            with reader, target._fs.open_output_stream(part) as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
            target._fs.move(part, whole)
        return True


def write_sums(folder: Path) -> None:
    """Write the SHA-256 of each file in ``folder`` into its file ``SHA256SUMS``."""
    lines = [f"{file_sha256(path)}  {path.relative_to(folder)}\n" for path in _files(folder)]
    (folder / SUMS).write_text("".join(lines))


def check_sums(folder: Path) -> None:
    """Check the files in ``folder`` against its file ``SHA256SUMS``.

    Raises:
        StorageError: a file is missing or has changed.
    """
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, ValueError) as error:
        raise StorageError(f"{folder / SUMS} cannot be read: {error}") from None
    for line in lines:
        expected, _, name = line.partition("  ")
        if file_sha256(folder / name) != expected:
            raise StorageError(f"{folder / name} is not as it was backed up: use another back-up")


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        StorageError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from None


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in sorted(os.walk(folder)):
        yield from (Path(parent) / name for name in sorted(names) if name != SUMS)
