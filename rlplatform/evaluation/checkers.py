"""Whether an answer is right: pure functions, on a program's output or on the value that a function returned.

Output is compared as bytes; bytes that are not UTF-8 match nothing. White space is that of ASCII: space, ``\\t``,
``\\n``, ``\\r``, ``\\v`` and ``\\f``. A no-break or ideographic space is a character like any other.

Values are compared type-strictly: ``True`` is not ``1``, ``1`` is not ``1.0``, ``"1"`` is not ``1``; the order of
dictionary keys does not matter. ``exact``, ``tokens`` and ``lines`` mean the same for values. ``floats`` compares
numbers at any depth with its tolerance, integers with floats too, and the rest strictly. ``unordered`` lets the items
of the outermost list come in any order.

NaN equals NaN and nothing else, whatever the tolerance; an infinity equals the same infinity. ``0.0`` equals ``-0.0``.

The work is of the order of what is expected, whatever a program prints or returns; decoding and splitting it aside.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from rlplatform.evaluation.models import Checker, FloatsChecker
from rlplatform.json_models import MAX_INT_BITS

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SPECIAL = re.compile(r"[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
_BLOCK = 4096
_NUMBER_LENGTH = 400  # longer words are compared as text
_SHOWN = 80


def compare_output(checker: Checker, expected: str | bytes, actual: bytes) -> str | None:
    """Why ``actual`` is not what ``expected`` asks for; None if it is. The reason quotes both."""
    right = expected.encode() if isinstance(expected, str) else expected
    if checker.kind == "exact":
        return _compare_bytes(right, actual)
    if checker.kind == "unordered":
        bags = [[_text(line) for line in _lines(lines) if line] for lines in (right, actual)]
        return _compare_bags("line", bags[0], bags[1], str)
    if checker.kind == "lines":
        wanted = _lines(right)
        return _compare_sequences("line", wanted, _lines(actual, len(wanted) + 1), bytes.__eq__)
    wanted = right.split()
    words = actual.split(None, len(wanted) + 1)
    if checker.kind == "floats":
        return _compare_sequences("word", wanted, words, lambda e, a: words_close(checker, e, a))
    return _compare_sequences("word", wanted, words, bytes.__eq__)


def compare_value(checker: Checker, expected: Any, actual: Any) -> str | None:
    """Why ``actual`` is not ``expected``; None if it is. The reason says where, and quotes both.

    Both are values that ``rlplatform.sandbox.guest.values`` carries: JSON and non-finite floats, of bounded depth.
    """
    if checker.kind == "unordered" and type(expected) is list and type(actual) is list:
        return _compare_bags("item", expected, actual, _canonical)
    difference = _difference(expected, actual, checker if checker.kind == "floats" else None)
    return f"the value{difference.path}: {difference.reason}" if difference else None


# -- output -----------------------------------------------------------------------------------------------------------


def _compare_bytes(expected: bytes, actual: bytes) -> str | None:
    if expected == actual:
        return None
    both = min(len(expected), len(actual))
    if expected[:both] == actual[:both]:
        return f"expected {len(expected)} bytes, got {len(actual)}"
    block = next(at for at in range(0, both, _BLOCK) if expected[at : at + _BLOCK] != actual[at : at + _BLOCK])
    at = next(at for at in range(block, both) if expected[at] != actual[at])
    return f"byte {at + 1}: expected {show(expected[at : at + 20])}, got {show(actual[at : at + 20])}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _lines(output: bytes, most: int = -1) -> list[bytes]:
    """The lines without trailing white space, and without trailing empty ones; after ``most`` of them, the rest."""
    output = output.rstrip()
    return [line.rstrip() for line in output.split(b"\n", most)] if output else []


def words_close(checker: FloatsChecker, expected: bytes, actual: bytes) -> bool:
    """Return True if two words are equal, or numbers within the tolerance."""
    if expected == actual:
        return True
    numbers = _number(_text(expected)), _number(_text(actual))
    return numbers[0] is not None and numbers[1] is not None and _close(checker, numbers[0], numbers[1])


def _number(word: str) -> float | None:
    """The number that ``word`` is; None if it is not one, or is no integer and too large for a float."""
    if len(word) <= _NUMBER_LENGTH:
        if _INTEGER.fullmatch(word):
            return int(word)
        if _SPECIAL.fullmatch(word):
            return float(word)
        if _NUMBER.fullmatch(word) and math.isfinite(number := float(word)):
            return number
    return None


def _compare_sequences(
    unit: str, expected: list[bytes], actual: list[bytes], same: Callable[[bytes, bytes], bool]
) -> str | None:
    for index, (want, got) in enumerate(zip(expected, actual, strict=False)):
        if not same(want, got):
            return f"{unit} {index + 1}: expected {show(_text(want))}, got {show(_text(got))}"
    if len(expected) > len(actual):
        return f"{unit} {len(actual) + 1}: expected {show(_text(expected[len(actual)]))}, got the end of the output"
    if len(expected) < len(actual):
        return f"{unit} {len(expected) + 1}: expected the end of the output, got {show(_text(actual[len(expected)]))}"
    return None


# -- values -----------------------------------------------------------------------------------------------------------


class _Difference(NamedTuple):
    path: str
    reason: str


def _difference(expected: Any, actual: Any, tolerance: FloatsChecker | None) -> _Difference | None:
    if tolerance is not None and _is_number(expected) and _is_number(actual):
        return None if _close(tolerance, expected, actual) else _Difference("", _said(expected, actual))
    if type(expected) is not type(actual):
        types = f" ({type(expected).__name__}, not {type(actual).__name__})"
        return _Difference("", _said(expected, actual) + types)
    if type(expected) is list:
        if len(expected) != len(actual):
            return _Difference("", f"expected {len(expected)} items, got {len(actual)}")
        keys: Iterable[Any] = range(len(expected))
    elif type(expected) is dict:
        if missing := expected.keys() - actual.keys():
            return _Difference("", f"the key {show(min(missing))} is missing")
        if extra := actual.keys() - expected.keys():
            return _Difference("", f"the key {show(min(extra))} is not expected")
        keys = expected
    else:
        same = expected == actual or (expected != expected and actual != actual)
        return None if same else _Difference("", _said(expected, actual))
    for key in keys:
        if found := _difference(expected[key], actual[key], tolerance):
            return _Difference(f"[{show(key)}]{found.path}", found.reason)
    return None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _close(checker: FloatsChecker, expected: float, actual: float) -> bool:
    if expected == actual:
        return True
    try:
        if not math.isfinite(expected) or not math.isfinite(actual):
            return math.isnan(expected) and math.isnan(actual)
        return abs(expected - actual) <= max(checker.abs_tol, checker.rel_tol * abs(expected))
    except OverflowError:  # an integer that no float can hold
        return False


# -- any order --------------------------------------------------------------------------------------------------------


def _canonical(value: Any) -> str:
    """A text that is the same exactly for strictly equal values. (Text, because Python hashes it with a secret.)"""
    try:
        text = json.dumps(value, sort_keys=True)
    except ValueError:  # an integer of more digits than Python writes
        return f"large {json.dumps(_hexadecimal(_unsigned(value)), sort_keys=True)}"
    return text if "-0.0" not in text else json.dumps(_unsigned(value), sort_keys=True)


def _unsigned(value: Any) -> Any:
    if type(value) is list:
        return [_unsigned(item) for item in value]
    if type(value) is dict:
        return {key: _unsigned(item) for key, item in value.items()}
    return 0.0 if type(value) is float and value == 0 else value


def _hexadecimal(value: Any) -> Any:
    if type(value) is list:
        return [_hexadecimal(item) for item in value]
    if type(value) is dict:
        return {f"${key}": _hexadecimal(item) for key, item in value.items()}
    return {"int": f"{value:x}"} if type(value) is int else value


def _compare_bags(unit: str, expected: Sequence[Any], actual: Sequence[Any], key: Callable[[Any], str]) -> str | None:
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


# -- reasons ----------------------------------------------------------------------------------------------------------


class _Repr(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _SHOWN
        self.maxlist = self.maxdict = 6
        self.maxlevel = 3

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if x.bit_length() <= MAX_INT_BITS else large_integer(x)


_repr = _Repr()


def large_integer(number: int) -> str:
    """Description of a number with too many digits to be shown."""
    return f"<an integer of {number.bit_length()} bits>"


def show(value: Any) -> str:
    """``value`` in at most a few hundred characters."""
    text = _repr.repr(value)
    return text if len(text) <= 2 * _SHOWN else text[: 2 * _SHOWN] + "…"


def _said(expected: Any, actual: Any) -> str:
    return f"expected {show(expected)}, got {show(actual)}"
