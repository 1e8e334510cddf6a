"""Comparison of outputs in memory: bytes, lines and words in their order, and bags of items in any order.

The work is of the order of what is expected, whatever a program prints or returns; decoding and splitting it aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rlplatform.evaluation.checkers.quoting import show, show_bytes

Same = Callable[[bytes, bytes], bool]

_BLOCK = 4096


def compare_bytes(expected: bytes, actual: bytes) -> str | None:
    """Compare byte by byte."""
    if expected == actual:
        return None
    both = min(len(expected), len(actual))
    if expected[:both] == actual[:both]:
        return f"expected {len(expected)} bytes, got {len(actual)}"
    block = next(at for at in range(0, both, _BLOCK) if expected[at : at + _BLOCK] != actual[at : at + _BLOCK])
    at = next(at for at in range(block, both) if expected[at] != actual[at])
    return f"byte {at + 1}: expected {show(expected[at : at + 20])}, got {show(actual[at : at + 20])}"


def lines_of(output: bytes, most: int = -1) -> list[bytes]:
    """The lines without trailing white space, and without trailing empty ones; after ``most`` of them, the rest."""
    output = output.rstrip()
    return [line.rstrip() for line in output.split(b"\n", most)] if output else []


def compare_lines(expected: bytes, actual: bytes) -> str | None:
    """Compare line by line."""
    wanted = lines_of(expected)
    return _compare_sequences("line", wanted, lines_of(actual, len(wanted) + 1), bytes.__eq__)


def compare_words(expected: bytes, actual: bytes, same: Same = bytes.__eq__) -> str | None:
    """Compare word by word."""
    wanted = expected.split()
    return _compare_sequences("word", wanted, actual.split(None, len(wanted) + 1), same)


def compare_bags(unit: str, expected: Sequence[Any], actual: Sequence[Any], key: Callable[[Any], str]) -> str | None:
    """Compare items in any order; items with the same ``key`` are equal."""
    if len(actual) > 2 * len(expected) + _BLOCK:
        return f"expected {len(expected)} {unit}(s), got {len(actual)}"
    wanted, found = Counter(map(key, expected)), Counter(map(key, actual))
    missing, extra = wanted - found, found - wanted
    parts = []
    if missing:
        parts.append(f"{missing.total()} expected {unit}(s) missing, such as {show(next(iter(missing)))}")
    if extra:
        parts.append(f"{extra.total()} {unit}(s) not expected, such as {show(next(iter(extra)))}")
    return "; ".join(parts) or None


def _compare_sequences(unit: str, expected: list[bytes], actual: list[bytes], same: Same) -> str | None:
    for index, (want, got) in enumerate(zip(expected, actual, strict=False)):
        if not same(want, got):
            return f"{unit} {index + 1}: expected {show_bytes(want)}, got {show_bytes(got)}"
    if len(expected) > len(actual):
        return f"{unit} {len(actual) + 1}: expected {show_bytes(expected[len(actual)])}, got the end of the output"
    if len(expected) < len(actual):
        return f"{unit} {len(expected) + 1}: expected the end of the output, got {show_bytes(actual[len(expected)])}"
    return None
