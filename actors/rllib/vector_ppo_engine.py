"""Fast path of the engine: trains a request with ``VectorPPO``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from actors.rllib.algorithm import VectorPPO
from rlplatform.algorithms.ppo.policy import FOLDER
from rlplatform.environments import environment_modules
from rlplatform.environments.options import EnvOptions
from rlplatform.environments.probe import describe, probe, shared_spaces
from rlplatform.environments.pulse import Pulse
from rlplatform.environments.sandboxed import registry
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import CheckpointError, InvalidRequest
from rlplatform.training.metrics import TRAIN_NAMES
from rlplatform.training.models import EvaluationReport, TrainingRequest
from rlplatform.training.request_checks import effective, envs_per_runner, total_envs

_RLLIB = "rllib"


def why_not_vector_ppo(request: TrainingRequest) -> str | None:
    """Return the reason why the fast path does not cover this request; None if it does."""
    if request.resources.num_gpus_per_learner:
        return "num_gpus_per_learner: the fast path computes on the CPU"
    return None


class VectorPPOEngine:
    """A ``VectorPPO`` for one request."""

    name = "fast"

    def __init__(self, request: TrainingRequest) -> None:
        hyperparameters, preset = effective(request)
        resources = request.resources
        envs, per_runner = total_envs(resources, preset), envs_per_runner(resources, preset)
        hyperparameters.check(envs)
        learners = max(1, resources.num_learners)
        if per_runner % learners or hyperparameters.batch_size < 2 * learners:
            raise InvalidRequest(
                f"resources.num_learners: {per_runner} environments an env runner and a batch_size of "
                f"{hyperparameters.batch_size} cannot be shared out equally among {learners} learners",
                field="resources.num_learners",
            )
        torch.set_num_threads(1)
        options = EnvOptions.of(request)
        probed = probe(request.env, request.env_config, options)
        probed.close()
        config = (
            VectorPPO.get_default_config()
            .environment(
                request.env,
                env_config=dict(request.env_config),
                observation_space=probed.single_observation_space,
                action_space=probed.single_action_space,
            )
            .env_runners(num_env_runners=resources.num_env_runners, num_envs_per_env_runner=per_runner)
            .learners(num_learners=resources.num_learners)
            .debugging(seed=request.seed, log_level="ERROR")
            .options(
                hyperparameters=hyperparameters.model_dump(mode="json"),
                seed=request.seed,
                env_options=tuple(options),
                user_code=registry.installed_for_others() if resources.num_env_runners else None,
                environment_modules=environment_modules.configured(),
                total_env_steps=request.stop.env_steps,
                pipeline_depth=resources.pipeline_depth,
                rollouts_per_iteration=hyperparameters.rollouts_per_iteration(envs),
            )
        )
        self._hyperparameters = hyperparameters
        self._preset = preset.env if preset is not None else None
        self._env = describe(request.env, probed)
        self.spaces = shared_spaces(probed.single_observation_space, probed.single_action_space)
        self._algo: VectorPPO = config.build_algo()

    @property
    def env_steps(self) -> int:
        return self._algo.env_steps

    def watch(self, pulse: Pulse) -> None:
        self._algo.pulse = pulse

    def describe(self) -> dict[str, object]:
        algo = self._algo
        learner = algo.learner_group._learner
        return {
            "preset": self._preset,
            "hyperparameters": self._hyperparameters.model_dump(mode="json"),
            "not_applied": self._hyperparameters.not_annealed(algo.options["total_env_steps"]),
            "num_env_runners": algo.config.num_env_runners,
            "num_envs_per_env_runner": algo.config.num_envs_per_env_runner,
            "rollouts_per_iteration": algo.options["rollouts_per_iteration"],
            "pipeline_depth": algo.options["pipeline_depth"],
            "env_backend": self._env["backend"],
            "environment": self._env,
            "policy_kernel": list(algo.policy.kernel),
            "update_backend": [learner.updater.backend, learner.updater.reason] if learner is not None else None,
        }

    def train(self) -> tuple[list[float], list[int], dict[str, float]]:
        algo = self._algo
        steps = algo.env_steps
        algo.train()
        metrics = {f"train/{name}": value for name, value in algo.statistics.items() if name in TRAIN_NAMES}
        metrics |= {f"time/{name}_s": seconds for name, seconds in algo.seconds.items()}
        metrics["rollout/env_steps"] = float(algo.env_steps - steps)
        return algo.returns, algo.lengths, metrics

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        return self._algo.play(episodes, seed, recorder)

    def save(self, directory: Path) -> None:
        self._algo.save_to_path(str(directory / _RLLIB))
        self._algo.policy.save(directory / FOLDER)

    def restore(self, directory: Path) -> None:
        try:
            self._algo.restore_from_path(str(directory / _RLLIB))
        except RuntimeError as error:
            raise CheckpointError(f"the checkpoint does not fit this training: {error}") from error

    def parameters(self) -> NDArray[np.float32]:
        self._algo.network.ensure_flat()
        return self._algo.network.flat_numpy

    def close(self) -> None:
        self._algo.stop()
        with suppress(OSError):  # RLlib makes a folder for logs and leaves it empty
            Path(self._algo.logdir).rmdir()
