"""Conversation of a program with an interactor: lines in, replies out, a deadline for each turn."""

from __future__ import annotations

import time

from rlplatform.sandbox.execution.pipes import StdinPipe
from rlplatform.sandbox.ports import Interactor

_MOST_UNREAD_BYTES = 256 << 10


class Conversation:
    """Passes lines of the program to the interactor, and replies to the program's stdin.

    Lines wait while the program leaves more than 256 KiB of replies unread: what it costs the host is bounded.
    """

    def __init__(self, interactor: Interactor, stdin: StdinPipe) -> None:
        self._interactor, self._stdin = interactor, stdin
        self._heard = bytearray()
        self._turn_ends = 0.0
        self._starved_s = self._starved_before_s = 0.0
        self._over = False

    def begin(self) -> None:
        """Say what the interactor says first."""
        self._stdin.put(self._interactor.begin())
        self._turn_ends = time.monotonic() + self._interactor.turn_time_s

    def hear(self, chunk: bytes) -> None:
        """Take output of the program. It is answered later, by :meth:`answer`."""
        self._heard += chunk

    def answer(self, until: float) -> bool:
        """Answer the lines that wait, up to the monotonic time ``until``, but at least one.

        Returns:
            True if lines are left that can be answered at once.
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
        """Take a last line that has no newline: the program has ended well."""
        if self._heard and not self._over:
            self._reply(bytes(self._heard))
            self._heard.clear()

    def overdue(self, starved_s: float) -> bool:
        """Return True if the turn has had its time; ``starved_s`` is what the program waited for a core so far."""
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
