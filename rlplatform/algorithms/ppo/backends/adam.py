"""Adam on one flat float32 vector, with gradients clipped by their global norm.

Source: Kingma & Ba 2015 (arXiv:1412.6980), with torch's conventions for both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.errors import CheckpointError

Floats = NDArray[np.float32]
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-5


class Adam:
    """Adam's moments ``m`` and ``v`` [P], and the number of steps taken.

    The array objects never change, not even in ``set_state``: other code may keep their addresses.
    """

    def __init__(self, size: int) -> None:
        self.m = np.zeros(size, np.float32)
        self.v = np.zeros(size, np.float32)
        self.steps = 0
        self._scratch = np.empty(size, np.float32)

    def step(self, params: Floats, gradient: Floats, learning_rate: float, max_grad_norm: float) -> None:
        """Clip ``gradient`` [P] in place to ``max_grad_norm``, and update ``params`` [P] in place."""
        norm = math.sqrt(float(gradient @ gradient))
        if norm + 1e-6 > max_grad_norm:
            gradient *= np.float32(max_grad_norm / (norm + 1e-6))
        self.steps += 1
        m, v, scratch = self.m, self.v, self._scratch
        m *= np.float32(BETA1)
        np.multiply(gradient, np.float32(1 - BETA1), out=scratch)
        m += scratch
        v *= np.float32(BETA2)
        np.multiply(gradient, gradient, out=scratch)
        scratch *= np.float32(1 - BETA2)
        v += scratch
        np.sqrt(v, out=scratch)
        scratch *= np.float32(1 / math.sqrt(1 - BETA2**self.steps))
        scratch += np.float32(EPSILON)
        np.divide(m, scratch, out=scratch)
        scratch *= np.float32(learning_rate / (1 - BETA1**self.steps))
        params -= scratch

    def get_state(self) -> dict[str, Any]:
        """Return a copy that can be pickled, in the order of the flat buffer."""
        return {"step": self.steps, "exp_avg": self.m.copy(), "exp_avg_sq": self.v.copy()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore the moments in place.

        Raises:
            CheckpointError: the moments belong to another network.
        """
        moments = np.asarray(state["exp_avg"], np.float32), np.asarray(state["exp_avg_sq"], np.float32)
        if moments[0].shape != self.m.shape or moments[1].shape != self.v.shape:
            raise CheckpointError(
                f"the optimiser's moments are for {moments[0].size} parameters, this network has {self.m.size}"
            )
        self.m[...], self.v[...] = moments
        self.steps = int(state["step"])
