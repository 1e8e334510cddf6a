"""Observations as clients send them, as arrays that a space holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.models import SpaceInfo
from rlplatform.errors import InvalidRequest

FIELD = "observations"


def parse(space: SpaceInfo, rows: Sequence[Any]) -> NDArray[Any]:
    """JSON values, one observation a row, as an array [rows, *shape] of the space's dtype.

    Raises:
        InvalidRequest: naming the first place that does not fit, and what would.
    """
    if space.parts and any(_has_parts(space, row) for row in rows):
        return _parse_parts(space, rows)
    values = _flat(space, rows)
    whole = space.kind != "box" or np.issubdtype(space.dtype, np.integer)
    allowed = {int} if whole else {int, float}
    if not set(map(type, values)) <= allowed:
        index = next(index for index, value in enumerate(values) if type(value) not in allowed)
        kind = "an integer" if whole else "a number"
        raise _misfit(space, rows, index, f"{kind} is wanted, not {_words(values[index])}")
    try:
        numbers = np.array(values, np.int64 if whole else np.float64)
    except OverflowError:
        index = next(index for index, value in enumerate(values) if abs(value) >= 2**63)
        raise _misfit(space, rows, index, f"the number is too large for {space.dtype}") from None
    if whole:
        low, high = _range(space, len(rows))
        if (outside := np.flatnonzero((numbers < low) | (numbers > high))).size:
            at = int(outside[0])
            limits = f"{np.broadcast_to(low, numbers.shape)[at]} to {np.broadcast_to(high, numbers.shape)[at]}"
            raise _misfit(space, rows, at, f"{values[at]} is not one of {limits}")
    with np.errstate(over="ignore"):
        cast = numbers.astype(space.dtype)
    if not whole and (infinite := np.flatnonzero(~np.isfinite(cast))).size:
        raise _misfit(space, rows, int(infinite[0]), f"the number is too large for {space.dtype}")
    return cast.reshape(len(rows), *space.shape)


def _has_parts(space: SpaceInfo, row: Any) -> bool:
    """True for an observation as the environment gives it: an object (Dict), or a list of its parts (Tuple)."""
    if type(row) is not list:
        return type(row) is dict
    places = {part.path[0] for part in space.parts or [] if isinstance(part.path[0], int)}
    nested = any(type(item) in (list, dict) for item in row)
    return bool(places) and len(row) == len(places) and (nested or [len(row)] != space.shape)


def _parse_parts(space: SpaceInfo, rows: Sequence[Any]) -> NDArray[Any]:
    """Flatten observations that come as objects (Dict) or lists (Tuple) of their parts."""
    out = np.zeros((len(rows), *space.shape), space.dtype)
    for part in space.parts or []:
        values = [_at(row, part.path, f"{FIELD}.{index}") for index, row in enumerate(rows)]
        try:
            array = parse(part.space, values)
        except InvalidRequest as error:
            index, *rest = str(error.extra["field"]).removeprefix(f"{FIELD}.").split(".")
            path = ".".join([FIELD, index, *map(str, part.path), *rest])
            raise InvalidRequest(str(error).replace(str(error.extra["field"]), path, 1), field=path) from None
        columns = slice(part.start, part.start + part.size)
        if part.space.kind in ("discrete", "multi_discrete"):
            counts = part.space.nvec or [part.space.n or 0]
            places = array.reshape(len(rows), -1) - np.ravel(np.asarray(part.space.start or 0))
            places += np.cumsum([0, *counts])[:-1]
            np.put_along_axis(out[:, columns], places, 1, axis=1)
        else:
            out[:, columns] = array.reshape(len(rows), -1)
    return out


def _at(row: Any, path: Sequence[str | int], where: str) -> Any:
    """Return the part of ``row`` that ``path`` leads to."""
    for key in path:
        fits = type(row) is dict and key in row if isinstance(key, str) else type(row) is list and len(row) > key
        if not fits:
            wanted = f"an object with {key!r}" if isinstance(key, str) else f"a list of more than {key} parts"
            raise InvalidRequest(f"{where}: {wanted} is wanted, not {_words(row)}", field=where)
        row, where = row[key], f"{where}.{key}"
    return row


def _flat(space: SpaceInfo, rows: Sequence[Any]) -> list[Any]:
    """The numbers of all rows, in C order."""
    level = list(rows)
    for depth, size in enumerate(space.shape):
        for index, item in enumerate(level):
            if type(item) is not list or len(item) != size:
                path = _path(index, (len(rows), *space.shape[:depth]))
                found = f"{len(item)} values" if type(item) is list else _words(item)
                raise InvalidRequest(
                    f"{path}: a list of {size} is wanted, not {found}: an observation has the shape {space.shape}",
                    field=path,
                )
        level = list(chain.from_iterable(level))
    return level


def _range(space: SpaceInfo, rows: int) -> tuple[Any, Any]:
    """The least and the greatest integer of each component, for all rows."""
    if space.kind == "box":
        limits = np.iinfo(space.dtype)
        return int(limits.min), int(limits.max)
    if space.kind == "multi_binary":
        return 0, 1
    low = np.asarray(space.start or 0, np.int64)
    high = low + np.asarray(space.n if space.nvec is None else space.nvec, np.int64) - 1
    if not space.shape:
        return int(low), int(high)
    return np.tile(np.broadcast_to(low, high.shape), rows), np.tile(high, rows)


def _misfit(space: SpaceInfo, rows: Sequence[Any], index: int, why: str) -> InvalidRequest:
    path = _path(index, (len(rows), *space.shape))
    return InvalidRequest(f"{path}: {why}", field=path)


def _path(index: int, shape: tuple[int, ...]) -> str:
    return ".".join([FIELD, *(str(int(place)) for place in np.unravel_index(index, shape))])


def _words(value: Any) -> str:
    """A JSON value's kind."""
    kinds = {list: "a list", dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), f"{value}"[:40])
