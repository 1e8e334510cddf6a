"""Values and messages between the sandboxes of a suite and of a submission: one line of JSON each.

Plain values cross by value: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, range,
Decimal, Fraction, NumPy arrays and scalars. An instance of a subclass crosses as the base type's value, read with the
base type's own methods, so that none of its code runs. Everything else is left to a hook. JSON objects are tags; what
comes from a submission is checked, and never unpickled.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_DEPTH = 60
REPORT = b"!"
"""First byte of a line of the suite to the host; its other lines are for the submission."""
STEP = b"+"
"""First byte of a line of the suite to the host after which the suite goes on by itself."""
ENDED = {"ended": True}
"""Message that stands for the answers of a submission that has ended."""
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
COMPARISONS = ("lt", "le", "gt", "ge")
_PLAIN_INT_BITS = 2048
_HEXADECIMAL = re.compile("-?[0-9a-f]+", re.ASCII)
_DTYPE = re.compile(r"[<>|][biufcSU]\d{1,4}", re.ASCII)
_EXACT = frozenset({str, int, float, list, tuple, dict})

Tree = Any
"""JSON tree that stands for a value."""
Hook = Callable[[Any], Tree]
Unhook = Callable[[str, Any], Any]


class WireError(Exception):
    """The other side sent what no value is encoded to."""


def encode(value: Any, hook: Hook, depth: int = 0) -> Tree:
    """Return the tree of ``value``. ``hook`` encodes what does not cross by value."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind not in _EXACT and (tree := _encode_numpy(value, kind)) is not None:
        return tree
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, int):
        number = int.__index__(value)
        return number if number.bit_length() <= _PLAIN_INT_BITS else {"int": format(number, "x")}
    if issubclass(kind, float):
        real = float.__float__(value)
        return real if math.isfinite(real) else {"float": repr(real)}
    if depth >= MAX_DEPTH:
        raise ValueError(f"a value is nested deeper than {MAX_DEPTH}")
    if issubclass(kind, list):
        return [encode(item, hook, depth + 1) for item in list.__iter__(value)]
    if issubclass(kind, tuple):
        return {"tuple": [encode(item, hook, depth + 1) for item in tuple.__iter__(value)]}
    if issubclass(kind, dict):
        items = dict.items(value)
        return {"dict": [[encode(key, hook, depth + 1), encode(item, hook, depth + 1)] for key, item in items]}
    if (tree := _encode_rare(value, kind, hook, depth)) is not None:
        return tree
    return hook(value)


def _encode_rare(value: Any, kind: type, hook: Hook, depth: int) -> Tree:
    if issubclass(kind, set):
        return {"set": [encode(item, hook, depth + 1) for item in set.__iter__(value)]}
    if issubclass(kind, frozenset):
        return {"frozenset": [encode(item, hook, depth + 1) for item in frozenset.__iter__(value)]}
    if issubclass(kind, bytes):
        return {"bytes": _base64(bytes.__getitem__(value, slice(None)))}
    if issubclass(kind, bytearray):
        return {"bytearray": _base64(bytes(memoryview(value)))}
    if issubclass(kind, complex):
        parts = complex.__complex__(value)
        return {"complex": [encode(parts.real, hook), encode(parts.imag, hook)]}
    if kind is range:
        return {"range": [encode(part, hook) for part in (value.start, value.stop, value.step)]}
    if kind is Decimal:
        return {"decimal": str(value)}
    if kind is Fraction:
        return {"fraction": [encode(value.numerator, hook), encode(value.denominator, hook)]}
    return None


def _encode_numpy(value: Any, kind: type) -> Tree:
    numpy = sys.modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic"):
        return None
    if issubclass(kind, numpy.ndarray):
        dtype, shape = numpy.ndarray.dtype.__get__(value), numpy.ndarray.shape.__get__(value)
        if _DTYPE.fullmatch(dtype.str):
            return {"array": [dtype.str, list(shape), _base64(numpy.ndarray.tobytes(value))]}
    elif issubclass(kind, numpy.generic):
        dtype = numpy.generic.dtype.__get__(value)
        if _DTYPE.fullmatch(dtype.str):
            return {"scalar": [dtype.str, _base64(numpy.generic.tobytes(value))]}
    return None


def decode(tree: Tree, unhook: Unhook, depth: int = 0) -> Any:
    """Return the value of ``tree``. ``unhook`` decodes the tags of the other side's hook.

    Raises:
        WireError: it is not what :func:`encode` makes.
    """
    if tree is None or type(tree) in (bool, int, float, str):
        return tree
    if depth > MAX_DEPTH:
        raise WireError(f"a value is nested deeper than {MAX_DEPTH}")
    if type(tree) is list:
        return [decode(item, unhook, depth + 1) for item in tree]
    if type(tree) is not dict or len(tree) != 1:
        raise WireError("a value is not encoded as it should be")
    ((tag, content),) = tree.items()
    try:
        return _decode_tag(tag, content, unhook, depth)
    except WireError:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError) as error:
        raise WireError(f"{tag}: {type(error).__name__}") from None


def _decode_tag(tag: str, content: Any, unhook: Unhook, depth: int) -> Any:
    def items() -> list[Any]:
        if type(content) is not list:
            raise WireError(f"{tag} has no list")
        return [decode(item, unhook, depth + 1) for item in content]

    match tag:
        case "int":
            if type(content) is not str or not _HEXADECIMAL.fullmatch(content):
                raise WireError("int is in hexadecimal")
            return int(content, 16)
        case "float":
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[content]
        case "tuple":
            return tuple(items())
        case "dict":
            return dict(items())
        case "set":
            return set(items())
        case "frozenset":
            return frozenset(items())
        case "bytes":
            return _bytes(content)
        case "bytearray":
            return bytearray(_bytes(content))
        case "complex":
            real, imaginary = items()
            return complex(real, imaginary)
        case "range":
            return range(*items())
        case "decimal":
            return Decimal(content)
        case "fraction":
            return Fraction(*items())
        case "array":
            return _array(*content)
        case "scalar":
            return _array(content[0], [], content[1])[()]
    return unhook(tag, content)


def _array(dtype: Any, shape: Any, content: Any) -> Any:
    if (
        type(dtype) is not str
        or not _DTYPE.fullmatch(dtype)
        or not all(type(size) is int and size >= 0 for size in shape)
    ):
        raise WireError(f"an array of type {dtype!r}"[:60])
    try:
        import numpy
    except ImportError:
        raise WireError("NumPy is not installed where the value arrives") from None
    return numpy.frombuffer(bytearray(_bytes(content)), numpy.dtype(dtype)).reshape(tuple(shape))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise WireError("bytes are in base64") from None


def dump(message: dict[str, Any]) -> bytes:
    """Return ``message`` as one line."""
    return json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def load(line: bytes) -> dict[str, Any]:
    """Return the message of one line.

    Raises:
        WireError: it is none.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    if type(message) is not dict:
        raise WireError(f"a line that is no message: {line[:80]!r}")
    return message
