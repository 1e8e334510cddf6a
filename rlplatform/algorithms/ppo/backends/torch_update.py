"""Compute the gradient and the step of one minibatch in torch, for any network, including CNNs and GPUs.

The tests compare the hand-written backends with this one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rlplatform.algorithms.ppo.backends.adam import BETA1, BETA2, EPSILON, Adam
from rlplatform.algorithms.ppo.backends.torch_acting import torch_values
from rlplatform.algorithms.ppo.backends.update_phase import MinibatchStats, Phase
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.batch import Batch


class TorchUpdate:
    """Torch update backend: autograd into one flat gradient, and torch's fused Adam on the flat parameters."""

    name = "torch"

    def __init__(self, network: ActorCritic, adam: Adam) -> None:
        self.network = network
        self.adam = adam
        self.gradient = np.zeros(network.flat.numel() + 1, np.float32)
        self._device = network.flat.device
        self._grad = torch.from_numpy(self.gradient).to(self._device)
        self._m = torch.from_numpy(adam.m).to(self._device)
        self._v = torch.from_numpy(adam.v).to(self._device)
        self._optimizer: torch.optim.Adam | None = None
        self._bound: Tensor | None = None

    def bind(self, batch: Batch) -> None:
        """Use the batch of an update phase.

        Adam's moments are read again, so that a restore since the last phase takes effect.
        """
        self.network.ensure_flat()
        flat = self.network.flat
        if flat is not self._bound:
            self._bound = flat
            self._parameter = nn.Parameter(flat)
            self._parameter.grad = self._grad[:-1]
            for parameter, view in zip(
                self.network.ordered_parameters(), self.network.gradient_views(self._grad[:-1]), strict=True
            ):
                parameter.grad = view
            self._optimizer = torch.optim.Adam([self._parameter], betas=(BETA1, BETA2), eps=EPSILON, fused=True)
        assert self._optimizer is not None
        if self._device.type != "cpu":
            self._m.copy_(torch.from_numpy(self.adam.m))
            self._v.copy_(torch.from_numpy(self.adam.v))
        self._optimizer.state[self._parameter] = {
            "step": torch.tensor(float(self.adam.steps), device=self._device),
            "exp_avg": self._m,
            "exp_avg_sq": self._v,
        }
        names = ("obs", "actions", "logp", "advantages", "returns", "values")
        self._tensors = {name: torch.from_numpy(getattr(batch, name)).to(self._device) for name in names}

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the values [n]."""
        self.network.ensure_flat()
        return torch_values(self.network, obs)

    def backward(self, indices: NDArray[np.int64], phase: Phase) -> MinibatchStats:
        """Compute loss and gradient of the rows ``indices``."""
        where = torch.from_numpy(indices).to(self._device)
        rows = {name: tensor[where] for name, tensor in self._tensors.items()}
        network, settings = self.network, phase.settings
        out, latent, values = network.evaluate(rows["obs"])
        logp, entropy = network.head.log_prob_entropy(out, rows["actions"], network.log_std, latent)
        advantages = rows["advantages"]
        if settings.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        log_ratio = logp - rows["logp"]
        ratio = log_ratio.exp()
        clamped = ratio.clamp(1 - phase.clip_range, 1 + phase.clip_range)
        policy_loss = -torch.min(advantages * ratio, advantages * clamped).mean()
        if phase.clip_range_vf is not None:
            old, most = rows["values"], phase.clip_range_vf
            values = old + (values - old).clamp(-most, most)
        value_loss = nn.functional.mse_loss(values, rows["returns"])
        entropy_loss = -entropy.mean()
        loss = policy_loss + phase.ent_coef * entropy_loss + settings.vf_coef * value_loss
        self._grad.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            kl = (ratio - 1 - log_ratio).mean()
            clipped = ((ratio - 1).abs() > phase.clip_range).float().mean()
            self._grad[-1] = kl
            numbers = torch.stack([policy_loss, value_loss, entropy_loss, kl, clipped]).tolist()
        if self._device.type != "cpu":
            self.gradient[...] = self._grad.cpu().numpy()
        return MinibatchStats(*numbers)

    def step(self, phase: Phase) -> None:
        """Take one Adam step in place, with the gradient clipped."""
        assert self._optimizer is not None
        if self._device.type != "cpu":
            self._grad.copy_(torch.from_numpy(self.gradient))
        nn.utils.clip_grad_norm_([self._parameter], phase.settings.max_grad_norm)
        self._optimizer.param_groups[0]["lr"] = phase.learning_rate
        self._optimizer.step()
        self.adam.steps += 1
        if self._device.type != "cpu":
            self.adam.m[...], self.adam.v[...] = self._m.cpu().numpy(), self._v.cpu().numpy()

    def minibatches(
        self, order: NDArray[np.int64], bounds: NDArray[np.int64], phase: Phase, sums: MinibatchStats
    ) -> None:
        """Return None: this backend has no fused loop, and the caller runs the minibatches one by one."""
