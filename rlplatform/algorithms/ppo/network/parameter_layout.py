"""Positions of an MLP actor-critic's layers in the flat parameter buffer; the network and every kernel share them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.hyperparameters import Architecture
from rlplatform.algorithms.ppo.network.action_heads import ActionHead, Head

Array = NDArray[np.float32]


class LayerViews(NamedTuple):
    """One linear layer in a flat buffer: weight [in, out] and bias [out]."""

    weight: Array
    bias: Array


class MLPViews(NamedTuple):
    """An MLP actor-critic in a flat buffer. ``log_std`` is [A], [latent, A] with gSDE, or None."""

    policy: list[LayerViews]
    action_head: LayerViews
    log_std: Array | None
    value: list[LayerViews]
    value_head: LayerViews


@dataclass(frozen=True)
class Layout:
    """Widths of the towers over ``inputs`` features.

    If they share one tower, ``value`` is empty and ``shared`` is True.

    Order in the buffer: policy tower (weight [in, out], bias, layer by layer), policy head, log_std, value tower, value
    head.
    """

    inputs: int
    policy: tuple[int, ...]
    value: tuple[int, ...]
    shared: bool
    activation: str
    kind: Head
    outputs: int
    nvec: tuple[int, ...]

    @classmethod
    def of(cls, inputs: int, head: ActionHead, architecture: Architecture) -> Layout:
        """Return the layout of ``ActorCritic`` for vector observations of ``inputs`` features."""
        return cls(
            inputs=inputs,
            policy=architecture.pi,
            value=() if architecture.shared_critic else architecture.vf,
            shared=architecture.shared_critic,
            activation=architecture.activation,
            kind=head.kind,
            outputs=head.outputs,
            nvec=head.nvec,
        )

    @property
    def latent(self) -> int:
        """Number of features that the policy head reads."""
        return (self.inputs, *self.policy)[-1]

    @property
    def latent_vf(self) -> int:
        """Number of features that the value head reads."""
        return self.latent if self.shared else (self.inputs, *self.value)[-1]

    @property
    def widest(self) -> int:
        """Width of the widest hidden layer; 0 without hidden layers."""
        return max((*self.policy, *self.value), default=0)

    @property
    def log_std_shape(self) -> tuple[int, ...] | None:
        """Shape of log_std; None for categoricals."""
        if self.kind is Head.CATEGORICAL:
            return None
        return (self.latent, self.outputs) if self.kind is Head.SDE else (self.outputs,)

    @property
    def size(self) -> int:
        """Number of parameters, P."""
        towers = 0
        for widths in (self.policy, self.value):
            inputs = self.inputs
            for width in widths:
                towers += (inputs + 1) * width
                inputs = width
        shape = self.log_std_shape
        log_std = int(np.prod(shape)) if shape is not None else 0
        return towers + (self.latent + 1) * self.outputs + log_std + self.latent_vf + 1

    def views(self, flat: Array) -> MLPViews:
        """Return views of a flat buffer [P] of parameters, gradients or moments."""
        if flat.shape != (self.size,):
            raise ValueError(f"expected a flat buffer of {self.size} parameters, got shape {flat.shape}")
        start = 0

        def take(*shape: int) -> Array:
            nonlocal start
            count = int(np.prod(shape))
            start += count
            return flat[start - count : start].reshape(shape)

        def layer(inputs: int, outputs: int) -> LayerViews:
            return LayerViews(take(inputs, outputs), take(outputs))

        def tower(widths: tuple[int, ...]) -> list[LayerViews]:
            return [layer(*pair) for pair in zip((self.inputs, *widths[:-1]), widths, strict=True)] if widths else []

        policy = tower(self.policy)
        action_head = layer(self.latent, self.outputs)
        shape = self.log_std_shape
        log_std = take(*shape) if shape is not None else None
        value = tower(self.value)
        return MLPViews(policy, action_head, log_std, value, layer(self.latent_vf, 1))
