"""Env runner of the fast path: a sampler behind RLlib's EnvRunner interface."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray.rllib.core import COMPONENT_RL_MODULE, DEFAULT_AGENT_ID, DEFAULT_MODULE_ID
from ray.rllib.env import INPUT_ENV_SINGLE_SPACES, INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.metrics import (
    EPISODE_LEN_MEAN,
    EPISODE_RETURN_MEAN,
    NUM_AGENT_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_EPISODES,
    WEIGHTS_SEQ_NO,
)

from actors.rllib.module import ActorCriticModule
from actors.rllib.rollout import Rollout, split
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.algorithms.ppo.sampler import Sampler
from rlplatform.environments import environment_modules
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.sandboxed import registry

SAMPLER = "sampler"


class VectorEnvRunner(EnvRunner, Checkpointable):
    """Samples fragments from one vector environment, which is made when it is first needed."""

    def __init__(self, *, config: Any, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        torch.set_num_threads(1)
        self._options = self.config.vector
        environment_modules.configure(self._options["environment_modules"])
        if self.worker_index and (installed := self._options["user_code"]) is not None:
            registry.install(*installed[:2], budget=installed[2])
        self.hyperparameters = Hyperparameters.of(self._options["hyperparameters"])
        self.module: ActorCriticModule
        self.make_module()
        self._generation = 0  # of the algorithm, which counts restores
        self._life = 0  # counts restarts of this env runner alone; each one uses other seeds
        if self.worker_index and ray.get_runtime_context().was_current_actor_reconstructed:
            self._life = 256 + os.urandom(1)[0]
        self._sampler: Sampler | None = None
        self._weights_seq_no = 0
        self._returns: list[float] = []
        self._lengths: list[int] = []

    # -- called by RLlib -----------------------------------------------------------------------------------------------

    def make_module(self) -> None:
        self.module = self.config.get_rl_module_spec(spaces=self.get_spaces(), inference_only=True).build()

    def make_env(self) -> None:
        """Start again in new environments."""
        self.stop()
        self._sampler = None

    def assert_healthy(self) -> None:
        assert self.sampler is not None

    def get_spaces(self) -> dict[str, Any]:
        spaces = self.config.observation_space, self.config.action_space
        return {INPUT_ENV_SPACES: spaces, INPUT_ENV_SINGLE_SPACES: spaces, DEFAULT_MODULE_ID: spaces}

    def sample(
        self,
        *,
        num_timesteps: int | None = None,
        num_episodes: int | None = None,
        force_reset: bool = False,
        **_: Any,
    ) -> list[Fragment]:
        """Sample for RLlib: one rollout, or as many as end ``num_episodes`` episodes.

        Actions are always exploratory.
        """
        if force_reset:
            self.make_env()
        if num_episodes is None:
            steps = (
                self.hyperparameters.n_steps
                if num_timesteps is None
                else math.ceil(num_timesteps / self.sampler.num_envs)
            )
            return [self._record(self.sampler.sample(steps, seq=self._weights_seq_no))]
        fragments: list[Fragment] = []
        while sum(len(fragment.episode_returns) for fragment in fragments) < num_episodes:
            fragments.append(self._record(self.sampler.sample(32, seq=self._weights_seq_no)))
        return fragments

    def get_metrics(self) -> Any:
        window = self.config.metrics_num_episodes_for_smoothing
        for episode_return, length in zip(self._returns[-window:], self._lengths[-window:], strict=True):
            self.metrics.log_value(EPISODE_RETURN_MEAN, episode_return, window=window)
            self.metrics.log_value(EPISODE_LEN_MEAN, length, window=window)
        self._returns.clear()
        self._lengths.clear()
        return self.metrics.reduce()

    def stop(self) -> None:
        if self._sampler is not None:
            self._sampler.close()

    # -- called by VectorPPO -------------------------------------------------------------------------------------------

    @property
    def sampler(self) -> Sampler:
        """The sampler, made at its first use."""
        if self._sampler is None:
            self._sampler = Sampler(
                self.module.network,
                self.hyperparameters,
                self.config.env,
                self.config.env_config,
                self.config.num_envs_per_env_runner,
                seed=self._options["seed"],
                worker=self.worker_index or 0,
                generation=self._generation + self._life,
                kernel=self._options["kernel"],
                options=EnvOptions(*self._options["env_options"]),
            )
        return self._sampler

    def share(self, module: ActorCriticModule) -> None:
        """Act with the learner's own module, so that no weights are ever copied."""
        self.module = module
        self.make_env()

    def rollout(
        self,
        weights: NDArray[np.float32],
        seq: int,
        pieces: int,
        generation: int,
        normalizers: dict[str, dict[str, Any]],
        steps: int | None = None,
    ) -> Rollout:
        """Set weights and normalisers, sample, and put the fragment into the object store, in ``pieces``.

        If the environment raises, the next rollout starts in new environments with other seeds.

        Args:
            weights: All parameters [P].
            seq: Sequence number of the weights.
            pieces: Number of learners.
            generation: Number of restores of the algorithm; a new one starts new environments.
            normalizers: States of the normalisers, by name.
            steps: Steps per environment; ``n_steps`` if None.
        """
        network = self.module.network
        network.ensure_flat()
        network.flat_numpy[:] = weights
        if generation != self._generation:
            self._generation = generation
            self.make_env()
        try:
            for name, state in normalizers.items():
                getattr(self.sampler, name).set_state(state)
            fragment = self.sampler.sample(steps or self.hyperparameters.n_steps, seq=seq)
        except Exception:
            self._life += 1
            self.make_env()
            raise
        parts = split(fragment, pieces)
        return Rollout(
            [ray.put(part) for part in parts],
            [part.env_steps() for part in parts],
            fragment.episode_returns,
            fragment.episode_lengths,
            {name: getattr(self.sampler, name).pop_delta() for name in normalizers},
            fragment.steps * fragment.envs,
            list(registry.faults().pop()),
        )

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[()], dict[str, Any]]:
        return (), {"config": self.config}

    def get_checkpointable_components(self) -> list[tuple[str, Any]]:
        return [(COMPONENT_RL_MODULE, self.module)]

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        state: dict[str, Any] = {NUM_ENV_STEPS_SAMPLED_LIFETIME: self.num_env_steps_sampled_lifetime}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(**kwargs)
            state[WEIGHTS_SEQ_NO] = self._weights_seq_no
        if self._sampler is not None and self._check_component(SAMPLER, components, not_components):
            state[SAMPLER] = self._sampler.get_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore the state, even if its weights have a lower sequence number than the current ones."""
        if COMPONENT_RL_MODULE in state:
            weights = state[COMPONENT_RL_MODULE]
            weights = ray.get(weights) if isinstance(weights, ray.ObjectRef) else weights
            self.module.set_state(weights.get(DEFAULT_MODULE_ID, weights))
            self._weights_seq_no = state.get(WEIGHTS_SEQ_NO, 0)
        if SAMPLER in state and self._samples_here:
            self.sampler.set_state(state[SAMPLER])
        if NUM_ENV_STEPS_SAMPLED_LIFETIME in state:
            self.num_env_steps_sampled_lifetime = state[NUM_ENV_STEPS_SAMPLED_LIFETIME]

    @property
    def _samples_here(self) -> bool:
        return bool(self.worker_index) or self.config.num_env_runners == 0

    def _record(self, fragment: Fragment) -> Fragment:
        steps = fragment.env_steps()
        self.num_env_steps_sampled_lifetime += steps
        self._returns += fragment.episode_returns.tolist()
        self._lengths += fragment.episode_lengths.tolist()
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED, steps, reduce="sum")
        self.metrics.log_value((NUM_AGENT_STEPS_SAMPLED, DEFAULT_AGENT_ID), steps, reduce="sum")
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED_LIFETIME, steps, reduce="lifetime_sum")
        self.metrics.log_value(NUM_EPISODES, len(fragment.episode_returns), reduce="sum")
        return fragment
