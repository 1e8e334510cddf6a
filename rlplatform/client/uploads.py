"""Sources of uploads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Upload:
    """A path, or the bytes themselves, to be sent as the body of a call."""

    content: Path | bytes
    progress: Callable[[int, int], None] | None = None

    @contextmanager
    def opened(self) -> Iterator[Source]:
        """Open the content at its beginning."""
        with io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb") as file:
            yield Source(file, self.progress)
