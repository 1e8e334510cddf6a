"""Archives of published policies: ``<policy>.tar``, and ``<policy>.onnx`` beside it."""

from __future__ import annotations

from rlplatform.errors import NotFound
from rlplatform.ids import Kind, check_id
from rlplatform.storage.blobs import ArrowBlobs


class BlobPolicies:
    """The ``PolicyArchives`` port over small files. Thread-safe."""

    def __init__(self, blobs: ArrowBlobs) -> None:
        self._blobs = blobs

    def put(self, policy_id: str, archive: bytes) -> None:
        self._blobs.put(_path(policy_id), archive)

    def get(self, policy_id: str) -> bytes:
        if (archive := self._blobs.get(_path(policy_id))) is None:
            raise NotFound(f"no such policy: {policy_id}")
        return archive

    def put_model(self, policy_id: str, model: bytes) -> None:
        self._blobs.put(_path(policy_id, "onnx"), model)

    def get_model(self, policy_id: str) -> bytes | None:
        return self._blobs.get(_path(policy_id, "onnx"))

    def delete(self, policy_id: str) -> None:
        for path in (_path(policy_id), _path(policy_id, "onnx")):
            self._blobs.delete(path)


def _path(policy_id: str, kind: str = "tar") -> str:
    return f"{check_id(policy_id, Kind.POLICY)}.{kind}"
