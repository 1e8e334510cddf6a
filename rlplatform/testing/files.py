"""Contents of uploaded files in memory."""

from __future__ import annotations

from rlplatform.errors import NotFound


class MemoryFiles:
    """The ``FileStorage`` port over a dictionary. ``pending`` are uploads that are neither stored nor gone."""

    def __init__(self) -> None:
        self.contents: dict[tuple[str, str], bytes] = {}
        self.pending: list[_Upload] = []

    def begin(self) -> _Upload:
        upload = _Upload(self)
        self.pending.append(upload)
        return upload

    def open(self, tenant: str, sha256: str) -> _Reader:
        if (content := self.contents.get((tenant, sha256))) is None:
            raise NotFound(f"no such content: {sha256}")
        return _Reader(content)

    def delete(self, tenant: str, sha256: str) -> None:
        self.contents.pop((tenant, sha256), None)

    def sweep(self, min_age_s: float = 86_400.0) -> int:
        """Remove all uploads if ``min_age_s`` is not positive: they have no age here."""
        swept = len(self.pending) if min_age_s <= 0 else 0
        if swept:
            self.pending.clear()
        return swept


class _Upload:
    def __init__(self, files: MemoryFiles) -> None:
        self._files = files
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._parts.append(data)

    def commit(self, tenant: str, sha256: str) -> None:
        self._files.contents[tenant, sha256] = b"".join(self._parts)
        self._files.pending.remove(self)

    def abort(self) -> None:
        if self in self._files.pending:
            self._files.pending.remove(self)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size_bytes = len(content)

    def read_at(self, offset: int, size: int) -> bytes:
        return self._content[offset : offset + size]

    def close(self) -> None: ...
