"""Stable-Baselines3's PPO on a preset: what the peer reaches on the same environments, for scores to be compared with.

Environments are ours (EnvPool or Gymnasium, as ``make_vector_env`` chooses), one copy each behind Gymnasium's face;
evaluation is deterministic with the normaliser frozen, on environments of the same seeds as ours.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from rlplatform.algorithms.ppo.presets import Preset, resolve
from rlplatform.algorithms.ppo.schedule import Schedule
from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.seeds import evaluation_seeds

EVALUATION_ENVS = 16
_ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


class OneCopy(gym.Env[Any, Any]):
    """One copy of a vector environment as a plain one: NEXT_STEP's reset step is what ``reset`` does."""

    def __init__(self, env: str, seed: int) -> None:
        self._envs = make_vector_env(env, {}, [seed])
        self.observation_space = self._envs.single_observation_space
        self.action_space = self._envs.single_action_space
        self._done: bool | None = None
        self._action: Any = np.zeros((1, *(self.action_space.shape or ())), self.action_space.dtype)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if self._done is None:
            obs = self._envs.reset()
        else:
            assert self._done, "episodes are played to their end"
            obs = self._envs.step(self._action).obs
        self._done = False
        return np.array(obs[0]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._action = np.asarray(action, self.action_space.dtype)[None]
        step = self._envs.step(self._action)
        terminated, truncated = bool(step.terminated[0]), bool(step.truncated[0])
        self._done = terminated or truncated
        return np.array(step.obs[0]), float(step.rewards[0]), terminated, truncated, {}

    def close(self) -> None:
        self._envs.close()


def train(preset: Preset, seed: int, episodes: int) -> dict[str, Any]:
    """Train for the preset's n_timesteps and evaluate; the fields of a row of ppo_scores."""
    torch.set_num_threads(1)
    hyperparameters, _ = resolve(preset.env, None, {})
    envs = _copies(preset.env, [seed * 1000 + place for place in range(preset.n_envs)])
    normalised = hyperparameters.norm_obs or hyperparameters.norm_reward
    if normalised:
        envs = VecNormalize(
            envs,
            norm_obs=hyperparameters.norm_obs,
            norm_reward=hyperparameters.norm_reward,
            gamma=hyperparameters.gamma,
        )
    given = {
        name: value for name, value in preset.hyperparameters.items() if name not in ("normalize", "policy_kwargs")
    }
    for name in ("learning_rate", "clip_range"):
        schedule: Schedule = getattr(hyperparameters, name)
        given[name] = schedule.value if schedule.linear else schedule.initial  # type: ignore[assignment]
    kwargs: dict[str, Any] = dict(preset.hyperparameters.get("policy_kwargs", {}))  # type: ignore[arg-type]
    if "activation_fn" in kwargs:
        kwargs["activation_fn"] = _ACTIVATIONS[hyperparameters.policy_kwargs.activation_fn]
    began, cpu = time.perf_counter(), time.process_time()
    model = PPO("MlpPolicy", envs, seed=seed, device="cpu", policy_kwargs=kwargs, **given)  # type: ignore[arg-type]
    model.learn(preset.n_timesteps)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    fresh = _copies(preset.env, evaluation_seeds(seed + 1000, EVALUATION_ENVS))
    if isinstance(envs, VecNormalize):
        frozen = VecNormalize(fresh, training=False, norm_obs=envs.norm_obs, norm_reward=False)
        frozen.obs_rms = envs.obs_rms
        fresh = frozen
    mean, std = evaluate_policy(model, fresh, episodes, deterministic=True)
    last = [episode["r"] for episode in model.ep_info_buffer or []]
    return {
        "env_steps": model.num_timesteps,
        "wall_s": round(wall_s, 1),
        "cpu_s": round(cpu_s, 1),
        "episode_return_mean": round(float(mean), 3),  # type: ignore[arg-type]
        "episode_return_std": round(float(std), 3),  # type: ignore[arg-type]
        "rollout_return_mean": round(statistics.fmean(last), 3) if last else None,
    }


def _copies(env: str, seeds: list[int]) -> VecEnv:
    return DummyVecEnv([lambda seed=seed: Monitor(OneCopy(env, seed)) for seed in seeds])  # type: ignore[misc]
