"""PPO on whole fragments: RLlib's PPO with a different env runner, learner and training step.

RLlib provides configuration, checkpoints (``save_to_path``, ``from_checkpoint``), restarts of failed env runners,
learner groups, placement groups, and Tune. Not covered: more than one agent or module, connectors, offline data,
recurrent modules.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import ray
from numpy.typing import NDArray
from ray.exceptions import RayError
from ray.rllib.algorithms.ppo.ppo import PPO
from ray.rllib.core import ALL_MODULES, DEFAULT_AGENT_ID, DEFAULT_MODULE_ID
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    EPISODE_LEN_MEAN,
    EPISODE_RETURN_MEAN,
    LEARNER_RESULTS,
    NUM_AGENT_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_ENV_STEPS_TRAINED_LIFETIME,
    NUM_EPISODES,
)

from actors.rllib.config import VectorPPOConfig
from actors.rllib.remote_runners import RemoteRunners
from actors.rllib.rollout import split
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.normalizers import ObservationNormalizer, RewardNormalizer
from rlplatform.algorithms.ppo.policy import PPOPolicy
from rlplatform.algorithms.ppo.rollout.fragment import Fragment
from rlplatform.algorithms.ppo.schedule import progress_remaining
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.pulse import Pulse, silent
from rlplatform.environments.sandboxed import registry
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import CheckpointError, Unavailable
from rlplatform.training.models import EvaluationReport
from rlplatform.training.policy_evaluation import evaluate_policy

log = logging.getLogger(__name__)

VECTOR = "vector"


class VectorPPO(PPO):
    """PPO whose training step is ``rollouts_per_iteration`` rollouts, each followed by an update.

    It takes fewer once ``total_env_steps`` are reached. Without remote env runners and learners everything happens in
    this process, on one network. With env runners, each gets one call per rollout, and fragments go to the learners as
    object references. With ``pipeline_depth`` 1, env runners sample while the update runs, with the weights from before
    it.
    """

    @classmethod
    def get_default_config(cls) -> VectorPPOConfig:
        return VectorPPOConfig(cls)

    def setup(self, config: Any) -> None:
        super().setup(config)
        self.options: dict[str, Any] = self.config.vector
        self.hyperparameters = Hyperparameters.of(self.options["hyperparameters"])
        self.env_steps = self.episodes = 0
        self.rows = 0  # including reset rows
        self.generation = 0
        self.pulse: Pulse = silent
        self._began_at = 0
        self.returns: list[float] = []
        self.lengths: list[int] = []
        self.statistics: dict[str, float] = {}
        self.seconds = {"sample": 0.0, "update": 0.0}
        self._seq = 0
        self._weights: Any = None
        self.runners = RemoteRunners(self.env_runner_group, self.config.sample_timeout_s)
        learner = self.learner_group._learner
        if learner is not None:
            self.network: ActorCritic = learner.network
            self.env_runner.share(learner.module[DEFAULT_MODULE_ID])
        else:
            self.network = self.env_runner.module.network
        self.normalizers = self._make_normalizers()

    # -- training ------------------------------------------------------------------------------------------------------

    def training_step(self) -> None:
        """Run one iteration.

        Raises:
            Unavailable: no env runner answers, or a learner is lost. A fresh trainer may succeed.
        """
        self.returns, self.lengths = [], []
        self.seconds = {"sample": 0.0, "update": 0.0}
        self._began_at = began = self.env_steps
        trained = 0
        for _ in range(self.options["rollouts_per_iteration"]):
            if self._remote_runners:
                trained += self._step_remote()
            else:
                trained += self._step_local()
            if self.env_steps > began and not self._progress_remaining():
                break
        if self.env_steps == began:
            raise Unavailable("no environment step was taken in a whole iteration")
        self._log(self.env_steps - began, trained)

    @property
    def _remote_runners(self) -> bool:
        return bool(self.config.num_env_runners)

    def _step_local(self) -> int:
        with self._timed("sample"):
            fragment = self.env_runner.sampler.sample(self._steps(), seq=self._seq, pulse=self._rollout_pulse)
        self.rows += fragment.steps * fragment.envs
        self._count(fragment.env_steps(), fragment.episode_returns, fragment.episode_lengths)
        if self.learner_group.is_local:
            return self._update_local([fragment])
        parts = split(fragment, max(1, self.config.num_learners))
        return self._update_remote([ray.put(part) for part in parts], [part.env_steps() for part in parts])

    def _step_remote(self) -> int:
        with self._timed("sample"):
            self._request()
            rollouts = self.runners.collect(self._request, self._rollout_pulse)
        if self.options["pipeline_depth"]:
            self._request()
        for rollout in rollouts:
            registry.add_faults(rollout.faults)
            self.rows += rollout.sampled
            self._count(sum(rollout.rows), rollout.returns, rollout.lengths)
            for name, delta in rollout.deltas.items():
                self.normalizers[name].merge([delta])
        if not self.learner_group.is_local:
            pieces = max(1, self.config.num_learners)
            refs = [rollout.fragments[piece] for piece in range(pieces) for rollout in rollouts]
            rows = [sum(rollout.rows[piece] for rollout in rollouts) for piece in range(pieces)]
            return self._update_remote(refs, rows)
        fragments = []
        for rollout in rollouts:
            try:
                fragments += ray.get(rollout.fragments)
            except RayError:
                log.warning("a fragment was lost with its env runner")
        return self._update_local(fragments) if fragments else 0

    def _steps(self) -> int:
        """Return the number of steps of the next rollout.

        Rollouts have ``n_steps`` until ``total_env_steps`` rows are sampled, reset rows included. Later rollouts, which
        replace the reset rows, are as short as the missing steps and one minibatch allow.
        """
        total, n_steps = self.options["total_env_steps"], self.hyperparameters.n_steps
        if total is None or self.rows < total:
            return n_steps
        envs = self.config.num_envs_per_env_runner * max(1, self.config.num_env_runners)
        missing = max(total - self.env_steps, self.hyperparameters.batch_size)
        return min(n_steps, math.ceil(missing / envs))

    def _rollout_pulse(self, env_steps: int) -> None:
        self.pulse(self.env_steps - self._began_at + env_steps)

    def _update_local(self, fragments: list[Fragment]) -> int:
        rows = sum(fragment.env_steps() for fragment in fragments)
        if not rows:  # only reset rows
            return 0
        with self._timed("update"):
            self.statistics = self.learner_group._learner.fit(fragments, self._progress_remaining())
        self._seq += 1
        self._weights = None
        return rows

    def _update_remote(self, refs: list[ray.ObjectRef], rows: list[int]) -> int:
        if not min(rows):  # a learner has only reset rows, and all learners take the same steps
            return 0
        share = max(1, self.hyperparameters.batch_size // max(1, self.config.num_learners))
        with self._timed("update"):
            try:
                results = self.learner_group.update(
                    batch_refs=refs,
                    progress_remaining=self._progress_remaining(),
                    total_rows=sum(rows),
                    minibatches_per_epoch=min(math.ceil(max(rows) / share), min(rows)),
                )
                self.metrics.aggregate(results, key=LEARNER_RESULTS)
                self._fetch_weights()
            except RayError as error:
                raise Unavailable(f"a learner is lost: {error}") from error
        self.statistics = {
            name: float(np.mean([result[DEFAULT_MODULE_ID][name].peek() for result in results]))
            for name in results[0][DEFAULT_MODULE_ID]
        }
        return sum(rows)

    def _fetch_weights(self) -> None:
        first = self.learner_group._worker_manager.actor_ids()[:1]
        answers = self.learner_group.foreach_learner(lambda learner: learner.weights(), remote_actor_ids=first)
        self._seq, weights = next(iter(answers)).get()
        self.network.ensure_flat()
        self.network.flat_numpy[:] = weights
        self._weights = None

    def _progress_remaining(self) -> float:
        return progress_remaining(self.env_steps, self.options["total_env_steps"])

    # -- remote env runners --------------------------------------------------------------------------------------------

    def _request(self) -> None:
        """Ask each idle env runner for a rollout with the current weights."""
        if self._weights is None:
            self.network.ensure_flat()
            self._weights = ray.put(self.network.flat_numpy.copy())
        self.runners.ask(
            weights=self._weights,
            seq=self._seq,
            steps=self._steps(),
            pieces=max(1, self.config.num_learners),
            generation=self.generation,
            normalizers={name: normalizer.get_state() for name, normalizer in self.normalizers.items()},
        )

    def restore_env_runners(self, env_runner_group: Any) -> list[int]:  # noqa: ARG002
        """Use restarted env runners at once, without synchronising them: each rollout request carries the weights."""
        return self.runners.restore()

    def _make_normalizers(self) -> dict[str, Any]:
        """Return the local sampler's normalisers, or new ones to merge those of the env runners into."""
        if not self._remote_runners:
            sampler = self.env_runner.sampler
            found = {"norm_obs": sampler.norm_obs, "norm_reward": sampler.norm_reward}
            return {name: normalizer for name, normalizer in found.items() if normalizer is not None}
        hyperparameters, encoder = self.hyperparameters, self.network.encoder
        made: dict[str, Any] = {}
        if hyperparameters.norm_obs and not encoder.image:
            made["norm_obs"] = ObservationNormalizer(encoder.shape, clip=hyperparameters.normalize.clip_obs)
        if hyperparameters.norm_reward:
            made["norm_reward"] = RewardNormalizer(1, hyperparameters.gamma, clip=hyperparameters.normalize.clip_reward)
        return made

    # -- evaluation ----------------------------------------------------------------------------------------------------

    @property
    def policy(self) -> PPOPolicy:
        """Return the current deterministic policy."""
        spaces = self.config.observation_space, self.config.action_space
        return PPOPolicy(self.network, self.hyperparameters, *spaces, self.normalizers.get("norm_obs"))

    def play(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        """Run exactly ``episodes`` episodes of the deterministic policy on separate environments."""
        options = EnvOptions(*self.options["env_options"])
        return evaluate_policy(
            self.policy,
            self.config.env,
            self.config.env_config,
            episodes,
            seed,
            self.pulse,
            options=options,
            recorder=recorder,
        )

    def evaluate(self, parallel_train_future: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Evaluate for RLlib: run ``evaluation_duration`` episodes with :meth:`play`."""
        report = self.play(self.config.evaluation_duration, self.options["seed"])
        return {
            ENV_RUNNER_RESULTS: {
                EPISODE_RETURN_MEAN: report.episode_return_mean,
                EPISODE_LEN_MEAN: report.episode_length_mean,
                NUM_EPISODES: report.episodes,
            }
        }

    # -- checkpoints ---------------------------------------------------------------------------------------------------

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        state = super().get_state(components, not_components=not_components, **kwargs)
        state[VECTOR] = {
            "env_steps": self.env_steps,
            "rows": self.rows,
            "episodes": self.episodes,
            "generation": self.generation,
            "activation_fn": self.network.architecture.activation,
            "normalizers": {name: normalizer.get_state() for name, normalizer in self.normalizers.items()},
        }
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        if VECTOR in state:
            ours = state[VECTOR]
            if ("norm_obs" in ours["normalizers"]) != ("norm_obs" in self.normalizers):
                saw = "normalised" if "norm_obs" in ours["normalizers"] else "raw"
                raise CheckpointError(
                    f"hyperparameters.normalize: the checkpoint's policy acts on {saw} observations, this training's "
                    "would not"
                )
            activation = self.network.architecture.activation
            if (theirs := ours.get("activation_fn", activation)) != activation:
                field = "hyperparameters.policy_kwargs.activation_fn"
                raise CheckpointError(
                    f"{field}: the checkpoint's network is of {theirs}, this training's of {activation}"
                )
            self.env_steps, self.episodes = ours["env_steps"], ours["episodes"]
            self.rows = ours.get("rows", self.env_steps)
            self.generation = ours["generation"] + 1
            for name, normalizer in self.normalizers.items():
                if name in ours["normalizers"]:
                    normalizer.set_state(ours["normalizers"][name])
        self._resync()

    def restore_from_path(self, path: Any, *args: Any, **kwargs: Any) -> None:
        super().restore_from_path(path, *args, **kwargs)
        self._resync()

    def _resync(self) -> None:
        """Use the learner's weights after a restore, and drop everything sampled before it."""
        if not self.learner_group.is_local:
            self._fetch_weights()
        else:
            self._seq = self.learner_group._learner._weights_seq_no
        self._weights = None
        self.runners.drain(self._request)

    # -- counters ------------------------------------------------------------------------------------------------------

    def _count(self, steps: int, returns: NDArray[np.float64], lengths: NDArray[np.int64]) -> None:
        self.env_steps += steps
        self.episodes += len(returns)
        self.returns += returns.tolist()
        self.lengths += lengths.tolist()

    def _log(self, sampled: int, trained: int) -> None:
        """Log the results that RLlib itself and Tune look for."""
        metrics, runners = self.metrics, ENV_RUNNER_RESULTS
        metrics.log_value((runners, NUM_ENV_STEPS_SAMPLED), sampled, reduce="sum")
        metrics.log_value((runners, NUM_AGENT_STEPS_SAMPLED, DEFAULT_AGENT_ID), sampled, reduce="sum")
        metrics.log_value((runners, NUM_ENV_STEPS_SAMPLED_LIFETIME), sampled, reduce="lifetime_sum")
        metrics.log_value((runners, NUM_EPISODES), len(self.returns), reduce="sum")
        for episode_return, length in zip(self.returns, self.lengths, strict=True):
            metrics.log_value((runners, EPISODE_RETURN_MEAN), episode_return, window=100)
            metrics.log_value((runners, EPISODE_LEN_MEAN), length, window=100)
        if self.learner_group.is_local:
            metrics.log_dict(self.statistics, key=(LEARNER_RESULTS, DEFAULT_MODULE_ID), window=1)
            name = NUM_ENV_STEPS_TRAINED_LIFETIME
            metrics.log_value((LEARNER_RESULTS, ALL_MODULES, name), trained, reduce="lifetime_sum")

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - began
