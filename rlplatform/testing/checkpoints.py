"""Checkpoints in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, NotFound
from rlplatform.storage.checkpoints import ManifestFile, opened, regular_files, sealed
from rlplatform.training.models import CheckpointInfo


class MemoryCheckpoints:
    """The ``CheckpointStore`` port over dictionaries; :meth:`damage` breaks one. ``sweeps`` counts them."""

    def __init__(self) -> None:
        self.sweeps = 0
        self._manifests: dict[tuple[str, str], bytes] = {}
        self._files: dict[tuple[str, str], dict[str, bytes]] = {}

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        key = info.training_id, info.id
        if key in self._manifests:
            raise Conflict(f"{info.id} is committed already")
        files = {path: (source / path).read_bytes() for path in regular_files(source)}
        listed = [
            ManifestFile(path=path, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
            for path, content in files.items()
        ]
        info, self._manifests[key] = sealed(info, listed)
        self._files[key] = files
        return info

    def fetch(self, training_id: str, checkpoint_id: str, target: Path) -> CheckpointInfo:
        info, files = self._open(training_id, checkpoint_id)
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise InvalidRequest(f"{target} must be empty", field="target")
        stored = self._files[training_id, checkpoint_id]
        for file in files:
            if hashlib.sha256(stored.get(file.path, b"")).hexdigest() != file.sha256:
                raise CheckpointError(f"{checkpoint_id} is damaged: {file.path} is not what was written")
        for file in files:
            (target / file.path).parent.mkdir(parents=True, exist_ok=True)
            (target / file.path).write_bytes(stored[file.path])
        return info

    def list(self, training_id: str) -> Sequence[CheckpointInfo]:
        infos = (self._open(*key)[0] for key in self._manifests if key[0] == training_id)
        return sorted(infos, key=lambda info: (info.iteration, info.id))

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        for key in self._manifests:
            if key[1] == checkpoint_id:
                return self._open(*key)[0]
        raise NotFound(f"no such checkpoint: {checkpoint_id[:64]}")

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        self._manifests.pop((training_id, checkpoint_id), None)
        self._files.pop((training_id, checkpoint_id), None)

    def clear(self, training_id: str) -> None:
        for key in [key for key in self._manifests if key[0] == training_id]:
            self.delete(*key)

    def sweep(self, min_age_s: float = 3600.0) -> int:  # noqa: ARG002 - a commit in memory leaves nothing behind
        self.sweeps += 1
        return 0

    def damage(self, checkpoint_id: str) -> None:
        """Change the first byte of a checkpoint's first file."""
        for key, files in self._files.items():
            if key[1] == checkpoint_id:
                path = min(files)
                files[path] = b"X" + files[path][1:]

    def _open(self, training_id: str, checkpoint_id: str) -> tuple[CheckpointInfo, Sequence[ManifestFile]]:
        manifest = self._manifests.get((training_id, checkpoint_id))
        if manifest is None:
            raise NotFound(f"no such checkpoint: {checkpoint_id[:64]}")
        return opened(manifest, training_id, checkpoint_id)
