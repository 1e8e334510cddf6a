"""Base class of the update backends."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.update_phase import MinibatchStats, Phase
from rlplatform.algorithms.ppo.rollout.batch import Batch

Integers = NDArray[np.int64]


class UpdateBackend(Protocol):
    """Gradient and step of one minibatch.

    ``gradient`` is [P + 1]: its last element is the approximate KL divergence.
    """

    gradient: NDArray[np.float32]

    def bind(self, batch: Batch) -> None:
        """Use the batch of an update phase."""

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the values [n] of encoded observations [n, *shape]."""

    def backward(self, indices: Integers, phase: Phase) -> MinibatchStats:
        """Compute loss and gradient of the rows ``indices`` into ``gradient``; the parameters do not change."""

    def step(self, phase: Phase) -> None:
        """Clip the gradient by its global norm, and take one Adam step in place."""

    def minibatches(
        self, order: Integers, bounds: Integers, phase: Phase, sums: MinibatchStats
    ) -> tuple[int, MinibatchStats] | None:
        """Run the minibatches ``order[bounds[k]:bounds[k + 1]]`` in one call, if the backend can.

        Returns:
            The number of steps taken and the last minibatch's statistics; None if the caller has to run them one by
                one.
        """
