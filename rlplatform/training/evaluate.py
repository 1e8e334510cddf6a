"""Evaluation: whole episodes of the deterministic policy on environments of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.errors import EngineError
from rlplatform.training.models import EvaluationReport
from rlplatform.training.seeds import evaluation_seeds
from rlplatform.training.vector_env import make_vector_env

MAX_ENVS = 16
MAX_STEPS = 1_000_000
Act = Callable[[NDArray[Any]], NDArray[Any]]


def evaluate_policy(act: Act, env: str, env_config: Mapping[str, Any], episodes: int, seed: int) -> EvaluationReport:
    """Exactly ``episodes`` episodes; equal policies and seeds give equal reports.

    ``act`` takes observations [B, *] as the environment gives them and returns its actions [B, *]. Each environment
    plays a number of episodes fixed beforehand: short episodes are not counted more often than long ones.

    :raises EngineError: episodes do not end.
    """
    envs = make_vector_env(env, env_config, evaluation_seeds(seed, min(episodes, MAX_ENVS)), training=False)
    quota = np.array([(episodes + place) // envs.num_envs for place in range(envs.num_envs)])
    returns: list[float] = []
    lengths: list[int] = []
    try:
        obs = envs.reset()
        running = np.zeros(envs.num_envs)
        length = np.zeros(envs.num_envs, np.int64)
        played = np.zeros(envs.num_envs, np.int64)
        done = np.zeros(envs.num_envs, np.bool_)
        for _ in range(MAX_STEPS):
            step = envs.step(act(obs))
            obs = step.obs
            length += ~done if envs.autoreset == "next_step" else 1
            running += step.rewards
            done = step.terminated | step.truncated
            for place in np.flatnonzero(done):
                if played[place] < quota[place]:
                    returns.append(float(running[place]))
                    lengths.append(int(length[place]))
                played[place] += 1
                running[place] = length[place] = 0
            if len(returns) == episodes:
                break
        else:
            raise EngineError(f"evaluation: {len(returns)} of {episodes} episodes ended within {MAX_STEPS} steps")
    finally:
        envs.close()
    return EvaluationReport(
        episodes=episodes,
        episode_return_mean=float(np.mean(returns)),
        episode_return_std=float(np.std(returns)),
        episode_return_min=min(returns),
        episode_return_max=max(returns),
        episode_length_mean=float(np.mean(lengths)),
    )
