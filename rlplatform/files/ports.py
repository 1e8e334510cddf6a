"""Ports of uploaded files: where their bytes are, and what the API needs of them.

Fake and contract suite: ``rlplatform.testing.files``, ``rlplatform.testing.contracts.files``.
"""

from __future__ import annotations

from typing import Protocol


class PendingUpload(Protocol):
    """Bytes of one upload that is not stored yet. Blocking; one thread at a time."""

    def write(self, data: bytes) -> None:
        """Append ``data``."""

    def commit(self, tenant: str, sha256: str) -> None:
        """Store the bytes written as the content ``sha256`` of ``tenant``, all or nothing. Idempotent for equal
        bytes."""

    def abort(self) -> None:
        """Remove what was written, unless it was committed. Idempotent."""


class FileReader(Protocol):
    """Bytes of a stored file. Blocking; one thread at a time."""

    @property
    def size_bytes(self) -> int:
        """Size of the whole file, in bytes."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset`` on; fewer at the end alone."""

    def close(self) -> None:
        """Release it. Idempotent."""


class FileStorage(Protocol):
    """Contents of files by tenant and SHA-256. Blocking; thread-safe."""

    def begin(self) -> PendingUpload:
        """Begin an upload."""

    def open(self, tenant: str, sha256: str) -> FileReader:
        """Open a content.

        Raises:
            NotFound: the tenant has none such.
        """

    def delete(self, tenant: str, sha256: str) -> None:
        """Remove a content. Idempotent."""

    def sweep(self, min_age_s: float = 86_400.0) -> int:
        """Remove uploads that were abandoned and not touched for ``min_age_s``; return how many there were."""
