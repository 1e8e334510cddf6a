"""Host side of an execution's pipes.

Reads and writes never block, buffers are bounded, and no call waits for the child.
"""

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
    """Pipe with one end for the child and a non-blocking one for the host. Each end is closed at most once."""

    def __init__(self, host_reads: bool) -> None:
        ends = os.pipe2(os.O_CLOEXEC)
        self.host, self.child = ends if host_reads else ends[::-1]
        os.set_blocking(self.host, False)
        self._open = {self.host, self.child}

    @property
    def closed(self) -> bool:
        """True if the host's end is closed."""
        return self.host not in self._open

    def open_to(self, user: int) -> None:
        """Let ``user`` open the child's end by name (``/dev/stdin``), if this process has the permission to allow
        it."""
        with suppress(PermissionError):
            os.fchown(self.child, user, -1)

    def close_child(self) -> None:
        """Close this process's copy of the child's end."""
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
    """Output of the program: ``keep`` bytes are kept, and more than ``most`` bytes exceed the limit.

    With ``spools``, output of more than ``IN_MEMORY`` bytes is kept in a file without a name.
    """

    def __init__(self, keep: int, most: int, *, spools: bool = False) -> None:
        super().__init__(host_reads=True)
        self._keep, self._most = keep, most
        self._parts: list[bytes] = []
        self._size = 0
        self._spools = spools
        self._file: BinaryIO | None = None

    def pull(self) -> bytes | None:
        """Read one chunk and return it. Empty at the end of the pipe; None if there is nothing to read yet."""
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
        """Read what is left in the pipe, without waiting for its end: other processes may still hold a descriptor."""
        while not self.exceeded and self.pull():
            pass

    @property
    def exceeded(self) -> bool:
        return self._size > self._most

    def captured(self) -> Captured:
        """Return the kept output. The caller owns its file, if there is one."""
        file, self._file = self._file, None
        return Captured(b"".join(self._parts), self._size > self._keep, file)

    def close(self) -> None:
        super().close()
        if self._file is not None:
            self._file.close()
            self._file = None


class StdinPipe(_Pipe):
    """Input of the program, written as fast as the program reads it."""

    def __init__(self, source: Path | None = None) -> None:
        """Create the pipe. ``source`` is a file that is sent before any other input."""
        super().__init__(host_reads=False)
        self._source: BinaryIO | None = source.open("rb", buffering=0) if source is not None else None
        self._waiting: deque[memoryview] = deque()
        self.unread_bytes = 0
        self._ended = False

    def put(self, data: bytes) -> None:
        """Add ``data`` to the input."""
        if data and not self.closed:
            self._waiting.append(memoryview(data))
            self.unread_bytes += len(data)

    @property
    def has_work(self) -> bool:
        """True if there is input to write, or the pipe has to be closed to show its end."""
        return not self.closed and (bool(self._waiting) or self._source is not None or self._ended)

    def end(self) -> None:
        """Mark the end of the input."""
        self._ended = True

    def push(self) -> bool:
        """Write as much as fits. At the end of the input, or if no process reads, the pipe is closed.

        Returns:
            True if there is more to write.
        """
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
        """Read the next chunk of the source; False at its end."""
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
