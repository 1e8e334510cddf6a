"""RLModule of the fast path: wraps the ActorCritic of ``rlplatform.algorithms.ppo`` for RLlib."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchMultiCategorical
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.torch.torch_rl_module import TorchRLModule

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead, Head
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.environments.observation_encoder import ObservationEncoder


class ActorCriticModule(TorchRLModule, ValueFunctionAPI):
    """RLModule around an ActorCritic.

    ``model_config`` is ``{"hyperparameters": …, "seed": …}``. Observations arrive encoded and normalised. Weights are
    always synchronised completely, including the critic, so that no part of an env runner's network is stale.
    """

    network: ActorCritic

    def setup(self) -> None:
        hyperparameters = Hyperparameters.of(self.model_config["hyperparameters"])
        encoder = ObservationEncoder.of(self.observation_space)
        head = ActionHead.of(self.action_space, use_sde=hyperparameters.use_sde)
        architecture = hyperparameters.architecture(image=encoder.image)
        self.network = ActorCritic(encoder, head, architecture, seed=self.model_config["seed"])
        if head.kind is Head.CATEGORICAL and head.shape:
            self.action_dist_cls = TorchMultiCategorical.get_partial_dist_cls(input_lens=list(head.nvec))

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        out, latent = self.network.policy(batch[Columns.OBS])
        if self.network.log_std is not None:
            std = self.network.head.std(self.network.log_std, latent)
            out = torch.cat((out, std.log().expand_as(out)), -1)
        return {Columns.ACTION_DIST_INPUTS: out}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> torch.Tensor:  # noqa: ARG002
        return self.network.value(batch[Columns.OBS])
