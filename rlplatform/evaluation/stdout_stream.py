"""Output of a test while it runs: in few chunks, and not too much of it. A test that ends soon sends nothing."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable
from typing import NamedTuple

AFTER_S = 0.25  # a test that ends before that is shown by its result
EVERY_S = 0.1
TEST_BYTES = 16 << 10
EVALUATION_BYTES = 128 << 10


class OutputChunk(NamedTuple):
    """A part of the stdout of ``test``: valid text, ``offset`` characters after its beginning. ``truncated``: the
    last, though more was printed."""

    test: str
    offset: int
    text: str
    truncated: bool


OnOutput = Callable[[OutputChunk], None]


class ByteBudget:
    """The bytes that one evaluation may still send."""

    def __init__(self, size: int = EVALUATION_BYTES) -> None:
        self.left = size


class StdoutStream:
    """Takes the stdout of one running test and passes it on, at most every ``EVERY_S`` seconds.

    :param clock: seconds, monotonic.
    """

    def __init__(
        self, test: str, send: OnOutput, budget: ByteBudget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._test, self._send, self._budget, self._clock = test, send, budget, clock
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting = bytearray()
        self._room = TEST_BYTES
        self._sent = 0
        self._cut = self._over = False
        self._due = clock() + AFTER_S

    def __call__(self, chunk: bytes) -> None:
        """Take ``chunk``; empty: only look whether it is time."""
        if self._over:
            return
        if chunk:
            kept = chunk[: min(self._room, self._budget.left)]
            self._room -= len(kept)
            self._budget.left -= len(kept)
            self._waiting += kept
            self._cut = len(kept) < len(chunk)
        if (self._waiting or self._cut) and self._clock() >= self._due:
            self._flush()

    def _flush(self) -> None:
        text = self._decoder.decode(bytes(self._waiting), final=self._cut)
        self._waiting.clear()
        self._due = self._clock() + EVERY_S
        self._over = self._cut
        if text or self._cut:
            self._send(OutputChunk(self._test, self._sent, text, self._cut))
            self._sent += len(text)
