"""Strict comparison of JSON values: ``True``, ``1``, ``1.0`` and ``"1"`` are four values.

NaN equals NaN; ``0.0`` equals ``-0.0``; the order of dictionary keys does not matter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from rlplatform.evaluation.checkers.quoting import expected_got, show

Close = Callable[[float, float], bool]


class Difference(NamedTuple):
    """First difference of two values: ``path`` is where, as ``["a"][2]``."""

    path: str
    reason: str


def difference(expected: Any, actual: Any, close: Close | None = None) -> Difference | None:
    """Return the first difference of two values; None if they are equal. ``close`` compares numbers, if given."""
    if close is not None and _is_number(expected) and _is_number(actual):
        return None if close(expected, actual) else Difference("", expected_got(expected, actual))
    if type(expected) is not type(actual):
        types = f" ({type(expected).__name__}, not {type(actual).__name__})"
        return Difference("", expected_got(expected, actual) + types)
    if type(expected) is list:
        if len(expected) != len(actual):
            return Difference("", f"expected {len(expected)} items, got {len(actual)}")
        keys: Iterable[Any] = range(len(expected))
    elif type(expected) is dict:
        if missing := expected.keys() - actual.keys():
            return Difference("", f"the key {show(min(missing))} is missing")
        if extra := actual.keys() - expected.keys():
            return Difference("", f"the key {show(min(extra))} is not expected")
        keys = expected
    else:
        same = expected == actual or (expected != expected and actual != actual)
        return None if same else Difference("", expected_got(expected, actual))
    for key in keys:
        if found := difference(expected[key], actual[key], close):
            return Difference(f"[{show(key)}]{found.path}", found.reason)
    return None


def compare_strictly(expected: Any, actual: Any, close: Close | None = None) -> str | None:
    """Return the reason why ``actual`` is not ``expected``; None if it is."""
    found = difference(expected, actual, close)
    return f"the value{found.path}: {found.reason}" if found else None


def canonical(value: Any) -> str:
    """A text that is the same exactly for strictly equal values. (Text, because Python hashes it with a secret.)"""
    try:
        text = json.dumps(value, sort_keys=True)
    except ValueError:  # an integer of more digits than Python writes
        return f"large {json.dumps(_hexadecimal(_unsigned(value)), sort_keys=True)}"
    return text if "-0.0" not in text else json.dumps(_unsigned(value), sort_keys=True)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


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
