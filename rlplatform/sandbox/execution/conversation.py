"""Dialogue of a program with an interactor: lines in, replies out, and a deadline for each turn."""

from __future__ import annotations

import time

from rlplatform.sandbox.execution.pipes import StdinPipe
from rlplatform.sandbox.ports import Interactor

_MOST_UNREAD_BYTES = 256 << 10


class Conversation:
    """Forwards lines of the program to the interactor, and replies to the program's stdin.

    While the program leaves more than 256 KiB of replies unread, its lines wait. That bounds the host's memory.
    """

    def __init__(self, interactor: Interactor, stdin: StdinPipe) -> None:
        self._interactor, self._stdin = interactor, stdin
        self._heard = bytearray()
        self._turn_ends = 0.0
        self._starved_s = self._starved_before_s = 0.0
        self._over = False

    def begin(self) -> None:
        """Send the interactor's first output."""
        self._stdin.put(self._interactor.begin())
        self._turn_ends = time.monotonic() + self._interactor.turn_time_s

    def hear(self, chunk: bytes) -> None:
        """Take output of the program; :meth:`answer` answers it later."""
        self._heard += chunk

    def answer(self, until: float) -> bool:
        """Answer waiting lines up to the monotonic time ``until``, but at least one.

        Returns:
            True if more lines can be answered at once.
        """
        while self._can_answer():
            end = self._heard.index(b"\n")
            line = bytes(self._heard[:end])
            del self._heard[: end + 1]
            self._reply(line)
            if time.monotonic() > until:
                break
        if self._over:
            self._overhear()
        return self._can_answer()

    def finish(self) -> None:
        """Answer a last line without a newline, after the program has exited regularly."""
        if self._heard and not self._over:
            self._reply(bytes(self._heard))
            self._heard.clear()

    def overdue(self, starved_s: float) -> bool:
        """Return True if the program has used up the time of its turn, less the ``starved_s`` seconds that it waited
        for a core."""
        self._starved_s = starved_s
        if self._over or b"\n" in self._heard:
            return False
        return time.monotonic() > self._turn_ends + starved_s - self._starved_before_s

    def _can_answer(self) -> bool:
        return not self._over and self._stdin.unread_bytes <= _MOST_UNREAD_BYTES and b"\n" in self._heard

    def _reply(self, line: bytes) -> None:
        reply = self._interactor.reply(line)
        self._turn_ends = time.monotonic() + self._interactor.turn_time_s
        self._starved_before_s = self._starved_s
        if reply is None:
            self._over = True
            self._stdin.end()
        else:
            self._stdin.put(reply)

    def _overhear(self) -> None:
        if self._heard:
            self._interactor.overhear(bytes(self._heard))
            self._heard.clear()
