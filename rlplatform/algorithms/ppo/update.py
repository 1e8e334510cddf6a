"""Update phase of PPO with the semantics of Stable-Baselines3's ``PPO.train``, computed by one of three backends.

Each epoch shuffles all rows, and the last, partial minibatch is kept. Advantages are normalised per minibatch (standard
deviation with n - 1). The loss is the clipped surrogate, a value loss with optional clipping, and an entropy bonus.
Gradients are clipped by their global norm; Adam uses epsilon 1e-5. Updating stops early once the approximate KL
divergence exceeds 1.5 times its target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.adam import Adam
from rlplatform.algorithms.ppo.backends.selection import BackendName, make_update_backend, select_backend
from rlplatform.algorithms.ppo.backends.update_backend import Integers
from rlplatform.algorithms.ppo.backends.update_phase import MinibatchStats, Phase, UpdateSettings
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch, explained_variance, minibatch_bounds, repeat
from rlplatform.errors import EngineError, InvalidRequest

Reduce = Callable[[NDArray[np.float32]], None]
BUNDLE_ROWS = 2**16


class PPOUpdate:
    """Optimiser of one network. Run it once per iteration, in one thread only.

    ``backend`` is the backend's name, and ``reason`` says why it was chosen. ``get_state`` returns everything that the
    object holds except the parameters.
    """

    def __init__(
        self, network: ActorCritic, settings: UpdateSettings, *, seed: int = 0, prefer: BackendName = "auto"
    ) -> None:
        self.network = network
        self.settings = settings
        self.backend, self.reason = select_backend(network, prefer)
        self.adam = Adam(network.flat.numel())
        self.n_updates = 0
        self._rng = np.random.default_rng(seed)
        self._impl = make_update_backend(self.backend, network, self.adam)

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the values [n] of encoded observations [n, *shape]: the ``value_fn`` of ``pack``."""
        return self._impl.values(obs)

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
        """Run all epochs over ``batch``.

        Args:
            batch: Training rows.
            learning_rate: Learning rate of this phase.
            clip_range: Clip range of the surrogate.
            clip_range_vf: Clip range of the value loss; None for no clipping.
            ent_coef: Overrides the coefficient of the settings.
            reduce: Averages a float32 vector over the learners, in place.
            minibatches_per_epoch: Exact number of minibatches; None to use ``batch_size``.

        Returns:
            Training statistics by Stable-Baselines3's names (see the README).

        Raises:
            EngineError: loss or parameters are not finite. The parameters are unusable; restore a checkpoint.
        """
        settings = self.settings
        phase = Phase(
            settings,
            float(learning_rate),
            float(clip_range),
            None if clip_range_vf is None else float(clip_range_vf),
            settings.ent_coef if ent_coef is None else float(ent_coef),
        )
        if reduce is not None and minibatches_per_epoch is None:
            raise InvalidRequest("several learners need the same minibatches_per_epoch", field="minibatches_per_epoch")
        bounds = minibatch_bounds(len(batch), settings.batch_size, minibatches_per_epoch)
        self._impl.bind(batch)
        sums, minibatches = MinibatchStats(), 0
        kl, last = 0.0, MinibatchStats()
        for epochs in self._bundles(len(batch), reduce):
            part = MinibatchStats()
            order = np.concatenate([self._rng.permutation(len(batch)) for _ in range(epochs)])
            done, last, stopped = self._minibatches(order, repeat(bounds, epochs), phase, part, reduce)
            self.n_updates += epochs
            minibatches += done
            kl = part.approx_kl / done  # the last epoch's mean, as in Stable-Baselines3
            sums.add(part)
            if stopped:
                break
        loss = last.loss(phase)
        if not math.isfinite(loss) or not torch.isfinite(self.network.flat).all():
            raise EngineError(_why_not_finite(batch))
        return self._statistics(batch, phase, sums, minibatches, kl, loss)

    def _bundles(self, rows: int, reduce: Reduce | None) -> list[int]:
        """Return the number of epochs of each backend call.

        Small epochs are bundled: a call costs as much as one of them.

        With a KL limit or several learners each epoch is a call of its own. The last epoch always is one, since its KL
        divergence is reported.
        """
        epochs = self.settings.n_epochs
        if reduce is not None or self.settings.target_kl is not None:
            return [1] * epochs
        most = max(1, BUNDLE_ROWS // rows)
        whole, rest = divmod(epochs - 1, most)
        return [most] * whole + [rest] * bool(rest) + [1]

    def _minibatches(
        self, order: Integers, bounds: Integers, phase: Phase, sums: MinibatchStats, reduce: Reduce | None
    ) -> tuple[int, MinibatchStats, bool]:
        """Return the number of minibatches evaluated, the last one's statistics, and True if the KL limit stopped
        before its step."""
        count = len(bounds) - 1
        if reduce is None and (fused := self._impl.minibatches(order, bounds, phase, sums)) is not None:
            taken, last = fused
            return min(taken + 1, count), last, taken < count
        target = phase.settings.target_kl
        stats = MinibatchStats()
        for index in range(count):
            stats = self._impl.backward(order[bounds[index] : bounds[index + 1]], phase)
            if reduce is not None:
                reduce(self._impl.gradient)
                stats.approx_kl = float(self._impl.gradient[-1])
            sums.add(stats)
            if target is not None and stats.approx_kl > 1.5 * target:
                return index + 1, stats, True
            self._impl.step(phase)
        return count, stats, False

    def _statistics(
        self, batch: Batch, phase: Phase, sums: MinibatchStats, minibatches: int, kl: float, loss: float
    ) -> dict[str, float]:
        statistics = {
            "policy_gradient_loss": sums.policy_gradient_loss / minibatches,
            "value_loss": sums.value_loss / minibatches,
            "entropy_loss": sums.entropy_loss / minibatches,
            "approx_kl": kl,
            "clip_fraction": sums.clip_fraction / minibatches,
            "loss": loss,
            "n_updates": float(self.n_updates),
            "learning_rate": phase.learning_rate,
            "clip_range": phase.clip_range,
        }
        if phase.clip_range_vf is not None:
            statistics["clip_range_vf"] = phase.clip_range_vf
        if (explained := explained_variance(batch.values, batch.returns)) is not None:
            statistics["explained_variance"] = explained
        if self.network.log_std is not None:
            statistics["std"] = float(self.network.log_std.detach().exp().mean())
        return statistics

    def get_state(self) -> dict[str, Any]:
        """Return Adam's moments and step, the permutation generator and ``n_updates``, as NumPy arrays and plain
        values."""
        return {"adam": self.adam.get_state(), "rng": self._rng.bit_generator.state, "n_updates": self.n_updates}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore the state in place.

        Raises:
            CheckpointError: the moments do not fit the network.
        """
        self.adam.set_state(state["adam"])
        self._rng.bit_generator.state = state["rng"]
        self.n_updates = int(state["n_updates"])


def _why_not_finite(batch: Batch) -> str:
    """Return an error message for an update whose loss is not finite: names the environment if its numbers are not
    finite."""
    for what, column in (("observations", batch.obs), ("rewards", batch.returns)):
        if not np.isfinite(column).all():
            return f"the environment's {what} are not all finite numbers"
    return "the update diverged: loss or parameters are no longer finite numbers; try a smaller learning_rate"
