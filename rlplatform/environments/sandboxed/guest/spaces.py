"""Spaces as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MAX_BOUNDS = 256
"""Bounds of a box that are not all equal, at most; more are given as the lowest and the highest."""


def describe(space: Any) -> dict[str, Any]:
    """Describe a space as JSON. Raises ``ValueError`` for one that cannot be trained on."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return {
            "kind": "dict",
            "keys": [str(key) for key in space.spaces],
            "parts": [describe(part) for part in space.spaces.values()],
        }
    if isinstance(space, spaces.Tuple):
        return {"kind": "tuple", "parts": [describe(part) for part in space.spaces]}
    if isinstance(space, spaces.Box):
        bounds = {"low": _bounds(space.low, min), "high": _bounds(space.high, max)}
        return {"kind": "box", "shape": [int(size) for size in space.shape], "dtype": str(space.dtype), **bounds}
    if isinstance(space, spaces.Discrete):
        return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        nvec, start = [int(n) for n in space.nvec.ravel()], [int(first) for first in space.start.ravel()]
        return {"kind": "multi_discrete", "shape": [int(size) for size in space.shape], "nvec": nvec, "start": start}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "multi_binary", "shape": [int(size) for size in space.shape]}
    raise ValueError(
        f"{space} cannot be trained on; Box, Discrete, MultiDiscrete and MultiBinary can, and for observations Dict "
        "and Tuple of these"
    )


def _bounds(values: Any, most: Callable[[Any], Any]) -> Any:
    """Return bounds as one number if all are equal, else as a list; null is none."""
    found = [float(value) if np.isfinite(value) else None for value in np.ravel(values)]
    if len(set(found)) == 1:
        return found[0]
    if len(found) > MAX_BOUNDS:
        return None if None in found else most(found)
    return found
