"""Two programs that talk with each other: each end is the partner of one execution, in a thread of its own.

Bytes are handed over as they come, in any order and at any time. What one program has written and the other has not
read is bounded by the writer's output limit.
"""

from __future__ import annotations

import threading
from typing import Self

from rlplatform.sandbox.wake_up import WakeUp


class DuplexEnd:
    """One end of a connection between two programs."""

    _other: DuplexEnd

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._bell = WakeUp()
        self._ended = False
        self.hung_up = False
        """True once the program of this end writes nothing more."""
        self.was_last = False
        """True if the other program had hung up before the one of this end did."""

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Return two connected ends."""
        ends = cls(), cls()
        ends[0]._other, ends[1]._other = ends[1], ends[0]
        return ends

    def fileno(self) -> int:
        """Return a descriptor that can be read while :meth:`take` has something new to return."""
        return self._bell.fileno()

    def take(self) -> tuple[bytes, bool]:
        """Return what the other program has written since the last call, and True if it has closed its output."""
        with self._lock:
            self._bell.hush()
            waiting, self._waiting = self._waiting, []
            return b"".join(waiting), self._ended

    def hear(self, chunk: bytes) -> None:
        """Hand output of this end's program to the other one; none, once it has ended."""
        self._other._put(chunk)

    def hang_up(self) -> None:
        """Take note that the program of this end writes nothing more. Idempotent."""
        if not self.hung_up:
            self.was_last = self._other.hung_up
            self.hung_up = True
            self._other._end()

    def close(self) -> None:
        """Take nothing more. Idempotent."""
        with self._lock:
            self._ended = True
            self._waiting.clear()
            self._bell.close()

    def _put(self, chunk: bytes) -> None:
        with self._lock:
            if not self._ended:
                self._waiting.append(chunk)
                self._bell.ring()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            self._bell.ring()
