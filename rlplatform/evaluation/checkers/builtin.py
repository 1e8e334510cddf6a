"""Built-in checkers: comparison by rules, without code of the client's.

Output is compared as bytes; bytes that are not UTF-8 match nothing. White space is that of ASCII: space, ``\\t``,
``\\n``, ``\\r``, ``\\v`` and ``\\f``. A no-break or ideographic space is a character like any other.

Values are compared type-strictly: ``True`` is not ``1``, ``1`` is not ``1.0``, ``"1"`` is not ``1``; the order of
dictionary keys does not matter. ``exact``, ``tokens`` and ``lines`` mean the same for values. ``floats`` compares
numbers at any depth with its tolerance, integers with floats too, and the rest strictly. ``unordered`` lets the items
of the outermost list come in any order.

NaN equals NaN and nothing else, whatever the tolerance; an infinity equals the same infinity. ``0.0`` equals ``-0.0``.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, ClassVar, Literal

from pydantic import Field

from rlplatform.evaluation.checkers import streams
from rlplatform.evaluation.checkers.base import BLOCK, Checker
from rlplatform.evaluation.checkers.quoting import show
from rlplatform.evaluation.checkers.strict_values import canonical, compare_strictly

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
_NUMBER_LENGTH = 400  # longer words are compared as text
_SPARE = 4096  # items more than twice the expected ones, above which they are not even counted


class StreamChecker(Checker):
    """Base of the checkers that compare any two outputs as streams, whether they are in memory or in files."""

    def compare_output(self, expected: str | bytes, actual: bytes) -> str | None:
        return self.compare_streams(io.BytesIO(_bytes(expected)), io.BytesIO(actual))


class ExactChecker(StreamChecker):
    """Output and expectation are the same to the byte."""

    kind: Literal["exact"] = "exact"
    """Selects this checker."""

    def compare_streams(self, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:
        return streams.compare_bytes(expected, actual, block)


class TokensChecker(StreamChecker):
    """The same words in the same order; white space does not count."""

    kind: Literal["tokens"] = "tokens"
    """Selects this checker."""
    ignore_case: bool = False
    """True: in outputs, small and capital letters of the English alphabet are the same."""

    def compare_streams(self, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:
        same = _same_but_for_case if self.ignore_case else bytes.__eq__
        return streams.compare_words(expected, actual, block, same)


class LinesChecker(StreamChecker):
    """The same lines; trailing white space and trailing empty lines do not count."""

    kind: Literal["lines"] = "lines"
    """Selects this checker."""
    ignore_spacing: bool = False
    """True: empty lines do not count either, nor how much white space is between the words of a line."""

    def compare_streams(self, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:
        if self.ignore_spacing:
            return streams.compare_words_of_lines(expected, actual, block)
        return streams.compare_lines(expected, actual, block)


class FloatsChecker(StreamChecker):
    """The same words, with a tolerance for numbers: |a-b| <= max(abs_tol, rel_tol*|expected|)."""

    kind: Literal["floats"] = "floats"
    """Selects this checker."""
    abs_tol: float = Field(default=1e-9, ge=0, allow_inf_nan=False)
    """Absolute tolerance."""
    rel_tol: float = Field(default=1e-6, ge=0, allow_inf_nan=False)
    """Tolerance relative to the expected number."""
    ignore_case: bool = False
    """True: in outputs, small and capital letters of the English alphabet are the same."""

    def compare_streams(self, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:
        return streams.compare_words(expected, actual, block, self.words_close)

    def compare_value(self, expected: Any, actual: Any) -> str | None:
        return compare_strictly(expected, actual, self.close)

    def words_close(self, expected: bytes, actual: bytes) -> bool:
        """True if two words are equal, or numbers within the tolerance."""
        if expected == actual or (self.ignore_case and _same_but_for_case(expected, actual)):
            return True
        wanted, got = _number(expected), _number(actual)
        return wanted is not None and got is not None and self.close(wanted, got)

    def close(self, expected: float, actual: float) -> bool:
        """True if two numbers are equal within the tolerance."""
        if expected == actual:
            return True
        try:
            if not math.isfinite(expected) or not math.isfinite(actual):
                return math.isnan(expected) and math.isnan(actual)
            return abs(expected - actual) <= max(self.abs_tol, self.rel_tol * abs(expected))
        except OverflowError:  # an integer that no float can hold
            return False


class UnorderedChecker(Checker):
    """The same lines (or list items) in any order."""

    max_output_kib: ClassVar[int | None] = 4096  # compared in memory, line by line

    kind: Literal["unordered"] = "unordered"
    """Selects this checker."""

    def compare_output(self, expected: str | bytes, actual: bytes) -> str | None:
        bags = [
            [_text(line) for line in map(bytes.rstrip, output.split(b"\n")) if line]
            for output in (_bytes(expected), actual)
        ]
        return _compare_bags("line", bags[0], bags[1], str)

    def compare_value(self, expected: Any, actual: Any) -> str | None:
        if type(expected) is list and type(actual) is list:
            return _compare_bags("item", expected, actual, canonical)
        return super().compare_value(expected, actual)


def _same_but_for_case(expected: bytes, actual: bytes) -> bool:
    return expected.lower() == actual.lower()


def _bytes(expected: str | bytes) -> bytes:
    return expected.encode() if isinstance(expected, str) else expected


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _number(data: bytes) -> float | None:
    """The number that a word is; None if it is not one, or is no integer and too large for a float."""
    word = _text(data)
    if len(word) <= _NUMBER_LENGTH:
        if _INTEGER.fullmatch(word):
            return int(word)
        if _SPECIAL.fullmatch(word):
            return float(word)
        if _NUMBER.fullmatch(word) and math.isfinite(number := float(word)):
            return number
    return None


def _compare_bags(unit: str, expected: Sequence[Any], actual: Sequence[Any], key: Callable[[Any], str]) -> str | None:
    """Compare items in any order; items with the same ``key`` are equal."""
    if len(actual) > 2 * len(expected) + _SPARE:
        return f"expected {len(expected)} {unit}(s), got {len(actual)}"
    wanted, found = Counter(map(key, expected)), Counter(map(key, actual))
    missing, extra = wanted - found, found - wanted
    parts = []
    if missing:
        parts.append(f"{missing.total()} expected {unit}(s) missing, such as {show(next(iter(missing)))}")
    if extra:
        parts.append(f"{extra.total()} {unit}(s) not expected, such as {show(next(iter(extra)))}")
    return "; ".join(parts) or None
