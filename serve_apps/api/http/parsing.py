"""JSON text as values, for text from anybody: read fast, in one sense only, and no larger than it may be.

How many values, containers and names there are is counted in the text, before anything is built from it. What JSON
leaves open is refused: a name twice in one object, NaN, infinite numbers, lone surrogates, deep nesting.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from rlplatform.errors import Malformed
from rlplatform.json_models import MAX_DEPTH, survey

MAX_VALUES = 1_000_000
MAX_CONTAINERS = 200_000
MAX_NAMES = 100_000
_SLICE = 1 << 18  # of text that is looked at in one go, so that other threads get their turn


def parse(body: bytes) -> Any:
    """Return ``body`` as JSON values.

    Raises:
        Malformed: it is not JSON, JSON that could mean two things, or more than is accepted.
    """
    structure = _structure(body)
    names = structure.count(b":")
    for what, count, most in (
        ("values", structure.count(b",") + 1, MAX_VALUES),
        ("objects and lists", structure.count(b"{") + structure.count(b"["), MAX_CONTAINERS),
        ("names", names, MAX_NAMES),
    ):
        if count > most:
            raise Malformed(f"the body has {count} {what}; at most {most} are accepted")
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(_reason(body, structure, str(error))) from None
    found = survey(value)
    if found.why is not None:
        raise Malformed(f"the body {found.why}")
    if found.names != names:
        raise Malformed(f"the name {_twice(body)!r} is there twice in one object")
    return value


def _structure(body: bytes) -> bytes:
    """``body`` without its strings."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if len(body) <= _SLICE:
        return b"".join(body.split(b'"')[::2])
    outside, with_timeout = [], 0
    for start in range(0, len(body), _SLICE):
        pieces = body[start : start + _SLICE].split(b'"')
        outside += pieces[with_timeout::2]
        with_timeout ^= (len(pieces) - 1) & 1
    return b"".join(outside)


def _reason(body: bytes, structure: bytes, told: str) -> str:
    """Return the reason why the parser refuses ``body``, at the place that it reported."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        return f"the body is not UTF-8: byte {error.start}"
    if told.startswith("recursion limit"):
        return f"the body is nested more than {MAX_DEPTH} levels deep"
    if name := next((name for name in ("NaN", "Infinity") if name.encode() in structure), None):
        return f"{name} is not JSON"
    return f"the body is not JSON: {told[:200]}"


class _Twice(Exception):
    """The name that is."""


def _twice(body: bytes) -> str:
    """The first name that is twice in one object of ``body``; there is one."""

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)

    try:
        json.loads(body, object_pairs_hook=look)
    except _Twice as found:
        return str(found)[:80]
    raise AssertionError("every name is there once")
