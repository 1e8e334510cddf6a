"""Sampler: steps its environments with the current policy, and returns the steps as fragments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.algorithms.ppo.backends.acting_backend import KernelName
from rlplatform.algorithms.ppo.backends.selection import make_acting_backend
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.normalizers import ObservationNormalizer, RewardNormalizer
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.faults import environment_errors
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.environments.pulse import Pulse
from rlplatform.environments.seeds import generator, training_seeds
from rlplatform.environments.vector_env import VectorEnv

PULSE_S = 0.25


class Sampler:
    """``num_envs`` environments, the network that acts in them, and the normalisers.

    The network is shared and never changed here. ``worker`` and ``generation`` make the random numbers differ from
    those of other samplers, and from those of the same sampler before a restart.
    """

    def __init__(
        self,
        network: ActorCritic,
        hyperparameters: Hyperparameters,
        env: str,
        env_config: Mapping[str, Any],
        num_envs: int,
        *,
        seed: int,
        worker: int = 0,
        generation: int = 0,
        kernel: KernelName = "auto",
        options: EnvOptions = DEFAULT_OPTIONS,
    ) -> None:
        """Make the environments and the acting kernel.

        Raises:
            InvalidRequest: the environment cannot be made, or the kernel is not available.
        """
        self.network = network
        self.num_envs = num_envs
        self._hyperparameters = hyperparameters
        self._env_id, self._env_config, self._options = env, env_config, options
        self._seed, self._worker, self._generation = seed, worker, generation
        rng = generator(seed, worker, generation)
        self.kernel = make_acting_backend(network, rng, prefer=kernel, sde_sample_freq=hyperparameters.sde_sample_freq)
        normalize = hyperparameters.normalize
        self.norm_obs = (
            ObservationNormalizer(network.encoder.shape, clip=normalize.clip_obs)
            if normalize.norm_obs and not network.encoder.image
            else None
        )
        self.norm_reward = (
            RewardNormalizer(num_envs, hyperparameters.gamma, clip=normalize.clip_reward)
            if normalize.norm_reward
            else None
        )
        self._obs: NDArray[Any] = np.empty(0)
        self._done = np.zeros(num_envs, np.bool_)
        self._returns = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, np.int64)
        self._torn = False
        self.env = self._make_env()
        self._begin()

    def sample(self, steps: int, *, seq: int = 0, pulse: Pulse | None = None) -> Fragment:
        """Take ``steps`` steps in each environment, continuing from the last fragment.

        Args:
            steps: Rows of the fragment.
            seq: Sequence number of the weights.
            pulse: Called about every ``PULSE_S`` seconds with the steps taken so far. An exception that it raises ends
                the
                rollout.

        Raises:
            EngineError: the environment raised an exception, ``SystemExit`` included; describes it.
        """
        self._torn = True
        with environment_errors():
            fragment = self._sample(steps, seq, pulse)
        self._torn = False
        return fragment

    def _sample(self, steps: int, seq: int, pulse: Pulse | None) -> Fragment:
        fragment = Fragment.empty(
            steps, self.num_envs, self.network.encoder, self.network.head, autoreset=self.env.autoreset, seq=seq
        )
        next_step = self.env.autoreset == "next_step"
        encode, to_env, step_env = self.network.encoder, self.network.head.to_env, self.env.step
        norm_obs, norm_reward, act_at = self.norm_obs, self.norm_reward, self.kernel.act_at
        obs, rewards, valid = fragment.obs, fragment.rewards, fragment.valid
        running_returns, running_lengths, done = self._returns, self._lengths, self._done
        returns: list[float] = []
        lengths: list[int] = []
        finals: list[tuple[Any, Any]] = []
        obs[0] = self._obs
        self.kernel.begin(fragment)
        due = monotonic() + PULSE_S if pulse is not None else math.inf
        for t in range(steps):
            if (now := monotonic()) >= due and pulse is not None:
                due = now + PULSE_S
                pulse(t * self.num_envs)
            if next_step:
                np.logical_not(done, out=valid[t])
            step = step_env(to_env(act_at(t)))
            fragment.terminated[t] = step.terminated
            fragment.truncated[t] = step.truncated
            done = np.logical_or(step.terminated, step.truncated)
            ended = done.any()
            running_returns += step.rewards if step.scores is None else step.scores
            running_lengths += valid[t]
            if norm_reward is None:
                rewards[t] = step.rewards
            else:
                norm_reward(step.rewards, done, valid=valid[t] if next_step else None, out=rewards[t])
            if norm_obs is None:
                encode(step.obs, out=obs[t + 1])
            else:
                norm_obs(encode(step.obs), out=obs[t + 1], update=~done if next_step and ended else True)
            if ended:
                which = np.flatnonzero(done if step.over is None else step.over)
                returns += running_returns[which].tolist()
                lengths += running_lengths[which].tolist()
                running_returns[which] = 0.0
                running_lengths[which] = 0
                if step.finals is not None:
                    encoded = encode(step.finals[0])
                    if norm_obs is not None:
                        encoded = norm_obs(encoded, update=False)
                    finals.append((encoded, [(t, env) for env in step.finals[1]]))
        self._obs, self._done = obs[steps].copy(), done
        fragment.set_episodes(returns, lengths)
        if finals:
            fragment.set_finals(np.concatenate([f[0] for f in finals]), np.concatenate([f[1] for f in finals]))
        return fragment

    def get_state(self) -> dict[str, Any]:
        """Return the state without the network: environments (if they can be saved), generators, normalisers, open
        episodes.

        After an interrupted rollout the environments are ahead of the other state. They are left out, and will be
        reset.
        """
        return {
            "env": None if self._torn else self.env.get_state(),
            "made_as": self._made_as,
            "seed": self._seed,
            "generation": self._generation,
            "rng": self.kernel.rng.bit_generator.state,
            "obs": self._obs,
            "done": self._done,
            "returns": self._returns,
            "lengths": self._lengths,
            "norm_obs": self.norm_obs.get_state() if self.norm_obs else None,
            "norm_reward": self.norm_reward.get_state() if self.norm_reward else None,
            "discounted_returns": self.norm_reward.returns if self.norm_reward else None,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from the result of :meth:`get_state`.

        Environments that could not be saved, or were made with other options, are reset with seeds not used before. If
        the seed has changed, the generators are seeded again, too.
        """
        if self.norm_obs and state["norm_obs"]:
            self.norm_obs.set_state(state["norm_obs"])
        if self.norm_reward and state["norm_reward"]:
            self.norm_reward.set_state(state["norm_reward"])
        same_seed = state.get("seed") == self._seed
        if same_seed:
            self.kernel.rng.bit_generator.state = state["rng"]
        alike = len(state["done"]) == self.num_envs and state.get("made_as") == self._made_as
        whole = same_seed and alike and state["env"] is not None
        self._generation = int(state["generation"]) + (not whole)
        if not whole:
            self.env.close()
            self.env = self._make_env()
            self._begin()
            return
        self.env.set_state(state["env"])
        self._obs, self._done = state["obs"].copy(), state["done"].copy()
        self._returns, self._lengths = state["returns"].copy(), state["lengths"].copy()
        if self.norm_reward and state["discounted_returns"] is not None:
            self.norm_reward.returns[:] = state["discounted_returns"]

    def close(self) -> None:
        """Close the environments. Idempotent."""
        self.env.close()

    @property
    def _made_as(self) -> tuple[Any, ...]:
        backend, limit, wrappers = self._options
        made_as = (self._env_id, dict(self._env_config), backend, limit)
        return (*made_as, list(map(dict, wrappers))) if wrappers else made_as

    def _make_env(self) -> VectorEnv:
        seeds = training_seeds(self._seed, self._worker, self._generation, self.num_envs)
        with environment_errors():
            return make_vector_env(self._env_id, self._env_config, seeds, options=self._options)

    def _begin(self) -> None:
        with environment_errors():
            raw = self.network.encoder(self.env.reset())
        self._obs = self.norm_obs(raw) if self.norm_obs else np.array(raw)
        for running in (self._done, self._returns, self._lengths):
            running[:] = 0
        if self.norm_reward:
            self.norm_reward.reset()
