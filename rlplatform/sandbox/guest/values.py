"""JSON values between host and guest, strictly: what one side encodes is what the other decodes, or it is refused.

Accepted are None, bool, int, float, str, list, tuple (as list) and dict with str keys; exact types, since a subclass
could bring an ``__eq__`` of its own. ``nan`` and the infinities travel as ``{"$float": "nan"}``; a dict key that
starts with ``$`` gets a second one. Sets, bytes and other objects are refused, and so are lone surrogates,
integers of more than ``MAX_INT_BITS`` bits and nesting deeper than ``MAX_DEPTH``.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 50
MAX_INT_BITS = 8192
_MAX_INT_DIGITS = 2467
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class ValueRefused(ValueError):
    """Not a value that may cross; the message says which part and why."""


def encode(value: Any) -> bytes:
    """``value`` as JSON.

    :raises ValueRefused: it holds something that may not cross.
    """
    return json.dumps(_plain(value, 0), allow_nan=False, separators=(",", ":")).encode("ascii")


def decode(data: bytes) -> Any:
    """The value that ``data`` encodes. ``data`` may come from a hostile program.

    :raises ValueRefused: it is not what :func:`encode` writes: bad JSON, a duplicate key, NaN, too deep, too large.
    """
    try:
        parsed = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_int=_int,
            parse_float=_float,
        )
    except ValueRefused:
        raise
    except (ValueError, RecursionError) as error:
        raise ValueRefused(f"not JSON: {type(error).__name__}") from None
    return _checked(parsed, 0)


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return _text(value)
    if kind is int:
        if value.bit_length() > MAX_INT_BITS:
            raise ValueRefused(f"an int of {value.bit_length()} bits; at most {MAX_INT_BITS}")
        return value
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if depth >= MAX_DEPTH:
        raise ValueRefused(f"nested deeper than {MAX_DEPTH}")
    if kind is list or kind is tuple:
        return [_plain(item, depth + 1) for item in value]
    if kind is dict:
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    raise ValueRefused(f"a {kind.__name__} is not a JSON value; give None, bool, int, float, str, list, tuple or dict")


def _key(key: Any) -> str:
    if type(key) is not str:
        raise ValueRefused(f"a dict key of type {type(key).__name__}; keys must be str")
    return "$" + _text(key) if key.startswith("$") else _text(key)


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueRefused("a str with a lone surrogate, which is not valid Unicode") from None
    return text


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1 and pairs[0][0] == "$float":
        special = pairs[0][1]
        if type(special) is not str or special not in _SPECIAL:
            raise ValueRefused("$float is nan, inf or -inf")
        return _SPECIAL[special]
    found: dict[str, Any] = {}
    for key, item in pairs:
        if key.startswith("$"):
            if not key.startswith("$$"):
                raise ValueRefused(f"a reserved key {key[:32]!r}")
            key = key[1:]
        if key in found:
            raise ValueRefused(f"a duplicate key {key[:32]!r}")
        found[key] = item
    return found


def _checked(value: Any, depth: int) -> Any:
    if type(value) is str:
        return _text(value)
    if type(value) in (list, dict):
        if depth >= MAX_DEPTH:
            raise ValueRefused(f"nested deeper than {MAX_DEPTH}")
        for item in value.values() if type(value) is dict else value:
            _checked(item, depth + 1)
        if type(value) is dict:
            for key in value:
                _text(key)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueRefused(f"{name} is not JSON")


def _int(digits: str) -> int:
    if len(digits) > _MAX_INT_DIGITS + 1 or (number := int(digits)).bit_length() > MAX_INT_BITS:
        raise ValueRefused(f"an int of more than {MAX_INT_BITS} bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueRefused("a float out of range")
    return number
