"""Archives of published policies, as files on a local disk or in object storage, through ``pyarrow.fs``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import fs

from rlplatform.errors import NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.storage.checkpoints import as_storage_errors


class ArrowPolicies:
    """The ``PolicyFiles`` port over any pyarrow file system: ``<root>/<policy>.tar``. Thread-safe."""

    def __init__(self, filesystem: Any, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    def put(self, policy_id: str, archive: bytes) -> None:
        path = self._path(policy_id)
        with as_storage_errors():
            self._fs.create_dir(self._root, recursive=True)
            self._write(path, archive)

    def get(self, policy_id: str) -> bytes:
        path = self._path(policy_id)
        with as_storage_errors():
            try:
                with self._fs.open_input_stream(path) as reader:
                    return bytes(reader.read())
            except FileNotFoundError:
                raise NotFound(f"no such policy: {policy_id}") from None

    def delete(self, policy_id: str) -> None:
        path = self._path(policy_id)
        with as_storage_errors():
            if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                self._fs.delete_file(path)

    def _path(self, policy_id: str) -> str:
        return f"{self._root}/{check_id(policy_id, Kind.POLICY)}.tar"

    def _write(self, path: str, archive: bytes) -> None:
        with self._fs.open_output_stream(path) as writer:
            writer.write(archive)


class LocalPolicies(ArrowPolicies):
    """Archives on a local disk: written aside, flushed to the disk, and moved into place in one step."""

    def __init__(self, root: Path) -> None:
        super().__init__(fs.LocalFileSystem(), str(root.absolute()))

    def _write(self, path: str, archive: bytes) -> None:
        aside = Path(f"{path}.{uuid4().hex[:8]}.part")
        try:
            with aside.open("wb") as file:
                file.write(archive)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
