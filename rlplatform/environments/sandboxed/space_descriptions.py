"""Spaces of users' environments: what a sandbox says of them becomes a space, or is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from rlplatform.errors import InvalidRequest

MAX_NUMBERS = 1 << 24
"""Numbers of an observation or an action, at most."""
_MAX_DEPTH = 4
_MAX_PARTS = 64
_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")

Path = tuple[str | int, ...]


def space_of(described: Any) -> spaces.Space[Any]:
    """Return the space that ``driver.describe`` described.

    Raises:
        InvalidRequest: it is none, or too large.
    """
    try:
        return _space(described, 0)
    except (KeyError, TypeError, ValueError, OverflowError, AssertionError) as error:
        raise InvalidRequest(f"env: its spaces cannot be used: {str(error)[:200]}", field="env") from error


def leaves(space: spaces.Space[Any], path: Path = ()) -> Iterator[tuple[Path, spaces.Space[Any]]]:
    """Yield the parts of a Dict or Tuple space with the keys that lead to them; another space is one part."""
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from leaves(part, (*path, key))
    elif isinstance(space, spaces.Tuple):
        for index, part in enumerate(space.spaces):
            yield from leaves(part, (*path, index))
    else:
        yield path, space


def array_of(space: spaces.Space[Any]) -> dict[str, Any]:
    """Return shape and type of an element of ``space`` in the shared memory."""
    shape = [] if isinstance(space, spaces.Discrete) else [int(size) for size in space.shape or ()]
    return {"shape": shape, "dtype": str(space.dtype)}


def _space(described: Mapping[str, Any], depth: int) -> spaces.Space[Any]:
    kind = described["kind"]
    if kind in ("dict", "tuple"):
        if depth >= _MAX_DEPTH or not 1 <= len(described["parts"]) <= _MAX_PARTS:
            raise ValueError(f"at most {_MAX_PARTS} parts and {_MAX_DEPTH} levels are accepted")
        parts = [_space(part, depth + 1) for part in described["parts"]]
        if kind == "tuple":
            return spaces.Tuple(parts)
        return spaces.Dict(list(zip(map(str, described["keys"]), parts, strict=True)))
    if kind == "discrete":
        return spaces.Discrete(_integer(described["n"], 1, 2**31), start=_integer(described["start"], -(2**31), 2**31))
    shape = tuple(_integer(size, 1, MAX_NUMBERS) for size in described["shape"])
    if math.prod(shape) > MAX_NUMBERS or len(shape) > 8:
        raise ValueError(f"at most {MAX_NUMBERS} numbers are accepted")
    if kind == "multi_binary":
        return spaces.MultiBinary(shape[0] if len(shape) == 1 else list(shape))
    if kind == "multi_discrete":
        nvec = np.array([_integer(n, 1, 2**31) for n in described["nvec"]], np.int64).reshape(shape)
        start = np.array([_integer(first, -(2**31), 2**31) for first in described["start"]], np.int64).reshape(shape)
        return spaces.MultiDiscrete(nvec, start=start)
    if kind != "box" or described["dtype"] not in _DTYPES:
        raise ValueError(f"{kind} of {described.get('dtype')}")
    dtype = np.dtype(described["dtype"])
    low, high = (_bounds(described[name], sign, shape, dtype) for name, sign in (("low", -1.0), ("high", 1.0)))
    return spaces.Box(low, high, shape, dtype.type)


def _bounds(given: Any, sign: float, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    listed = given if isinstance(given, list) else [given]
    open_end = sign * np.inf
    if dtype.kind in "iu":
        open_end = np.iinfo(dtype).min if sign < 0 else np.iinfo(dtype).max
    values = np.array([open_end if value is None else float(value) for value in listed])
    if dtype.kind in "iu":
        values = np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return np.broadcast_to(values.reshape(shape) if len(listed) > 1 else values, shape).astype(dtype)


def _integer(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{value!r:.40} is not an integer from {low} to {high}")
    return value
