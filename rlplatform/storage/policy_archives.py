"""Archives of published policies, as files on a local disk or in object storage, through ``pyarrow.fs``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import fs

from rlplatform.errors import NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.storage.object_storage import as_storage_errors


class ArrowPolicies:
    """The ``PolicyArchives`` port over any pyarrow file system: ``<root>/<policy>.tar``, and ``<policy>.onnx`` beside.

    Thread-safe.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")

    def put(self, policy_id: str, archive: bytes) -> None:
        self._put(self._path(policy_id), archive)

    def get(self, policy_id: str) -> bytes:
        if (archive := self._get(self._path(policy_id))) is None:
            raise NotFound(f"no such policy: {policy_id}")
        return archive

    def put_model(self, policy_id: str, model: bytes) -> None:
        self._put(self._path(policy_id, "onnx"), model)

    def get_model(self, policy_id: str) -> bytes | None:
        return self._get(self._path(policy_id, "onnx"))

    def delete(self, policy_id: str) -> None:
        for path in (self._path(policy_id), self._path(policy_id, "onnx")):
            with as_storage_errors():
                if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                    self._fs.delete_file(path)

    def _put(self, path: str, content: bytes) -> None:
        with as_storage_errors():
            self._fs.create_dir(self._root, recursive=True)
            self._write(path, content)

    def _get(self, path: str) -> bytes | None:
        with as_storage_errors():
            try:
                with self._fs.open_input_stream(path) as reader:
                    return bytes(reader.read())
            except FileNotFoundError:
                return None

    def _path(self, policy_id: str, kind: str = "tar") -> str:
        return f"{self._root}/{check_id(policy_id, Kind.POLICY)}.{kind}"

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
