"""A policy to act with: observations as the environment gives them in, its actions out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.ppo.network import ActorCritic
from rlplatform.ppo.normalize import ObservationNormalizer
from rlplatform.ppo.policy import make_policy_kernel


class Policy:
    """The deterministic policy of a network and its observation normaliser, both used in place and never changed."""

    def __init__(self, network: ActorCritic, normalizer: ObservationNormalizer | None = None) -> None:
        self._network = network
        self._normalizer = normalizer
        self._kernel = make_policy_kernel(network, np.random.default_rng(0))
        self.kernel = self._kernel.name, self._kernel.reason

    def __call__(self, obs: NDArray[Any]) -> NDArray[Any]:
        """Actions [B, *] for observations [B, *]."""
        encoded = self._network.encoder(obs)
        if self._normalizer is not None:
            encoded = self._normalizer(encoded, update=False)
        actions, _ = self._kernel.act(encoded, deterministic=True)
        return self._network.head.to_env(actions)
