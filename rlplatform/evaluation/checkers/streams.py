"""Comparison of outputs, a block at a time: neither of them has to fit into memory.

Equal files are found equal by comparing blocks, which is as fast as they are read. Only where they differ are they read
again as words or lines, in batches.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

from rlplatform.evaluation.checkers.quoting import show, show_bytes

Same = Callable[[bytes, bytes], bool]

_EMPTY_LINES = 1 << 18
_SPACES = b" \t\n\r\v\f"


def compare_bytes(expected: BinaryIO, actual: BinaryIO, block: int) -> str | None:
    """Compare two files byte by byte."""
    at = _first_difference(expected, actual, block)
    return None if at is None else _describe_difference(expected, actual, at, block)


def compare_lines(expected: BinaryIO, actual: BinaryIO, block: int) -> str | None:
    """Compare two files line by line, without trailing white space and trailing empty lines."""
    return _compare_items("line", _lines, expected, actual, block, bytes.__eq__)


def compare_words_of_lines(expected: BinaryIO, actual: BinaryIO, block: int) -> str | None:
    """Compare two files line by line, without empty lines and however the words of a line are spaced."""
    return _compare_items("line", _spaced_lines, expected, actual, block, bytes.__eq__)


def compare_words(expected: BinaryIO, actual: BinaryIO, block: int, same: Same = bytes.__eq__) -> str | None:
    """Compare two files word by word."""
    return _compare_items("word", _words, expected, actual, block, same)


def _compare_items(
    unit: str,
    split: Callable[[BinaryIO, int], Iterator[list[bytes]]],
    expected: BinaryIO,
    actual: BinaryIO,
    block: int,
    same: Same,
) -> str | None:
    if _first_difference(expected, actual, block) is None:
        return None
    expected.seek(0)
    actual.seek(0)
    return _compare_batches(unit, split(expected, block), split(actual, block), same)


def _first_difference(expected: BinaryIO, actual: BinaryIO, block: int) -> int | None:
    """Return the offset of the first block in which two streams differ; None if they are equal."""
    expected.seek(0)
    actual.seek(0)
    at = 0
    while True:
        blocks = expected.read(block), actual.read(block)
        if blocks[0] != blocks[1]:
            return at
        if not blocks[0]:
            return None
        at += block


def _describe_difference(expected: BinaryIO, actual: BinaryIO, at: int, block: int) -> str:
    """Say where two streams differ that are equal before the block at ``at``."""
    sizes = [stream.seek(0, io.SEEK_END) for stream in (expected, actual)]
    blocks = []
    for stream in (expected, actual):
        stream.seek(at)
        blocks.append(stream.read(block + 20))
    want, got = blocks
    both = min(len(want), len(got))
    if want[:both] == got[:both]:
        return f"expected {sizes[0]} bytes, got {sizes[1]}"
    first = next(index for index in range(both) if want[index] != got[index])
    return f"byte {at + first + 1}: expected {show(want[first : first + 20])}, got {show(got[first : first + 20])}"


def _words(stream: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """Yield the words of a stream, many at a time."""
    rest: list[bytes] = []
    while block := stream.read(size):
        words = block.split()
        if rest and block[:1] not in _SPACES and words:
            rest.append(words.pop(0))
            joined = not words and block[-1:] not in _SPACES
        else:
            joined = False
        if joined:
            continue
        if rest:
            yield [b"".join(rest)]
            rest = []
        if words and block[-1:] not in _SPACES:
            rest = [words.pop()]
        if words:
            yield words
    if rest:
        yield [b"".join(rest)]


def _lines(stream: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """Yield the lines of a stream without trailing white space, many at a time, and without trailing empty ones."""
    empty = 0
    rest: list[bytes] = []
    while True:
        block = stream.read(size)
        whole = block.split(b"\n")
        last = whole.pop()
        if whole:
            whole[0] = b"".join([*rest, whole[0]])
            rest = []
        rest.append(last)
        if not block:
            whole = [b"".join(rest)]
        lines = [line.rstrip() for line in whole]
        while lines and not lines[-1]:
            lines.pop()
        if lines:
            while empty:  # they are not the last ones
                some = min(empty, _EMPTY_LINES)
                yield [b""] * some
                empty -= some
            yield lines
        empty += len(whole) - len(lines)
        if not block:
            return


def _spaced_lines(stream: BinaryIO, size: int) -> Iterator[list[bytes]]:
    """Yield the lines of a stream that have words, with one space between two words, many at a time."""
    for lines in _lines(stream, size):
        if kept := [b" ".join(words) for line in lines if (words := line.split())]:
            yield kept


def _compare_batches(
    unit: str, expected: Iterator[list[bytes]], actual: Iterator[list[bytes]], same: Same
) -> str | None:
    """Compare two sequences that come in batches of any length."""
    want: list[bytes] = []
    got: list[bytes] = []
    number = 0
    while True:
        want = want or next(expected, [])
        got = got or next(actual, [])
        both = min(len(want), len(got))
        if not both:
            break
        if want[:both] != got[:both]:
            for index in range(both):
                if not same(want[index], got[index]):
                    return (
                        f"{unit} {number + index + 1}: expected {show_bytes(want[index])}, got {show_bytes(got[index])}"
                    )
        number += both
        want, got = want[both:], got[both:]
    if want:
        return f"{unit} {number + 1}: expected {show_bytes(want[0])}, got the end of the output"
    if got:
        return f"{unit} {number + 1}: expected the end of the output, got {show_bytes(got[0])}"
    return None
