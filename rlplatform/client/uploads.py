"""Sources of uploads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 18


class Source:
    """Bytes to send, in chunks; ``size_bytes`` of them, fixed when it was opened.

    Args:
        progress: called with the bytes taken and the bytes in all.
    """

    def __init__(self, file: BinaryIO, progress: Callable[[int, int], None] | None) -> None:
        self._file = file
        self._progress = progress
        self.size_bytes = file.seek(0, io.SEEK_END)
        self._sent = 0
        file.seek(0)

    def take(self) -> bytes:
        """Return the next chunk; empty at the end."""
        chunk = self._file.read(min(CHUNK, self.size_bytes - self._sent))
        self._sent += len(chunk)
        if self._progress is not None:
            self._progress(self._sent, self.size_bytes)
        return chunk


@contextmanager
def opened(source: Path | bytes, progress: Callable[[int, int], None] | None) -> Iterator[Source]:
    """Open what is to be uploaded, from its beginning."""
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
        yield Source(file, progress)
