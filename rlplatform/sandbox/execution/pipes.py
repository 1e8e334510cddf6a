"""The host's ends of an execution's pipes: never blocking, never unbounded, never waiting for the other end."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from rlplatform.sandbox.execution.outcomes import Captured

CHUNK = 1 << 16
IN_MEMORY = 4 << 20


class _Pipe:
    """A pipe with one end for the child and a non-blocking one for the host. Both are closed at most once."""

    def __init__(self, host_reads: bool) -> None:
        ends = os.pipe2(os.O_CLOEXEC)
        self.host, self.child = ends if host_reads else ends[::-1]
        os.set_blocking(self.host, False)
        self._open = {self.host, self.child}

    @property
    def closed(self) -> bool:
        """Whether the host's end is closed."""
        return self.host not in self._open

    def open_to(self, user: int) -> None:
        """Let ``user`` open the child's end by name (``/dev/stdin``), where this process may say so."""
        with suppress(PermissionError):
            os.fchown(self.child, user, -1)

    def close_child(self) -> None:
        """Close the end that was handed over."""
        self._close(self.child)

    def close(self) -> None:
        """Close both ends."""
        self._close(self.host)
        self._close(self.child)

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)


class OutputPipe(_Pipe):
    """What comes out: ``keep`` bytes are kept, more than ``most`` is too much.

    ``spools``: once there are more than ``IN_MEMORY`` bytes, all are kept in a nameless file.
    """

    def __init__(self, keep: int, most: int, *, spools: bool = False) -> None:
        super().__init__(host_reads=True)
        self._keep, self._most = keep, most
        self._parts: list[bytes] = []
        self._size = 0
        self._spools = spools
        self._file: BinaryIO | None = None

    def pull(self) -> bytes | None:
        """Take one chunk and return it; empty at the end of the pipe, None when there is nothing at the moment."""
        try:
            chunk = os.read(self.host, CHUNK)
        except BlockingIOError:
            return None
        if self._size < self._keep:
            self._put(chunk[: self._keep - self._size])
        self._size += len(chunk)
        return chunk

    def _put(self, kept: bytes) -> None:
        if self._file is None and self._spools and self._size + len(kept) > IN_MEMORY:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the pipe, unless it was handed over
            self._file.writelines(self._parts)
        if self._file is not None:
            self._file.write(kept)
        else:
            self._parts.append(kept)

    def drain(self) -> None:
        """Take what is left in the pipe. Not its end: a descriptor of it may be anywhere."""
        while not self.exceeded and self.pull():
            pass

    @property
    def exceeded(self) -> bool:
        return self._size > self._most

    def captured(self) -> Captured:
        """Return what was kept. The file of a large one is the caller's from then on."""
        file, self._file = self._file, None
        return Captured(b"".join(self._parts), self._size > self._keep, file)

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()
            self._file = None


class StdinPipe(_Pipe):
    """What goes in, as fast as it is read."""

    def __init__(self, source: Path | None = None) -> None:
        """``source``: a file that goes in before anything else."""
        super().__init__(host_reads=False)
        self._source: BinaryIO | None = source.open("rb", buffering=0) if source is not None else None
        self._waiting: deque[memoryview] = deque()
        self.unread_bytes = 0
        self._ended = False

    def put(self, data: bytes) -> None:
        """Add ``data`` to what is to be written."""
        if data and not self.closed:
            self._waiting.append(memoryview(data))
            self.unread_bytes += len(data)

    @property
    def has_work(self) -> bool:
        """True if there is something to write, or the end to be shown by closing."""
        return not self.closed and (bool(self._waiting) or self._source is not None or self._ended)

    def end(self) -> None:
        """Nothing comes after what was put."""
        self._ended = True

    def push(self) -> bool:
        """Write what fits; whether there is more to write. After the end, or if nobody reads, the pipe is closed."""
        try:
            while self._waiting or self._refill():
                written = os.write(self.host, self._waiting[0][:CHUNK])
                self._waiting[0] = self._waiting[0][written:]
                self.unread_bytes -= written
                if not self._waiting[0]:
                    self._waiting.popleft()
        except BlockingIOError:
            return True
        except BrokenPipeError:
            self._discard()
            self._ended = True
        if self._ended:
            self._close(self.host)
        return False

    def close(self) -> None:
        super().close()
        self._discard()

    def _refill(self) -> bool:
        """Take the next chunk of the source; False at its end."""
        if self._source is None:
            return False
        if chunk := self._source.read(CHUNK):
            self._waiting.append(memoryview(chunk))
            self.unread_bytes += len(chunk)
            return True
        self._source.close()
        self._source = None
        return False

    def _discard(self) -> None:
        self._waiting.clear()
        self.unread_bytes = 0
        if self._source is not None:
            self._source.close()
            self._source = None
