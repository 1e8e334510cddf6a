"""Spaces as JSON and arrays, and as clients see them: Box, Discrete, MultiDiscrete and MultiBinary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rlplatform.environments.models import Bound, SpaceInfo, SpacePart

Arrays = Mapping[str, NDArray[Any]]


class FlatSpace(spaces.Box):
    """Space [N] float32 of Dict or Tuple observations in one vector; ``parts`` gives the position of each part.

    ``mask`` are the columns [start, stop) of the action mask, a part that is 1 for each action that is allowed; None if
    all actions always are.
    """

    def __init__(
        self,
        low: NDArray[Any],
        high: NDArray[Any],
        parts: Sequence[SpacePart],
        *,
        mask: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(low, high, low.shape, np.float32)
        self.parts = tuple(parts)
        self.mask = mask


def space_to_json(space: spaces.Space[Any]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Split a space into values for JSON and the arrays that go with them.

    Raises:
        ValueError: the space is of another kind.
    """
    match space:
        case FlatSpace():
            parts = [part.model_dump(mode="json") for part in space.parts]
            mask = {"mask": list(space.mask)} if space.mask is not None else {}
            return {"kind": "flat", "parts": parts, **mask}, {"low": space.low, "high": space.high}
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
    """Restore a space from the result of :func:`space_to_json`.

    Raises:
        ValueError, KeyError: the arguments are not such a result.
    """
    match description["kind"]:
        case "flat":
            parts = [SpacePart.model_validate(part) for part in description["parts"]]
            mask = tuple(int(column) for column in description["mask"]) if "mask" in description else None
            return FlatSpace(arrays["low"], arrays["high"], parts, mask=mask)  # type: ignore[arg-type]
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


def space_info(space: spaces.Space[Any]) -> SpaceInfo:
    """Describe ``space`` for clients.

    Raises:
        ValueError: the space is of another kind.
    """
    match space:
        case spaces.Box():
            low, high = _bound(space.low), _bound(space.high)
            parts = list(space.parts) if isinstance(space, FlatSpace) else None
            return SpaceInfo(
                kind="box", shape=list(space.shape), dtype=str(space.dtype), low=low, high=high, parts=parts
            )
        case spaces.Discrete():
            return SpaceInfo(kind="discrete", shape=[], dtype="int64", n=int(space.n), start=int(space.start) or None)
        case spaces.MultiDiscrete():
            start = [int(first) for first in np.ravel(space.start)]
            return SpaceInfo(
                kind="multi_discrete",
                shape=[int(size) for size in space.shape],
                dtype=str(space.dtype),
                nvec=[int(count) for count in np.ravel(space.nvec)],
                start=start if any(start) else None,
            )
        case spaces.MultiBinary():
            return SpaceInfo(kind="multi_binary", shape=[int(size) for size in space.shape], dtype=str(space.dtype))
    raise ValueError(f"a {type(space).__name__} space cannot be described")


def _bound(values: NDArray[Any]) -> Bound:
    flat = [float(value) if np.isfinite(value) else None for value in np.ravel(values)]
    return flat[0] if len(set(flat)) == 1 else flat
