"""Packed training rows, and the division of an epoch into minibatches."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.errors import InvalidRequest


class Batch:
    """Valid rows of one rollout, C-contiguous.

    ``obs`` is [N, *shape] float32 or uint8; ``actions`` is [N, *head.shape] int64 or float32. The others are float32
    [N]: ``logp``, ``advantages`` (not normalised), ``returns``, and ``values`` (of the network that acted).
    """

    __slots__ = ("actions", "advantages", "logp", "obs", "returns", "values")

    def __init__(
        self,
        obs: NDArray[Any],
        actions: NDArray[Any],
        logp: NDArray[np.float32],
        advantages: NDArray[np.float32],
        returns: NDArray[np.float32],
        values: NDArray[np.float32],
    ) -> None:
        self.obs = np.ascontiguousarray(obs, np.uint8 if obs.dtype == np.uint8 else np.float32)
        self.actions = np.ascontiguousarray(actions, np.int64 if actions.dtype.kind in "iu" else np.float32)
        self.logp = np.ascontiguousarray(logp, np.float32)
        self.advantages = np.ascontiguousarray(advantages, np.float32)
        self.returns = np.ascontiguousarray(returns, np.float32)
        self.values = np.ascontiguousarray(values, np.float32)

    def __len__(self) -> int:
        return len(self.logp)


def minibatch_bounds(rows: int, batch_size: int, minibatches: int | None = None) -> NDArray[np.int64]:
    """Return the bounds [m + 1] of an epoch's minibatches, from 0 to ``rows``.

    Without ``minibatches``, each has ``batch_size`` rows, and the last, partial one is kept, as in Stable-Baselines3.
    With it, there are exactly that many, of nearly equal size, so that several learners take the same number of steps.
    """
    if rows < 1:
        raise InvalidRequest("a batch without valid rows cannot be trained on", field="n_steps")
    if minibatches is None:
        return np.append(np.arange(0, rows, batch_size, dtype=np.int64), np.int64(rows))
    if not 1 <= minibatches <= rows:
        raise InvalidRequest(f"{minibatches} minibatches cannot be made of {rows} rows", field="minibatches_per_epoch")
    return np.arange(minibatches + 1, dtype=np.int64) * rows // minibatches


def repeat(bounds: NDArray[np.int64], epochs: int) -> NDArray[np.int64]:
    """Return the bounds [m * epochs + 1] of the minibatches of several consecutive epochs."""
    starts = np.arange(epochs)[:, None] * bounds[-1] + bounds[:-1]
    return np.append(starts.ravel(), epochs * bounds[-1])


def explained_variance(values: NDArray[np.float32], returns: NDArray[np.float32]) -> float | None:
    """Return 1 - Var[returns - values] / Var[returns]; None if the returns do not vary."""
    variance = float(np.var(returns))
    return 1.0 - float(np.var(returns - values)) / variance if variance > 0 else None
