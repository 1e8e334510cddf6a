"""Compute the gradient and the step of one minibatch in NumPy: the reference for the C kernel.

Gradients are derived by hand, and computed on views of the flat buffers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.adam import Adam
from rlplatform.algorithms.ppo.backends.numpy_acting import forward, head, log_softmax, numpy_values, sde_variance
from rlplatform.algorithms.ppo.backends.update_phase import MinibatchStats, Phase
from rlplatform.algorithms.ppo.network.action_heads import HALF_LOG_2PI, Head
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.parameter_layout import LayerViews, MLPViews
from rlplatform.algorithms.ppo.rollout.batch import Batch

Floats = NDArray[np.float32]
ONE = np.float32(1)


class NumpyUpdate:
    """NumPy update backend for every MLP; CNNs are not covered."""

    name = "numpy"

    def __init__(self, network: ActorCritic, adam: Adam) -> None:
        assert network.layout is not None
        self.network = network
        self.layout = network.layout
        self.adam = adam
        self.gradient = np.zeros(self.layout.size + 1, np.float32)
        self._gradients = self.layout.views(self.gradient[:-1])

    def bind(self, batch: Batch) -> None:
        """Use the batch of an update phase."""
        self.network.ensure_flat()
        self.params = self.network.flat_numpy
        self._views: MLPViews = self.layout.views(self.params)
        self.batch = batch

    def values(self, obs: NDArray[Any]) -> Floats:
        """Return the values [n]."""
        self.network.ensure_flat()
        views = self.layout.views(self.network.flat_numpy)
        return numpy_values(views, obs, self.layout.activation, self.layout.shared)

    def backward(self, indices: NDArray[np.int64], phase: Phase) -> MinibatchStats:
        """Compute loss and gradient of the n rows ``indices``. The comments give the derivation."""
        batch, layout, views, gradients = self.batch, self.layout, self._views, self._gradients
        stats = MinibatchStats()
        count = len(indices)
        inverse = np.float32(1 / count)
        obs = cast(Floats, batch.obs[indices])
        policy = forward(obs, views.policy, layout.activation)
        value = policy if layout.shared else forward(obs, views.value, layout.activation)

        advantages = batch.advantages[indices]
        if phase.settings.normalize_advantage and count > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std(ddof=1) + np.float32(1e-8))
        out = head(policy[-1], views.action_head)
        distribution = _Categorical if layout.kind is Head.CATEGORICAL else _Gaussian
        pi = distribution(self, out, policy[-1], batch.actions[indices])

        # Clipped surrogate: d loss / d log pi is -A r / n where the plain term is the smaller one, else 0.
        log_ratio = pi.logp - batch.logp[indices]
        ratio = np.exp(log_ratio)
        clip = np.float32(phase.clip_range)
        plain, clamped = advantages * ratio, advantages * np.clip(ratio, ONE - clip, ONE + clip)
        d_logp = np.where(plain <= clamped, -plain, np.float32(0)) * inverse
        stats.policy_gradient_loss = -float(np.minimum(plain, clamped).mean())
        stats.entropy_loss = -float(pi.entropy.mean())
        stats.approx_kl = float((ratio - ONE - log_ratio).mean())
        stats.clip_fraction = float((np.abs(ratio - ONE) > clip).mean())
        d_out = pi.backward(d_logp, np.float32(phase.ent_coef) * inverse)

        # Value loss: mean squared error to the returns, of predictions that may be clipped around the old values.
        predicted = head(value[-1], views.value_head)[:, 0]
        moves: Any = ONE
        if phase.clip_range_vf is not None:
            old, most = batch.values[indices], np.float32(phase.clip_range_vf)
            moves = np.abs(predicted - old) <= most
            predicted = old + np.clip(predicted - old, -most, most)
        error = predicted - batch.returns[indices]
        stats.value_loss = float((error * error).mean())
        d_value = (error * moves * (np.float32(2 * phase.settings.vf_coef) * inverse))[:, None]

        down = _head_backward(d_out, policy[-1], views.action_head, gradients.action_head)
        down_value = _head_backward(d_value, value[-1], views.value_head, gradients.value_head)
        if layout.shared:
            _tower_backward(down + down_value, policy, views.policy, gradients.policy, layout.activation)
        else:
            _tower_backward(down, policy, views.policy, gradients.policy, layout.activation)
            _tower_backward(down_value, value, views.value, gradients.value, layout.activation)
        self.gradient[-1] = stats.approx_kl
        return stats

    def step(self, phase: Phase) -> None:
        """Take one Adam step in place, with the gradient clipped."""
        self.adam.step(self.params, self.gradient[:-1], phase.learning_rate, phase.settings.max_grad_norm)

    def minibatches(
        self, order: NDArray[np.int64], bounds: NDArray[np.int64], phase: Phase, sums: MinibatchStats
    ) -> None:
        """Return None: this backend has no fused loop, and the caller runs the minibatches one by one."""


class _Categorical:
    """``logp`` [n] and ``entropy`` [n] of independent categorical distributions, and the gradient of a loss that
    uses both."""

    def __init__(self, update: NumpyUpdate, out: Floats, _latent: Floats, actions: NDArray[Any]) -> None:
        self.rows = np.arange(len(out))
        self.actions = actions.reshape(len(out), -1)
        self.parts: list[tuple[slice, Floats, Floats, Floats]] = []
        self.logp = np.zeros(len(out), np.float32)
        self.entropy = np.zeros(len(out), np.float32)
        start = 0
        for index, count in enumerate(update.layout.nvec):
            columns = slice(start, start + count)
            start += count
            log_probs, probs = log_softmax(out[:, columns])
            entropy = -(probs * log_probs).sum(1)
            self.logp += log_probs[self.rows, self.actions[:, index]]
            self.entropy += entropy
            self.parts.append((columns, log_probs, probs, entropy))
        self.out = out

    def backward(self, d_logp: Floats, ent_coef: np.floating[Any]) -> Floats:
        """Return d loss / d logits, for a loss that contains ``logp`` with gradient ``d_logp`` and ``-ent_coef *
        entropy``.

        d logp / d z_k = [k = a] - p_k; d entropy / d z_k = -p_k (log p_k + entropy).
        """
        d_out = np.empty_like(self.out)
        for index, (columns, log_probs, probs, entropy) in enumerate(self.parts):
            part = -probs * d_logp[:, None]
            part[self.rows, self.actions[:, index]] += d_logp
            if ent_coef:
                part += ent_coef * probs * (log_probs + entropy[:, None])
            d_out[:, columns] = part
        return d_out


class _Gaussian:
    """``logp`` [n] and ``entropy`` [n] of diagonal Gaussians, with a state-independent log_std or gSDE, and their
    gradient."""

    def __init__(self, update: NumpyUpdate, out: Floats, latent: Floats, actions: NDArray[Any]) -> None:
        log_std, gradient = update._views.log_std, update._gradients.log_std
        assert log_std is not None
        assert gradient is not None
        self.sde = update.layout.kind is Head.SDE
        self.log_std, self.gradient, self.latent = log_std, gradient, latent
        self.variance = sde_variance(latent, log_std) if self.sde else np.exp(2 * log_std)
        error = actions - out
        self.slope = error / self.variance
        self.squares = self.slope * error
        log_scale = 0.5 * np.log(self.variance)
        self.logp: Floats = -(0.5 * self.squares + log_scale + HALF_LOG_2PI).sum(1, dtype=np.float32)
        entropy = (log_scale + (0.5 + HALF_LOG_2PI)).sum(-1, dtype=np.float32)
        self.entropy: Floats = np.broadcast_to(entropy, self.logp.shape)

    def backward(self, d_logp: Floats, ent_coef: np.floating[Any]) -> Floats:
        """Return d loss / d mean, and write the gradient of log_std.

        With z = (a - mean) / std: d logp / d mean = z / std; d logp / d log std = z^2 - 1; d entropy / d log std = 1.
        gSDE: var_a = sum_j h_j^2 exp(2 log_std_ja) + epsilon, so that d var_a / d log_std_ja = 2 h_j^2 exp(2
        log_std_ja).
        """
        d_scale = d_logp[:, None] * (self.squares - ONE) - ent_coef
        if self.sde:
            d_variance = np.float32(0.5) * d_scale / self.variance
            np.matmul(np.square(self.latent).T, d_variance, out=self.gradient)
            self.gradient *= 2 * np.exp(2 * self.log_std)
        else:
            d_scale.sum(0, out=self.gradient)
        return cast(Floats, d_logp[:, None] * self.slope)


def _head_backward(d_out: Floats, latent: Floats, layer: LayerViews, gradient: LayerViews) -> Floats:
    np.matmul(latent.T, d_out, out=gradient.weight)
    d_out.sum(0, out=gradient.bias)
    down: Floats = np.matmul(d_out, layer.weight.T)
    return down


def _tower_backward(
    down: Floats,
    activations: list[Floats],
    layers: Sequence[LayerViews],
    gradients: Sequence[LayerViews],
    activation: str,
) -> None:
    """Write the gradients of a tower's layers, given d loss / d (last activations). Overwrites the activations."""
    for index in range(len(layers) - 1, -1, -1):
        after = activations[index + 1]
        if activation == "tanh":
            np.multiply(after, after, out=after)
            np.subtract(ONE, after, out=after)
            down *= after
        else:
            down *= after > 0
        np.matmul(activations[index].T, down, out=gradients[index].weight)
        down.sum(0, out=gradients[index].bias)
        if index:
            down = down @ layers[index].weight.T
