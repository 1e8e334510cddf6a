"""The acting kernel in NumPy, for MLPs: the reference for the C kernel.

It works on views of the network's parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.acting_backend import ActingBackend
from rlplatform.algorithms.ppo.network.action_heads import HALF_LOG_2PI, SDE_EPSILON, Head
from rlplatform.algorithms.ppo.network.parameter_layout import LayerViews, MLPViews

Floats = NDArray[np.float32]


def forward(x: Floats, layers: Sequence[LayerViews], activation: str) -> list[Floats]:
    """Return the activations of a tower, each [n, width]; the first is the input."""
    activations = [x]
    for weight, bias in layers:
        x = x @ weight
        x += bias
        if activation == "tanh":
            np.tanh(x, out=x)
        else:
            np.maximum(x, 0, out=x)
        activations.append(x)
    return activations


def head(latent: Floats, layer: LayerViews) -> Floats:
    """Return a head's outputs [n, outputs]."""
    out = latent @ layer.weight
    out += layer.bias
    return out


def log_softmax(logits: Floats) -> tuple[Floats, Floats]:
    """Return log-probabilities [n, K] and probabilities [n, K]."""
    log_probs = logits - logits.max(1, keepdims=True)
    probs = np.exp(log_probs)
    total = probs.sum(1, keepdims=True)
    log_probs -= np.log(total)
    probs /= total
    return log_probs, probs


def sde_variance(latent: Floats, log_std: Floats) -> Floats:
    """Return the variances [n, A] of gSDE."""
    variance = np.square(latent) @ np.exp(2 * log_std)
    variance += np.float32(SDE_EPSILON)
    return variance


class NumpyActing(ActingBackend):
    """NumPy acting kernel for every MLP; CNNs are not covered."""

    name = "numpy"

    _flat: Floats | None = None
    _cached: MLPViews

    def _views(self) -> MLPViews:
        assert self.network.layout is not None
        flat = self.network.flat_numpy
        if self._flat is None or self._flat.ctypes.data != flat.ctypes.data:
            self._flat = flat
            self._cached = self.network.layout.views(flat)
        return self._cached

    def _act(self, obs: NDArray[Any], noise: Floats | None) -> tuple[NDArray[Any], Floats]:
        views = self._cached if self._flat is not None and self._fragment is not None else self._views()
        latent = forward(obs, views.policy, self.network.architecture.activation)[-1]
        out = head(latent, views.action_head)
        if self.head.kind is not Head.CATEGORICAL:
            return self._act_continuous(out, latent, views.log_std, noise)
        rows = np.arange(len(out))
        actions = np.empty((len(out), len(self.head.nvec)), np.int64)
        logp = np.zeros(len(out), np.float32)
        start = 0
        for index, count in enumerate(self.head.nvec):
            log_probs, probs = log_softmax(out[:, start : start + count])
            start += count
            if noise is None:
                chosen = log_probs.argmax(1)
            else:
                cumulative = probs.cumsum(1)
                chosen = (cumulative[:, :-1] <= noise[:, index : index + 1] * cumulative[:, -1:]).sum(1)
            actions[:, index] = chosen
            logp += log_probs[rows, chosen]
        return (actions if self.head.shape else actions[:, 0]), logp

    def _act_continuous(
        self, out: Floats, latent: Floats, log_std: Floats | None, noise: Floats | None
    ) -> tuple[NDArray[Any], Floats]:
        assert log_std is not None
        variance = sde_variance(latent, log_std) if self.head.kind is Head.SDE else np.exp(2 * log_std)
        if noise is None:
            shift = np.zeros_like(out)
        elif self.head.kind is Head.SDE:
            shift = np.einsum("bl,bla->ba", latent, noise * np.exp(log_std))
        else:
            shift = noise * np.sqrt(variance)
        logp = -(0.5 * (shift * shift / variance + np.log(variance)) + HALF_LOG_2PI).sum(1)
        return out + shift, logp.astype(np.float32, copy=False)

    def begin(self, fragment: Any) -> None:
        super().begin(fragment)
        self._views()

    def act(self, obs: NDArray[Any], *, deterministic: bool = False) -> tuple[NDArray[Any], Floats]:
        self.network.ensure_flat()
        self._views()
        return super().act(obs, deterministic=deterministic)

    def values(self, obs: NDArray[Any]) -> Floats:
        """Return the values [n]."""
        self.network.ensure_flat()
        return numpy_values(
            self._views(), obs, self.network.architecture.activation, self.network.architecture.shared_critic
        )


def numpy_values(views: MLPViews, obs: Floats, activation: str, shared: bool) -> Floats:
    """Return the values [n] of observations [n, D]. 4096 rows are computed at a time, so that activations stay in
    the cache."""
    tower = views.policy if shared else views.value
    parts = []
    for start in range(0, len(obs), 4096):
        latent = forward(obs[start : start + 4096], tower, activation)[-1]
        parts.append(head(latent, views.value_head)[:, 0])
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
