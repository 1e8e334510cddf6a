"""JSON values between host and guest, strictly: what one side encodes is what the other decodes, or it is refused.

Accepted are None, bool, int, float, str, list, tuple (as list) and dict with str keys. An instance of a subclass
(``Counter``, ``IntEnum``, a named tuple) is read with the base type's own methods, so that none of its code runs, and
arrives as the plain value. NumPy scalars and arrays arrive as numbers and lists. Sets, bytes and other objects are
refused, and so are lone surrogates and nesting deeper than ``MAX_DEPTH``.

``nan`` and the infinities travel as ``{"$float": "nan"}``; integers of more than ``PLAIN_INT_BITS`` bits as
``{"$int": "-1f"}``, in hexadecimal, because decimal digits take quadratic time. A dict key that starts with ``$``
gets a second one.
"""

from __future__ import annotations

import json
import math
import re
import sys
from typing import Any, NoReturn

MAX_DEPTH = 50
PLAIN_INT_BITS = 2048
_PLAIN_INT_DIGITS = 617
_HEXADECIMAL = re.compile("-?[1-9a-f][0-9a-f]*", re.ASCII)
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
    if issubclass(kind, str):
        return _text(str.__str__(value))
    if issubclass(kind, int):
        number = int.__index__(value)
        return number if number.bit_length() <= PLAIN_INT_BITS else {"$int": format(number, "x")}
    if issubclass(kind, float):
        real = float.__float__(value)
        return real if math.isfinite(real) else {"$float": repr(real)}
    if depth >= MAX_DEPTH:
        raise ValueRefused(f"nested deeper than {MAX_DEPTH}")
    if issubclass(kind, list):
        return [_plain(item, depth + 1) for item in list.__iter__(value)]
    if issubclass(kind, tuple):
        return [_plain(item, depth + 1) for item in tuple.__iter__(value)]
    if issubclass(kind, dict):
        return _members(value, depth)
    if (numpy := sys.modules.get("numpy")) and hasattr(numpy, "generic"):
        if issubclass(kind, numpy.ndarray):
            return _plain(numpy.ndarray.tolist(value), depth)
        if issubclass(kind, (numpy.bool_, numpy.number)) and type(item := numpy.generic.item(value)) is not kind:
            return _plain(item, depth)
    name = type.__dict__["__name__"].__get__(kind)
    raise ValueRefused(f"a {name} is not a JSON value; give None, bool, int, float, str, list, tuple or dict")


def _members(value: Any, depth: int) -> dict[str, Any]:
    members = {}
    for key, item in dict.items(value):
        if not issubclass(type(key), str):
            raise ValueRefused(f"a dict key of type {type(key).__name__}; keys must be str")
        text = _text(str.__str__(key))
        if text.startswith("$"):
            text = "$" + text
        if text in members:
            raise ValueRefused(f"two dict keys with the text {text[:32]!r}")
        members[text] = _plain(item, depth + 1)
    return members


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise ValueRefused("a str with a lone surrogate, which is not valid Unicode") from None
    return text


def _object(pairs: list[tuple[str, Any]]) -> Any:
    if len(pairs) == 1 and pairs[0][0] == "$int":
        return _long(pairs[0][1])
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
    if len(digits) > _PLAIN_INT_DIGITS + 1 or (number := int(digits)).bit_length() > PLAIN_INT_BITS:
        raise ValueRefused(f"an int of more than {PLAIN_INT_BITS} bits in decimal digits")
    return number


def _long(digits: Any) -> int:
    if type(digits) is not str or not _HEXADECIMAL.fullmatch(digits):
        raise ValueRefused("$int is in hexadecimal")
    number = int(digits, 16)
    if number.bit_length() <= PLAIN_INT_BITS:
        raise ValueRefused(f"$int is for more than {PLAIN_INT_BITS} bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueRefused("a float out of range")
    return number
