"""A ZIP file that is sent while it is made: nothing of it is on disk, and no more than a chunk in memory."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.responses import StreamingResponse

from rlplatform.assignments.grading.archives import ArchiveEntry
from rlplatform.files.ports import FileReader

MEDIA_TYPE = "application/zip"
_CHUNK = 1 << 16  # compressed between two turns of the loop: some milliseconds
_MODE = 0o100644 << 16
_FIRST_YEAR, _LAST_YEAR = 1980, 2107


class ZipStream(StreamingResponse):
    """Sends ``entries`` as a ZIP file called ``filename``.

    If an entry cannot be read, the connection breaks off: a client never takes a part of the archive for all of it.
    """

    def __init__(self, entries: AsyncGenerator[ArchiveEntry], filename: str) -> None:
        disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
        headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-store"}
        super().__init__(zipped(entries), headers=headers, media_type=MEDIA_TYPE)


async def zipped(entries: AsyncGenerator[ArchiveEntry]) -> AsyncIterator[bytes]:
    """Yield the bytes of a ZIP file with ``entries``."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        async with aclosing(entries):
            async for entry in entries:
                info = zipfile.ZipInfo(entry.path, _date_time(entry.time))
                info.external_attr, info.compress_type = _MODE, zipfile.ZIP_DEFLATED
                content = entry.content
                info.file_size = len(content) if isinstance(content, bytes) else content.size_bytes
                async with aclosing(_parts(content)) as parts:
                    with archive.open(info, "w") as target:
                        async for part in parts:
                            target.write(part)
                            if sink.size >= _CHUNK:
                                yield sink.take()
    yield sink.take()


async def _parts(content: bytes | FileReader) -> AsyncGenerator[bytes]:
    """Yield the bytes of an entry, a chunk at a time. Closes the reader, also if it is left early."""
    if isinstance(content, bytes):
        for at in range(0, len(content), _CHUNK):
            yield content[at : at + _CHUNK]
            await asyncio.sleep(0)
        return
    try:
        for at in range(0, content.size_bytes, _CHUNK):
            yield await asyncio.to_thread(content.read_at, at, _CHUNK)
    finally:
        await asyncio.shield(asyncio.to_thread(content.close))


def _date_time(moment: datetime) -> tuple[int, int, int, int, int, int]:
    at = moment.astimezone(UTC)
    return min(max(at.year, _FIRST_YEAR), _LAST_YEAR), at.month, at.day, at.hour, at.minute, at.second


class _Sink(io.RawIOBase):
    """Target of a ZIP file that cannot be rewound: what was written is taken out in order."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        part = bytes(data)
        self._parts.append(part)
        self.size += len(part)
        return len(part)

    def take(self) -> bytes:
        """Return the bytes since the last call."""
        taken, self._parts, self.size = b"".join(self._parts), [], 0
        return taken
