"""The acting kernel in torch: covers any network, including CNNs and networks on a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.acting_backend import ActingBackend
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic

VALUE_ROWS = {True: 512, False: 8192}  # rows per forward pass: True for images, False for vectors


class TorchActing(ActingBackend):
    """Torch acting kernel, without gradients.

    Its noise comes from NumPy, so that its actions equal the other kernels'.
    """

    name = "torch"

    @torch.no_grad()
    def _act(self, obs: NDArray[Any], noise: NDArray[np.float32] | None) -> tuple[NDArray[Any], NDArray[np.float32]]:
        network = self.network
        device = network.flat.device
        out, latent = network.policy(torch.from_numpy(obs).to(device))
        if noise is None:
            actions = self.head.mode(out)
            logp, _ = self.head.log_prob_entropy(out, actions, network.log_std, latent)
        else:
            actions, logp = self.head.sample(out, torch.from_numpy(noise).to(device), network.log_std, latent)
        return actions.cpu().numpy(), logp.cpu().numpy()

    def values(self, obs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the values [n]."""
        return torch_values(self.network, obs)


@torch.no_grad()
def torch_values(network: ActorCritic, obs: NDArray[Any]) -> NDArray[np.float32]:
    """Return the values [n] of encoded observations [n, *shape], computed in pieces to bound the memory."""
    rows, device = VALUE_ROWS[network.encoder.image], network.flat.device
    parts = [
        network.value(torch.from_numpy(obs[start : start + rows]).to(device)).cpu().numpy()
        for start in range(0, len(obs), rows)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
