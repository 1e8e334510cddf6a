"""State of an environment that wraps another one, as bytes: NumPy's archive, which needs no pickle."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from rlplatform.environments.vector_env import Array

_INNER = "inner"


def pack(inner: bytes, **arrays: Array) -> bytes:
    """Return the state ``inner`` of the wrapped environment together with ``arrays``."""
    written = io.BytesIO()
    named: dict[str, Any] = {_INNER: np.frombuffer(inner, np.uint8), **arrays}
    np.savez(written, **named)
    return written.getvalue()


def unpack(state: bytes) -> tuple[bytes, dict[str, Array]]:
    """Return what :func:`pack` was given."""
    with np.load(io.BytesIO(state), allow_pickle=False) as saved:
        arrays = {name: saved[name] for name in saved.files}
    return arrays.pop(_INNER).tobytes(), arrays
