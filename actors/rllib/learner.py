"""Learner of the fast path: runs one update phase of ``rlplatform.algorithms.ppo`` on fragments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core import ALL_MODULES, DEFAULT_MODULE_ID
from ray.rllib.utils.metrics import (
    NUM_ENV_STEPS_TRAINED,
    NUM_ENV_STEPS_TRAINED_LIFETIME,
    NUM_MODULE_STEPS_TRAINED_LIFETIME,
    WEIGHTS_SEQ_NO,
)

from rlplatform.algorithms.ppo.backends.update_phase import UpdateSettings
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.rollout.advantages import pack
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.algorithms.ppo.update import PPOUpdate

UPDATE = "update"


class VectorPPOLearner(PPOTorchLearner):
    """Learner that updates with ``PPOUpdate``.

    Several learners average their gradients at each minibatch, weighted by their rows, so that all take the same steps.
    Advantages are normalised over each learner's own part of a minibatch.
    """

    network: ActorCritic
    updater: PPOUpdate

    def build(self) -> None:
        super().build()
        options = self.config.vector
        self.hyperparameters = Hyperparameters.of(options["hyperparameters"])
        self.network = self.module[DEFAULT_MODULE_ID].network
        settings = UpdateSettings.of(self.hyperparameters)
        if self.config.num_learners > 1:
            share = max(1, settings.batch_size // self.config.num_learners)
            settings = UpdateSettings(**{**settings.__dict__, "batch_size": share})
        self.updater = PPOUpdate(self.network, settings, seed=options["seed"], prefer=options["backend"])

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Configure no torch optimiser: the update has its own Adam."""

    def _make_modules_ddp_if_necessary(self) -> None:
        """Do nothing: the update averages one flat gradient instead of using DDP."""

    def fit(
        self,
        fragments: Sequence[Fragment],
        progress_remaining: float,
        *,
        total_rows: int | None = None,
        minibatches_per_epoch: int | None = None,
    ) -> dict[str, float]:
        """Run one update phase; return its statistics by name.

        Args:
            fragments: Rollouts to train on.
            progress_remaining: Falls from 1 to 0 over the training.
            total_rows: Rows of all learners; None for a single learner.
            minibatches_per_epoch: Number of minibatches of every learner; None for a single learner.
        """
        hyperparameters = self.hyperparameters
        batch = pack(fragments, self.updater.values, hyperparameters.gamma, hyperparameters.gae_lambda)
        clip_range_vf = hyperparameters.clip_range_vf
        several = self.config.num_learners > 1 and total_rows is not None
        statistics = self.updater.run(
            batch,
            learning_rate=hyperparameters.learning_rate.value(progress_remaining),
            clip_range=hyperparameters.clip_range.value(progress_remaining),
            clip_range_vf=clip_range_vf.value(progress_remaining) if clip_range_vf is not None else None,
            reduce=partial(_average, len(batch) / total_rows) if several else None,
            minibatches_per_epoch=minibatches_per_epoch if several else None,
        )
        self._weights_seq_no += 1
        return statistics

    def update(
        self,
        *_: Any,
        training_data: Any = None,
        progress_remaining: float = 1.0,
        total_rows: int | None = None,
        minibatches_per_epoch: int | None = None,
        **__: Any,
    ) -> Any:
        """Update for RLlib, in learners that are separate actors: fetch the fragments by reference, and call
        :meth:`fit`."""
        training_data.solve_refs()
        fragments = training_data.batches if training_data.batches is not None else [training_data.batch]
        statistics = self.fit(
            fragments, progress_remaining, total_rows=total_rows, minibatches_per_epoch=minibatches_per_epoch
        )
        rows = sum(len(fragment) for fragment in fragments)
        self.metrics.log_dict(statistics, key=DEFAULT_MODULE_ID, window=1)
        self.metrics.log_value((ALL_MODULES, NUM_ENV_STEPS_TRAINED), rows, reduce="sum")
        for name in (NUM_ENV_STEPS_TRAINED_LIFETIME, NUM_MODULE_STEPS_TRAINED_LIFETIME):
            self.metrics.log_value((ALL_MODULES, name), rows, reduce="lifetime_sum")
        return self.metrics.reduce()

    def weights(self) -> tuple[int, NDArray[np.float32]]:
        """Return the number of updates, and all parameters as one vector [P]."""
        self.network.ensure_flat()
        return self._weights_seq_no, self.network.flat_numpy.copy()

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state as RLlib does, but also over weights with a higher sequence number."""
        unnumbered = {name: value for name, value in state.items() if name != WEIGHTS_SEQ_NO}
        super().set_state(unnumbered)
        self.network.ensure_flat()
        self._weights_seq_no = int(state.get(WEIGHTS_SEQ_NO, self._weights_seq_no))

    def _get_optimizer_state(self) -> dict[str, Any]:
        return {UPDATE: self.updater.get_state()}

    def _set_optimizer_state(self, state: dict[str, Any]) -> None:
        if UPDATE in state:
            self.updater.set_state(state[UPDATE])


def _average(weight: float, vector: NDArray[np.float32]) -> None:
    """Replace a float32 vector by the weighted mean over all learners. Their weights add up to 1."""
    tensor = torch.from_numpy(vector)
    tensor *= weight
    torch.distributed.all_reduce(tensor)
