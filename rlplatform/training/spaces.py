"""Spaces as JSON and arrays: Box, Discrete, MultiDiscrete and MultiBinary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def space_to_json(space: spaces.Space[Any]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What JSON can hold of a space, and the arrays that go with it.

    :raises ValueError: it is of another kind.
    """
    match space:
        case spaces.Box():
            return {"kind": "box"}, {"low": space.low, "high": space.high}
        case spaces.Discrete():
            return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}, {}
        case spaces.MultiDiscrete():
            return {"kind": "multi_discrete"}, {"nvec": space.nvec, "start": space.start}
        case spaces.MultiBinary():
            return {"kind": "multi_binary", "shape": [int(size) for size in space.shape]}, {}
    raise ValueError(f"a {type(space).__name__} space cannot be written")


def space_from_json(description: Mapping[str, Any], arrays: Arrays) -> spaces.Space[Any]:
    """The inverse of :func:`space_to_json`. :raises ValueError, KeyError: it is not one of its results."""
    match description["kind"]:
        case "box":
            low, high = arrays["low"], arrays["high"]
            return spaces.Box(low, high, low.shape, low.dtype.type)
        case "discrete":
            return spaces.Discrete(int(description["n"]), start=int(description["start"]))
        case "multi_discrete":
            nvec = arrays["nvec"]
            return spaces.MultiDiscrete(nvec, dtype=nvec.dtype.type, start=arrays["start"])
        case "multi_binary":
            shape = description["shape"]
            return spaces.MultiBinary(shape[0] if len(shape) == 1 else shape)
    raise ValueError(f"unknown kind of space {description['kind']!r}")
