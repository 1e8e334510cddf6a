"""Checkpoints as folders of files on a local disk or in object storage, through ``pyarrow.fs``.

A checkpoint is ``<root>/<training>/<checkpoint>/`` with its files in ``data/`` and a ``manifest.json``, written last: a
folder without one was never committed. Empty folders are not kept. Hashes detect damage. They do not stop somebody who
can write to the storage, so the storage must hold only what the platform itself wrote.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from pyarrow import fs
from pydantic import BaseModel, ConfigDict, ValidationError

from rlplatform.clock import Clock
from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.storage.object_storage import as_storage_errors, flush, flush_file
from rlplatform.training.models import CheckpointInfo

MANIFEST = "manifest.json"
DATA = "data"
_CHUNK = 1 << 20
_PENDING = ".pending-"
_FIRST_BATCH = 8


class ManifestFile(BaseModel):
    """One file of a checkpoint, by relative POSIX path."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size_bytes: int
    sha256: str


class Manifest(BaseModel):
    """Content of a checkpoint. ``info.manifest_sha256`` is empty in here: it is the hash of this document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    info: CheckpointInfo
    files: list[ManifestFile]


class ArrowCheckpoints:
    """The ``CheckpointStore`` port over any pyarrow file system. Thread-safe."""

    def __init__(self, filesystem: Any, root: str, clock: Clock) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")
        self._clock = clock

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        folder = self._folder(info.training_id, info.id)
        with as_storage_errors():
            if self._exists(f"{folder}/{MANIFEST}"):
                raise Conflict(f"{info.id} is committed already")
            files = [self._store(source, path, f"{folder}/{DATA}") for path in regular_files(source)]
            info, manifest = sealed(info, files)
            self._write(f"{folder}/{MANIFEST}", manifest)
        return info

    def fetch(self, training_id: str, checkpoint_id: str, target: Path) -> CheckpointInfo:
        folder = self._folder(training_id, checkpoint_id)
        info, files = self._manifest(folder, training_id, checkpoint_id)
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise InvalidRequest(f"{target} must be empty", field="target")
        try:
            with as_storage_errors():
                for file in files:
                    self._load(f"{folder}/{DATA}", file, target, checkpoint_id)
        except BaseException:
            for child in target.iterdir():
                shutil.rmtree(child) if child.is_dir() else child.unlink()
            raise
        return info

    def list(self, training_id: str) -> Sequence[CheckpointInfo]:
        found = []
        for folder in self._children(self._folder(training_id)):
            name = folder.rpartition("/")[2]
            try:
                found.append(self._manifest(folder, training_id, name)[0])
            except (NotFound, CheckpointError):
                continue
        return sorted(found, key=lambda info: (info.iteration, info.id))

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        body = _check(checkpoint_id, Kind.CHECKPOINT).partition("_")[2]
        trainings = self._children(self._root)
        trainings = _nearest_first(self._children(self._root), body)
        for start, size in _batches(len(trainings)):
            folders = {f"{each}/{checkpoint_id}": each for each in trainings[start : start + size]}
            with as_storage_errors():
                infos = self._fs.get_file_info([f"{folder}/{MANIFEST}" for folder in folders])
            for folder, info in zip(folders, infos, strict=True):
                if info.type == fs.FileType.File:
                    return self._manifest(folder, folders[folder].rpartition("/")[2], checkpoint_id)[0]
        raise _no_such(checkpoint_id)

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        folder = self._folder(training_id, checkpoint_id)
        with as_storage_errors():
            if self._exists(f"{folder}/{MANIFEST}"):
                self._fs.delete_file(f"{folder}/{MANIFEST}")
            self._remove(folder)

    def clear(self, training_id: str) -> None:
        with as_storage_errors():
            self._remove(self._folder(training_id))

    def sweep(self, min_age_s: float = 3600.0) -> int:
        swept = 0
        before = self._clock.now() - timedelta(seconds=min_age_s)
        for training in self._children(self._root):
            for folder, entries in self._by_checkpoint(training).items():
                pending = folder.rpartition("/")[2].startswith(_PENDING)
                committed = any(entry.path == f"{folder}/{MANIFEST}" for entry in entries) and not pending
                if not committed and all(_modified(entry) < before for entry in entries):
                    with as_storage_errors():
                        self._remove(folder)
                    swept += 1
        return swept

    def _by_checkpoint(self, training: str) -> Mapping[str, Sequence[Any]]:
        """Return all that lies in the folders of a training, by folder: one listing for all of them."""
        with as_storage_errors():
            entries = self._fs.get_file_info(fs.FileSelector(training, recursive=True, allow_not_found=True))
        found: dict[str, list[Any]] = {}
        for entry in entries:
            name, _, inside = entry.path[len(training) + 1 :].partition("/")
            if inside or entry.type == fs.FileType.Directory:
                found.setdefault(f"{training}/{name}", []).append(entry)
        return found

    def _folder(self, training_id: str, checkpoint_id: str | None = None) -> str:
        folder = f"{self._root}/{_check(training_id, Kind.TRAINING)}"
        return folder if checkpoint_id is None else f"{folder}/{_check(checkpoint_id, Kind.CHECKPOINT)}"

    def _children(self, folder: str) -> Sequence[str]:
        with as_storage_errors():
            entries = self._fs.get_file_info(fs.FileSelector(folder, allow_not_found=True))
        return sorted(entry.path for entry in entries if entry.type == fs.FileType.Directory)

    def _exists(self, path: str) -> bool:
        return bool(self._fs.get_file_info(path).type != fs.FileType.NotFound)

    def _remove(self, folder: str) -> None:
        if self._exists(folder):
            self._fs.delete_dir(folder)

    def _store(self, source: Path, path: str, folder: str) -> ManifestFile:
        """Copy one file of ``source``; its hash is of what was written."""
        size, digest = 0, hashlib.sha256()
        self._fs.create_dir(f"{folder}/{path}".rpartition("/")[0], recursive=True)
        with (source / path).open("rb") as reader, self._fs.open_output_stream(f"{folder}/{path}") as writer:
            while chunk := reader.read(_CHUNK):
                writer.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return ManifestFile(path=path, size_bytes=size, sha256=digest.hexdigest())

    def _write(self, path: str, content: bytes) -> None:
        self._fs.create_dir(path.rpartition("/")[0], recursive=True)
        with self._fs.open_output_stream(path) as writer:
            writer.write(content)

    def _load(self, folder: str, file: ManifestFile, target: Path, checkpoint_id: str) -> None:
        size, digest = 0, hashlib.sha256()
        copy = target / file.path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._fs.open_input_stream(f"{folder}/{file.path}") as reader, copy.open("wb") as writer:
                while chunk := reader.read(_CHUNK):
                    writer.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        except FileNotFoundError:
            raise CheckpointError(f"{checkpoint_id} is damaged: {file.path} is missing") from None
        if (size, digest.hexdigest()) != (file.size_bytes, file.sha256):
            raise CheckpointError(f"{checkpoint_id} is damaged: {file.path} is not what was written")

    def _manifest(
        self, folder: str, training_id: str, checkpoint_id: str
    ) -> tuple[CheckpointInfo, Sequence[ManifestFile]]:
        with as_storage_errors():
            try:
                with self._fs.open_input_stream(f"{folder}/{MANIFEST}") as reader:
                    content = bytes(reader.read())
            except FileNotFoundError:
                raise _no_such(checkpoint_id) from None
        return opened(content, training_id, checkpoint_id)


class LocalCheckpoints(ArrowCheckpoints):
    """Checkpoints on a local disk: written aside, flushed to the disk, and moved into place in one step."""

    def __init__(self, root: Path, clock: Clock) -> None:
        root = root.absolute()
        super().__init__(fs.LocalFileSystem(), str(root), clock)

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        final = Path(self._folder(info.training_id, info.id))
        aside = final.with_name(f"{_PENDING}{info.id}-{uuid4().hex[:8]}")
        with as_storage_errors():
            if (final / MANIFEST).exists():
                raise Conflict(f"{info.id} is committed already")
            try:
                files = [self._store(source, path, f"{aside}/{DATA}") for path in regular_files(source)]
                info, manifest = sealed(info, files)
                self._write(f"{aside}/{MANIFEST}", manifest)
                flush(aside)
                if final.exists():
                    shutil.rmtree(final)
                aside.rename(final)
                flush_file(final.parent)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
        return info


def regular_files(source: Path) -> list[str]:
    """List the files below ``source``, as relative POSIX paths in order.

    Raises:
        CheckpointError: there is none, or one is not a regular file.
    """
    found = []
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise CheckpointError(f"{path} is not a regular file")
        if path.is_file():
            found.append(path.relative_to(source).as_posix())
    if not found:
        raise CheckpointError(f"there are no files in {source}")
    return found


def sealed(info: CheckpointInfo, files: Sequence[ManifestFile]) -> tuple[CheckpointInfo, bytes]:
    """Return ``info`` with size and hash filled in, and the bytes of the manifest."""
    size = sum(file.size_bytes for file in files)
    info = info.model_copy(update={"size_bytes": size, "manifest_sha256": ""})
    manifest = Manifest(info=info, files=list(files)).model_dump_json(indent=1).encode()
    return info.model_copy(update={"manifest_sha256": hashlib.sha256(manifest).hexdigest()}), manifest


def opened(manifest: bytes, training_id: str, checkpoint_id: str) -> tuple[CheckpointInfo, Sequence[ManifestFile]]:
    """Read a manifest that :func:`sealed` wrote.

    Raises:
        CheckpointError: it is damaged, of another format, or another checkpoint's.
    """
    try:
        written = json.loads(manifest)
        if isinstance(written, dict) and written.get("format") != 1:
            raise CheckpointError(f"{checkpoint_id} has format {written.get('format')!r}; this version reads format 1")
        read = Manifest.model_validate_json(manifest)
    except (ValueError, ValidationError):
        raise CheckpointError(f"{checkpoint_id} is damaged: its manifest cannot be read") from None
    if (read.info.training_id, read.info.id) != (training_id, checkpoint_id):
        raise CheckpointError(f"{checkpoint_id} of {training_id} holds another checkpoint: {read.info.id}")
    for file in read.files:
        if file.path.startswith("/") or any(part in ("", ".", "..") for part in file.path.split("/")):
            raise CheckpointError(f"{checkpoint_id} is damaged: it names a file {file.path!r}")
    digest = hashlib.sha256(manifest).hexdigest()
    return read.info.model_copy(update={"manifest_sha256": digest}), read.files


def _nearest_first(trainings: Sequence[str], body: str) -> Sequence[str]:
    """Order sorted folders of trainings by how near they were made to the checkpoint whose id ends in ``body``.

    Ids sort by time. A training is older than its checkpoints, but the clocks of nodes may differ.
    """
    split = bisect([folder.rpartition("_")[2] for folder in trainings], body)
    return [trainings[index] for index in sorted(range(len(trainings)), key=lambda index: abs(2 * (index - split) + 1))]


def _batches(total: int) -> Iterator[tuple[int, int]]:
    """Yield start and size of batches that double: a near hit costs few look-ups, the farthest few rounds."""
    start, size = 0, _FIRST_BATCH
    while start < total:
        yield start, size
        start, size = start + size, 2 * size


def _check(text: str, kind: Kind) -> str:
    try:
        return check_id(text, kind)
    except InvalidRequest:
        raise _no_such(text) from None


def _no_such(checkpoint_id: str) -> NotFound:
    return NotFound(f"no such checkpoint: {checkpoint_id[:64]}")


def _modified(entry: Any) -> datetime:
    """Return the time a file was last written. Object stores do not report it for folders."""
    if entry.mtime is None:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromtimestamp(entry.mtime_ns / 1e9, UTC)
