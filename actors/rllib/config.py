"""Configuration of the fast path: RLlib's PPOConfig, and options that RLlib has no name for."""

from __future__ import annotations

from typing import Any, Self

from ray.rllib.algorithms.ppo.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from actors.rllib.env_runner import VectorEnvRunner
from actors.rllib.learner import VectorPPOLearner
from actors.rllib.module import ActorCriticModule
from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters


class VectorPPOConfig(PPOConfig):
    """Configuration of ``VectorPPO``, which makes it: ``VectorPPO.get_default_config()``.

    Call ``options()`` last, and give the spaces to ``environment()``.
    """

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class)
        self.vector: dict[str, Any] = {
            "hyperparameters": {},
            "seed": 0,
            "env_options": (),
            "user_code": None,
            "environment_modules": (),
            "total_env_steps": None,
            "rollouts_per_iteration": 1,
            "pipeline_depth": 0,
            "kernel": "auto",
            "backend": "auto",
        }
        self.env_runners(env_runner_cls=VectorEnvRunner, create_env_on_local_worker=False, sample_timeout_s=600.0)
        self.learners(learner_class=VectorPPOLearner)
        self.learners(add_default_connectors_to_learner_pipeline=False)
        self.fault_tolerance(
            restart_failed_env_runners=True,
            delay_between_env_runner_restarts_s=0.5,
            env_runner_health_probe_timeout_s=1.0,
            env_runner_restore_timeout_s=60.0,
            max_num_env_runner_restarts=100,
        )
        self.use_kl_loss = False
        self._dont_auto_sync_env_runner_states = True

    def options(self, **options: Any) -> Self:
        """Set entries of ``vector``.

        Raises:
            TypeError: there is no such entry.
        """
        if unknown := set(options) - set(self.vector):
            raise TypeError(f"unknown options {sorted(unknown)}; there are {sorted(self.vector)}")
        self.vector = {**self.vector, **options}
        hyperparameters = Hyperparameters.of(self.vector["hyperparameters"])
        rows = hyperparameters.n_steps * self.num_envs_per_env_runner * max(1, self.num_env_runners)
        self.training(
            gamma=hyperparameters.gamma,
            lambda_=hyperparameters.gae_lambda,
            num_epochs=hyperparameters.n_epochs,
            minibatch_size=min(hyperparameters.batch_size, rows),
            train_batch_size_per_learner=rows,
        )
        spec = {"hyperparameters": self.vector["hyperparameters"], "seed": self.vector["seed"]}
        self.rl_module(rl_module_spec=RLModuleSpec(module_class=ActorCriticModule, model_config=spec))
        return self

    def get_rollout_fragment_length(self, worker_index: int = 0) -> int:  # noqa: ARG002
        return Hyperparameters.of(self.vector["hyperparameters"]).n_steps
