"""Lines of a program and an interactor's replies: what is heard, how long it may take, how much waits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from rlplatform.sandbox.execution.conversation import Conversation
from rlplatform.sandbox.execution.pipes import StdinPipe


class Echo:
    """Repeats each line; ends after ``most`` lines."""

    def __init__(self, most: int = 10**9, pause_s: float = 0.0, size: int = 0) -> None:
        self.turn_time_s = 0.05
        self.lines: list[bytes] = []
        self.overheard = b""
        self._most, self._pause_s, self._size = most, pause_s, size

    def begin(self) -> bytes:
        return b"go\n"

    def reply(self, line: bytes) -> bytes | None:
        time.sleep(self._pause_s)
        self.lines.append(line)
        return None if len(self.lines) >= self._most else line.ljust(self._size, b".") + b"\n"

    def overhear(self, output: bytes) -> None:
        self.overheard += output


@pytest.fixture
def feed() -> Iterator[StdinPipe]:
    with closing(StdinPipe()) as feed:
        yield feed


def begun(echo: Echo, feed: StdinPipe) -> Conversation:
    conversation = Conversation(echo, feed)
    conversation.begin()
    return conversation


def in_a_second() -> float:
    return time.monotonic() + 1


def test_lines_are_answered_in_pieces_of_any_size(feed: StdinPipe) -> None:
    echo = Echo()
    conversation = begun(echo, feed)
    for piece in (b"a", b"b\nc\n", b"\nd"):
        conversation.hear(piece)
        assert not conversation.answer(in_a_second())
    assert echo.lines == [b"ab", b"c", b""]
    feed.push()
    assert os.read(feed.child, 100) == b"go\nab\nc\n\n"
    conversation.finish()
    assert echo.lines[-1] == b"d"


def test_answering_pauses_when_its_time_is_up(feed: StdinPipe) -> None:
    echo = Echo(pause_s=0.01)
    conversation = begun(echo, feed)
    conversation.hear(b"x\n" * 100)
    assert conversation.answer(time.monotonic() + 0.02)
    assert 1 <= len(echo.lines) <= 4


def test_output_after_the_end_is_overheard_however_it_comes(feed: StdinPipe) -> None:
    echo = Echo(most=1)
    conversation = begun(echo, feed)
    conversation.hear(b"a\nb\nc")
    conversation.answer(in_a_second())
    conversation.hear(b"d")
    conversation.answer(in_a_second())
    conversation.finish()
    assert (echo.lines, echo.overheard) == ([b"a"], b"b\ncd")


def test_replies_that_nobody_reads_do_not_pile_up(feed: StdinPipe) -> None:
    echo = Echo(size=100_000)
    conversation = begun(echo, feed)
    conversation.hear(b"x\n" * 1000)
    assert not conversation.answer(in_a_second())
    assert len(echo.lines) < 10
    feed.push()
    while feed.unread_bytes:
        os.read(feed.child, 1 << 20)
        feed.push()
    assert not conversation.answer(in_a_second())
    assert 3 < len(echo.lines) < 20


def test_a_program_that_has_ended_is_heard_to_its_last_line(feed: StdinPipe) -> None:
    echo = Echo(size=100_000)
    conversation = begun(echo, feed)
    conversation.hear(b"x\n" * 50)
    feed.close()
    assert not conversation.answer(in_a_second())
    assert len(echo.lines) == 50
    assert feed.unread_bytes == 0


def test_a_turn_is_overdue_only_while_the_program_owes_a_line(feed: StdinPipe) -> None:
    conversation = begun(Echo(most=2), feed)
    time.sleep(0.06)
    assert conversation.overdue(0.0)
    assert not conversation.overdue(1.0)
    conversation.hear(b"a\n")
    assert not conversation.overdue(0.0)
    conversation.answer(in_a_second())
    conversation.hear(b"b\n")
    conversation.answer(in_a_second())
    time.sleep(0.06)
    assert not conversation.overdue(0.0)
