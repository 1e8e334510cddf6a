"""Layout of the memory that host and sandbox share: arrays over all copies of one process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

STEP, FRAME, DONE = b"s", b"f", b"."
STEP_IT, RESET, SKIP = 0, 1, 2
OK, RAISED, MALFORMED = 0, 1, 2
MESSAGE_BYTES = 2048
FRAME_BYTES = 3 * 1920 * 1080
"""Size of the largest picture."""
_ALIGNMENT = 64

Arrays = dict[str, Any]


def fields(plan: Mapping[str, Any]) -> list[tuple[str, tuple[int, ...], str]]:
    """Return name, shape and type of each array in the shared memory, in order."""
    n, action, leaves = plan["copies"], plan["action"], plan["leaves"]
    found = [
        ("reset", (n,), "uint8"),
        ("seeds", (n,), "int64"),
        ("actions", (n, *action["shape"]), action["dtype"]),
        ("rewards", (n,), "float64"),
        ("terminated", (n,), "uint8"),
        ("truncated", (n,), "uint8"),
        ("status", (n,), "uint8"),
        ("message", (MESSAGE_BYTES,), "uint8"),
    ]
    for name in ("obs", "next") if plan["mode"] == "reward" else ("obs",):
        found += [(f"{name}{i}", (n, *leaf["shape"]), leaf["dtype"]) for i, leaf in enumerate(leaves)]
    if plan.get("rendered"):  # the copy to draw; its picture [height, width, 3], with height 0 for none; its pace
        found += [("drawn", (1,), "int64"), ("size", (2,), "int64"), ("frame", (FRAME_BYTES,), "uint8")]
        found.append(("frames_per_s", (1,), "float64"))
    return found


def memory_bytes(plan: Mapping[str, Any]) -> int:
    """Return the size of the shared memory."""
    return sum(_size(shape, dtype) for _, shape, dtype in fields(plan))


def views(memory: Any, plan: Mapping[str, Any]) -> Arrays:
    """Return the arrays in ``memory`` by name."""
    arrays, start = {}, 0
    for name, shape, dtype in fields(plan):
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(memory, dtype, count, start).reshape(shape)
        start += _size(shape, dtype)
    return arrays


def _size(shape: Sequence[int], dtype: str) -> int:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return -(-size // _ALIGNMENT) * _ALIGNMENT
