"""Comparison of outputs too large to be held in memory: the same answers as ``checkers``, a piece at a time.

Equal files are found equal by comparing blocks, which is as fast as they are read. Only where they differ are they read
again as words or lines, in batches.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from rlplatform.evaluation.checkers import compare_output, show, words_close
from rlplatform.evaluation.models import Checker
from rlplatform.sandbox.models import Outcome

BLOCK = 1 << 18
_SPACES = b" \t\n\r\v\f"

Same = Callable[[bytes, bytes], bool]


def compare_large(checker: Checker, expected: bytes | Path, outcome: Outcome) -> str | None:
    """Return the reason why a stdout is not what ``expected`` asks for; None if it is."""
    if outcome.stdout_file is None and isinstance(expected, bytes):
        return compare_output(checker, expected, outcome.stdout)
    actual = outcome.stdout_file or io.BytesIO(outcome.stdout)
    with expected.open("rb") if isinstance(expected, Path) else io.BytesIO(expected) as wanted:
        return compare_streams(checker, wanted, actual)


def compare_streams(checker: Checker, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:
    """Compare two streams from their beginnings, ``block`` bytes at a time."""
    at = _first_difference(expected, actual, block)
    if at is None:
        return None
    expected.seek(0)
    actual.seek(0)
    if checker.kind == "unordered":
        return compare_output(checker, expected.read(), actual.read())
    if checker.kind == "exact":
        return _compare_bytes(expected, actual, at, block)
    if checker.kind == "lines":
        return _compare_batches("line", _lines(expected, block), _lines(actual, block), bytes.__eq__)
    same: Same = bytes.__eq__
    if checker.kind == "floats":
        tolerant = checker
        same = lambda want, got: words_close(tolerant, want, got)  # noqa: E731
    return _compare_batches("word", _words(expected, block), _words(actual, block), same)


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


def _compare_bytes(expected: BinaryIO, actual: BinaryIO, at: int, block: int) -> str:
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
        *whole, last = block.split(b"\n")
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
                some = min(empty, BLOCK)
                yield [b""] * some
                empty -= some
            yield lines
        empty += len(whole) - len(lines)
        if not block:
            return


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
                    return f"{unit} {number + index + 1}: expected {_quoted(want[index])}, got {_quoted(got[index])}"
        number += both
        want, got = want[both:], got[both:]
    if want:
        return f"{unit} {number + 1}: expected {_quoted(want[0])}, got the end of the output"
    if got:
        return f"{unit} {number + 1}: expected the end of the output, got {_quoted(got[0])}"
    return None


def _quoted(item: bytes) -> str:
    return show(item.decode("utf-8", "surrogateescape"))
