"""Parts of a file that a request asks for (RFC 9110, section 14), and a response that sends them as they are read."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rlplatform.errors import RangeNotSatisfiable, StorageError
from rlplatform.files.ports import FileReader

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)
_CHUNK = 1 << 18


class Part(NamedTuple):
    """Bytes ``start`` to ``end`` (exclusive) of a file of ``size`` bytes; ``whole`` if none were asked for."""

    start: int
    end: int
    size: int
    whole: bool

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the response with these bytes."""
        about = {"Accept-Ranges": "bytes", "Content-Length": str(self.end - self.start)}
        return about if self.whole else about | {"Content-Range": f"bytes {self.start}-{self.end - 1}/{self.size}"}


def part_of(headers: Headers, size: int, *validators: str) -> Part:
    """Return the part that ``headers`` ask for. A ``Range`` of several parts, one that cannot be read, or one whose
    ``If-Range`` is none of ``validators`` is ignored.

    Raises:
        RangeNotSatisfiable: it begins behind the end.
    """
    whole = Part(0, size, size, whole=True)
    asked = headers.get("range", "")
    found = _RANGE.fullmatch(asked)
    if found is None or headers.get("if-range", validators[0]) not in validators:
        return whole
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return whole
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    elif last:
        start, end = max(0, size - int(last)), size
    else:
        return whole
    if start >= size or (not first and int(last) == 0):
        raise RangeNotSatisfiable(f"the file has {size} bytes; {asked[:80]!r} is beyond its end", size=size)
    return Part(start, end, size, whole=False)


class FileContent(StreamingResponse):
    """Sends a part of a file; of a whole one, only bytes whose SHA-256 is right are sent to the end."""

    def __init__(
        self, reader: FileReader, part: Part, sha256: str, media_type: str, headers: Mapping[str, str]
    ) -> None:
        self._reader, self._part, self._sha256 = reader, part, sha256
        status = 200 if part.whole else 206
        super().__init__(self._chunks(), status, {**headers, **part.headers}, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(asyncio.to_thread(self._reader.close))

    async def _chunks(self) -> AsyncIterator[bytes]:
        digest = hashlib.sha256()
        at, end = self._part.start, self._part.end
        while at < end:
            chunk = await asyncio.to_thread(self._reader.read_at, at, min(_CHUNK, end - at))
            at += len(chunk)
            if self._part.whole:
                digest.update(chunk)
                if at == end and digest.hexdigest() != self._sha256:
                    raise StorageError("a stored file is damaged: it is not what was uploaded")
            yield chunk
