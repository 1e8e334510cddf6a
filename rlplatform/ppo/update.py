"""The update phase of PPO with the semantics of Stable-Baselines3's ``PPO.train``, over one of three backends.

Each epoch shuffles all rows; the last, partial minibatch is kept; advantages are normalised a minibatch (standard deviation
with n - 1); the clipped surrogate, a value loss with optional clipping, an entropy bonus; gradients clipped by their
global norm; Adam with epsilon 1e-5; an early stop once the approximate KL divergence exceeds 1.5 times its target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rlplatform.ppo.adam import Adam
from rlplatform.ppo.backend import BackendName, select_backend
from rlplatform.ppo.batch import Batch, explained_variance, minibatch_bounds
from rlplatform.ppo.hyperparameters import Hyperparameters
from rlplatform.ppo.network import ActorCritic

Reduce = Callable[[NDArray[np.float32]], None]


@dataclass(frozen=True)
class UpdateSettings:
    """What stays the same over a session; learning rate and clip ranges are given with each phase."""

    n_epochs: int = 10
    batch_size: int = 64
    ent_coef: float = 0.0
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5
    normalize_advantage: bool = True
    target_kl: float | None = None

    @classmethod
    def of(cls, hyperparameters: Hyperparameters) -> UpdateSettings:
        """The part of the hyperparameters that an update needs."""
        return cls(**{name: getattr(hyperparameters, name) for name in cls.__dataclass_fields__})


@dataclass
class Phase:
    """One update phase's current values, as every backend takes them."""

    settings: UpdateSettings
    learning_rate: float
    clip_range: float
    clip_range_vf: float | None
    ent_coef: float


@dataclass
class MinibatchStats:
    """Means over one minibatch, or sums of them over many."""

    policy_gradient_loss: float = 0.0
    value_loss: float = 0.0
    entropy_loss: float = 0.0
    approx_kl: float = 0.0
    clip_fraction: float = 0.0


class UpdateBackend(Protocol):
    """Gradient and step of one minibatch. ``gradient`` is [P + 1]: the last element holds the approximate KL divergence."""

    gradient: NDArray[np.float32]

    def bind(self, batch: Batch) -> None:
        """Take the batch of a phase."""

    def backward(self, indices: NDArray[np.int64], phase: Phase) -> MinibatchStats:
        """Loss and gradient of the rows ``indices`` into ``gradient``; parameters stay as they are."""

    def step(self, phase: Phase) -> None:
        """Clip the gradient by its global norm and take one Adam step, in place."""

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Values [n] of encoded observations [n, *shape]."""


class PPOUpdate:
    """The optimiser of one network: run it once an iteration. ``backend`` is its name, ``reason`` why it was chosen."""

    def __init__(
        self, network: ActorCritic, settings: UpdateSettings, *, seed: int = 0, prefer: BackendName = "auto"
    ) -> None: ...

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Values [n] of encoded observations [n, *shape]: the ``value_fn`` of ``pack``."""
        ...

    def run(
        self,
        batch: Batch,
        *,
        learning_rate: float,
        clip_range: float,
        clip_range_vf: float | None = None,
        ent_coef: float | None = None,
        reduce: Reduce | None = None,
        minibatches_per_epoch: int | None = None,
    ) -> dict[str, float]:
        """All epochs over ``batch``. Returns the train statistics by Stable-Baselines3's names (README).

        ``reduce`` averages a float32 vector over the learners in place. ``ent_coef`` overrides the settings'.
        """
        ...

    def get_state(self) -> dict[str, Any]:
        """Adam's moments and step, the permutation generator and ``n_updates``; NumPy arrays and plain values."""
        ...

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore in place; raises ``CheckpointError`` where the moments do not fit the network."""
        ...
