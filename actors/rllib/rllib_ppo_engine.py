"""RLlib's own PPO, for requests that the fast path does not cover: GPUs, and observations of several parts.

Stable-Baselines3's hyperparameters are translated as far as RLlib has them; ``describe()["not_applied"]`` lists the
others. Not deterministic: RLlib samples from process-wide random generators.
"""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.connectors.env_to_module import FlattenObservations
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_RL_MODULE, DEFAULT_MODULE_ID
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, LEARNER_RESULTS, NUM_ENV_STEPS_SAMPLED, WEIGHTS_SEQ_NO
from ray.tune.registry import register_env

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.schedule import Schedule
from rlplatform.environments import environment_modules
from rlplatform.environments.faults import environment_errors
from rlplatform.environments.options import EnvOptions, split_config
from rlplatform.environments.probe import describe, probe, shared_spaces
from rlplatform.environments.pulse import Pulse, silent
from rlplatform.environments.spaces import FlatSpace
from rlplatform.environments.vector_env import TimeLimit
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.training.models import EvaluationReport, TrainingRequest
from rlplatform.training.request_checks import effective, envs_per_runner, total_envs

_FILE = "stock.json"
_RETURNS, _LENGTHS = "finished_episode_returns", "finished_episode_lengths"
_NAMES = {
    "policy_loss": "policy_gradient_loss",
    "vf_loss": "value_loss",
    "mean_kl_loss": "approx_kl",
    "vf_explained_var": "explained_variance",
    "total_loss": "loss",
    "default_optimizer_learning_rate": "learning_rate",
}


def log_episode(*, episode: Any, env_runner: Any, metrics_logger: Any, **_: Any) -> None:
    """Log return and length of an episode: RLlib's callback at its end. RLlib itself keeps only means.

    For an episode that started in an earlier rollout, ``episode`` is only its last piece; the learner has extended the
    others.
    """
    pieces = [*env_runner._ongoing_episodes_for_metrics.get(episode.id_, []), episode]
    metrics_logger.log_value(_RETURNS, float(sum(piece.get_return() for piece in pieces)), reduce="item_series")
    metrics_logger.log_value(_LENGTHS, int(episode.t), reduce="item_series")


class _Watched:
    """Pulse of the engine in this process. It is global, because RLlib's callbacks are plain functions."""

    pulse: Pulse = staticmethod(silent)
    env_steps = 0


def take_step(**_: Any) -> None:
    """Count a step of an environment: RLlib's callback after each one."""
    _Watched.env_steps += 1
    _Watched.pulse(_Watched.env_steps)


def flatten(env: Any = None, spaces: Any = None, device: Any = None) -> Any:  # noqa: ARG001
    """Return the connector that flattens observations into one vector: a hook of RLlib."""
    return FlattenObservations()


class RllibPPOEngine:
    """RLlib's ``PPO`` for one request."""

    name = "stock"

    def __init__(self, request: TrainingRequest) -> None:
        """Build the algorithm for ``request``.

        Raises:
            InvalidRequest: only EnvPool has the environment; RLlib steps Gymnasium's.
        """
        if environment_modules.split(request.env)[1] not in gym.registry:
            raise InvalidRequest(
                f"env: RLlib's own PPO needs an environment of Gymnasium, not {request.env}", field="env"
            )
        self._hyperparameters, preset = effective(request)
        self._hyperparameters.check(total_envs(request.resources, preset))
        options = EnvOptions.of(request)._replace(backend="gymnasium")  # RLlib makes its copies with Gymnasium
        probed = probe(request.env, request.env_config, options)
        probed.close()
        self._env = describe(request.env, probed)
        self.spaces = shared_spaces(probed.single_observation_space, probed.single_action_space)
        per_runner = envs_per_runner(request.resources, preset)
        envs = total_envs(request.resources, preset)
        both = probed.single_observation_space, probed.single_action_space
        self._config = _config(request, self._hyperparameters, *both, per_runner, envs)
        self._total_env_steps = request.stop.env_steps
        with _quiet_gymnasium():
            self._algo: PPO = self._config.copy(copy_frozen=False).build_algo()
        self.env_steps = 0

    def watch(self, pulse: Pulse) -> None:
        _Watched.pulse = staticmethod(pulse)

    def describe(self) -> dict[str, object]:
        return {
            "hyperparameters": self._hyperparameters.model_dump(mode="json"),
            "not_applied": _not_applied(self._hyperparameters, self._total_env_steps),
            "num_env_runners": self._config.num_env_runners,
            "num_envs_per_env_runner": self._config.num_envs_per_env_runner,
            "env_backend": "sync",
            "environment": self._env | {"backend": "sync"},
        }

    def train(self) -> tuple[list[float], list[int], dict[str, float]]:
        _Watched.env_steps = 0
        with environment_errors():
            result = self._algo.train()
        sampled = result[ENV_RUNNER_RESULTS]
        steps = int(sampled.get(NUM_ENV_STEPS_SAMPLED, 0))
        if not steps:
            raise Unavailable("no environment step was taken in a whole iteration")
        self.env_steps += steps
        learned = result[LEARNER_RESULTS][DEFAULT_MODULE_ID]
        metrics = {f"train/{ours}": float(learned[theirs]) for theirs, ours in _NAMES.items() if theirs in learned}
        metrics["train/entropy_loss"] = -float(learned["entropy"])
        return _series(sampled, _RETURNS), _series(sampled, _LENGTHS), metrics

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:  # noqa: ARG002
        config = self._config.copy(copy_frozen=False).debugging(seed=seed)
        config.env_runners(num_env_runners=0, num_envs_per_env_runner=1, explore=False)
        _Watched.env_steps = 0
        with _own_random_numbers(), environment_errors(), _quiet_gymnasium():
            runner = SingleAgentEnvRunner(config=config, worker_index=0)
            try:
                runner.set_state({COMPONENT_RL_MODULE: self._algo.get_module().get_state(), WEIGHTS_SEQ_NO: 0})
                played = runner.sample(num_episodes=episodes, explore=False, force_reset=True)
            finally:
                runner.stop()
        returns = [float(episode.get_return()) for episode in played]
        return EvaluationReport(
            episodes=len(returns),
            episode_return_mean=float(np.mean(returns)),
            episode_return_std=float(np.std(returns)),
            episode_return_min=min(returns),
            episode_return_max=max(returns),
            episode_length_mean=float(np.mean([len(episode) for episode in played])),
        )

    def save(self, directory: Path) -> None:
        self._algo.save_to_path(str(directory))
        (directory / _FILE).write_text(json.dumps({"env_steps": self.env_steps}))

    def restore(self, directory: Path) -> None:
        self.env_steps = json.loads((directory / _FILE).read_text())["env_steps"]
        self._algo.restore_from_path(str(directory))
        self._force_weights()

    def parameters(self) -> NDArray[np.float32]:
        state = self._learned_state()
        return np.concatenate([np.ravel(state[name]) for name in sorted(state)])

    def close(self) -> None:
        _Watched.pulse = staticmethod(silent)
        self._algo.stop()
        with suppress(OSError):  # RLlib makes a folder for logs and leaves it empty
            Path(self._algo.logdir).rmdir()

    def _learned_state(self) -> dict[str, Any]:
        """Return the state of the learner's module, including the critic."""
        found = self._algo.learner_group.get_state(components=f"{COMPONENT_LEARNER}/{COMPONENT_RL_MODULE}")
        return dict(found[COMPONENT_LEARNER][COMPONENT_RL_MODULE][DEFAULT_MODULE_ID])

    def _force_weights(self) -> None:
        """Send the weights to the env runners with sequence number 0, which they always accept.

        After a restore RLlib would leave env runners on weights with a higher number.
        """
        state = {COMPONENT_RL_MODULE: self._learned_state(), WEIGHTS_SEQ_NO: 0}
        self._algo.env_runner_group.foreach_env_runner("set_state", kwargs={"state": state}, local_env_runner=False)
        self._algo.env_runner.set_state(state)


def make_single(
    modules: Sequence[str], env: str, env_config: Mapping[str, Any], max_episode_steps: int | None, _context: Any
) -> gym.Env[Any, Any]:
    """Make one environment: RLlib's hook, called in any process."""
    environment_modules.configure(modules)
    environment_modules.import_all()
    own = gym.spec(env).max_episode_steps
    return gym.make(env, max_episode_steps=TimeLimit.of(max_episode_steps, own).steps, **env_config)


def _register(request: TrainingRequest) -> str:
    """Register the request's environment with RLlib; return its name there."""
    config, options, _ = split_config(request.env_config, EnvOptions.of(request))
    _, env = environment_modules.split(request.env)
    name = f"rlp:{env}"
    modules = environment_modules.configured()
    register_env(name, partial(make_single, modules, env, config, options.max_episode_steps))
    return name


def _series(results: dict[str, Any], name: str) -> list[Any]:
    """Return a logged series; empty where RLlib replaces an empty one by NaN."""
    found = results.get(name)
    return list(found) if isinstance(found, list) else []


def _config(
    request: TrainingRequest,
    hyperparameters: Hyperparameters,
    space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    per_runner: int,
    envs: int,
) -> PPOConfig:
    resources, total = request.resources, request.stop.env_steps
    rows = hyperparameters.n_steps * envs
    learners = max(1, resources.num_learners)
    if hyperparameters.batch_size < 2 * learners:
        raise InvalidRequest(
            f"resources.num_learners: a batch_size of {hyperparameters.batch_size} cannot be shared out among "
            f"{learners} learners",
            field="resources.num_learners",
        )
    policy = hyperparameters.architecture(image=False)
    config = (
        PPOConfig()
        .environment(_register(request), env_config={}, normalize_actions=False, clip_actions=True)
        .env_runners(
            num_env_runners=resources.num_env_runners,
            num_envs_per_env_runner=per_runner,
            rollout_fragment_length=hyperparameters.n_steps,
        )
        .learners(num_learners=resources.num_learners, num_gpus_per_learner=resources.num_gpus_per_learner)
        .training(
            lr=_annealed(hyperparameters.learning_rate, total),
            gamma=hyperparameters.gamma,
            lambda_=hyperparameters.gae_lambda,
            train_batch_size_per_learner=rows // learners,
            minibatch_size=min(hyperparameters.batch_size, rows) // learners,
            num_epochs=hyperparameters.n_epochs,
            clip_param=hyperparameters.clip_range.initial,
            vf_clip_param=1e9,
            vf_loss_coeff=hyperparameters.vf_coef,
            entropy_coeff=hyperparameters.ent_coef,
            grad_clip=hyperparameters.max_grad_norm,
            grad_clip_by="global_norm",
            use_kl_loss=False,
        )
        .fault_tolerance(
            restart_failed_env_runners=True,
            delay_between_env_runner_restarts_s=0.5,
            env_runner_health_probe_timeout_s=5.0,
            env_runner_restore_timeout_s=60.0,
        )
        .callbacks(on_episode_end=log_episode, on_episode_step=take_step)
        .debugging(seed=request.seed, log_level="ERROR")
    )
    flat = isinstance(space, FlatSpace)  # RLlib's own copies return observations in parts
    vector = isinstance(space, spaces.Box) and len(space.shape) == 1
    if flat or not (vector or (isinstance(space, spaces.Box) and len(space.shape) == 3)):
        config.env_runners(env_to_module_connector=flatten)
    if not isinstance(space, spaces.Box) or vector:
        config.rl_module(
            model_config=DefaultModelConfig(
                fcnet_hiddens=list(policy.pi),
                fcnet_activation=policy.activation,
                vf_share_layers=policy.shared_critic,
                free_log_std=isinstance(action_space, spaces.Box),
            )
        )
    return config


def _annealed(schedule: Schedule, total: int | None) -> float | list[list[float]]:
    if not schedule.linear or total is None:
        return schedule.initial
    return [[0, schedule.initial], [total, 0.0]]


def _not_applied(hyperparameters: Hyperparameters, total_env_steps: int | None) -> list[str]:
    """Return the requested hyperparameters that RLlib's PPO does not have."""
    kwargs = hyperparameters.policy_kwargs
    missing = {
        "clip_range: stays at its initial value": hyperparameters.clip_range.linear,
        "clip_range_vf": hyperparameters.clip_range_vf is not None,
        "target_kl": hyperparameters.target_kl is not None,
        "use_sde": hyperparameters.use_sde,
        "normalize": hyperparameters.norm_obs or hyperparameters.norm_reward,
        "normalize_advantage: over the whole batch": True,
        "policy_kwargs.ortho_init": kwargs.ortho_init,
        "policy_kwargs.log_std_init": bool(kwargs.log_std_init),
        "policy_kwargs.net_arch.vf: as pi": kwargs.net_arch is not None and kwargs.net_arch.vf != kwargs.net_arch.pi,
    }
    not_annealed = [name for name in hyperparameters.not_annealed(total_env_steps) if name.startswith("learning_rate")]
    return not_annealed + [name for name, asked in missing.items() if asked]


@contextmanager
def _quiet_gymnasium() -> Iterator[None]:
    """Suppress the warning that RLlib registers the same id again."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Overriding environment rllib-single-agent-env.*")
        yield


@contextmanager
def _own_random_numbers() -> Iterator[None]:
    """Restore the state of the process-wide generators afterwards."""
    kept = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
        torch.set_rng_state(kept[2])
