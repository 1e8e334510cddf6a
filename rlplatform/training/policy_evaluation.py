"""Evaluation: whole episodes of the deterministic policy, on separate environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.environments.factory import make_vector_env
from rlplatform.environments.faults import environment_errors
from rlplatform.environments.options import DEFAULT_OPTIONS, EnvOptions
from rlplatform.environments.pulse import CutShort, Pulse, silent
from rlplatform.environments.seeds import evaluation_seeds
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import EngineError
from rlplatform.training.models import EvaluationReport

MAX_ENVS = 16
MAX_STEPS = 1_000_000_000
PULSE_S = 0.25
Act = Callable[[NDArray[Any]], NDArray[Any]]


def evaluate_policy(
    act: Act,
    env: str,
    env_config: Mapping[str, Any],
    episodes: int,
    seed: int,
    pulse: Pulse = silent,
    *,
    options: EnvOptions = DEFAULT_OPTIONS,
    recorder: EpisodeRecorder | None = None,
) -> EvaluationReport:
    """Run exactly ``episodes`` episodes; equal policies and seeds give equal reports.

    Each environment runs a number of episodes fixed beforehand, so that short episodes are not counted more often than
    long ones.

    Args:
        act: Maps observations [B, *], as the environment returns them, to actions [B, *].
        env: Id of the environment.
        env_config: Its keyword arguments.
        episodes: Number of episodes.
        seed: Seed of the environments.
        pulse: Called about every ``PULSE_S`` seconds with the environment steps taken so far. If it raises
            ``CutShort``, that exception receives a report over the episodes that have ended, and is raised again.
        options: Backend and time limit.
        recorder: Receives every step and every end of an episode; None: nothing is recorded.

    Raises:
        EngineError: episodes do not end, or the environment raised an exception.
    """
    with environment_errors():
        return _evaluate(act, env, env_config, episodes, seed, pulse, options, recorder)


def _evaluate(
    act: Act,
    env: str,
    env_config: Mapping[str, Any],
    episodes: int,
    seed: int,
    pulse: Pulse,
    options: EnvOptions,
    recorder: EpisodeRecorder | None,
) -> EvaluationReport:
    seeds = evaluation_seeds(seed, min(episodes, MAX_ENVS))
    envs = make_vector_env(env, env_config, seeds, options=options, training=False)
    quota = np.array([(episodes + place) // envs.num_envs for place in range(envs.num_envs)])
    returns: list[float] = []
    lengths: list[int] = []
    if recorder is not None:
        recorder.begin(env, env_config, options, seeds, envs)
    try:
        obs = envs.reset()
        running = np.zeros(envs.num_envs)
        length = np.zeros(envs.num_envs, np.int64)
        played = np.zeros(envs.num_envs, np.int64)
        done = np.zeros(envs.num_envs, np.bool_)
        due = monotonic() + PULSE_S
        for steps in range(MAX_STEPS):
            if (now := monotonic()) >= due:
                due = now + PULSE_S
                pulse(steps * envs.num_envs)
            actions = act(obs)
            if recorder is not None:
                recorder.acted(obs, actions)
            step = envs.step(actions)
            if recorder is not None:
                recorder.rewarded(step.rewards)
            obs = step.obs
            length += ~done if envs.autoreset == "next_step" else 1
            running += step.rewards
            done = step.terminated | step.truncated
            for place in np.flatnonzero(done):
                if played[place] < quota[place]:
                    returns.append(float(running[place]))
                    lengths.append(int(length[place]))
                    if recorder is not None:
                        recorder.end(int(place), returns[-1], lengths[-1])
                played[place] += 1
                running[place] = length[place] = 0
            if len(returns) == episodes:
                break
        else:
            raise EngineError(f"evaluation: {len(returns)} of {episodes} episodes ended within {MAX_STEPS} steps")
    except CutShort as cut:
        cut.report = _report(returns, lengths) if returns else None
        raise
    finally:
        envs.close()
    return _report(returns, lengths)


def _report(returns: list[float], lengths: list[int]) -> EvaluationReport:
    return EvaluationReport(
        episodes=len(returns),
        episode_return_mean=float(np.mean(returns)),
        episode_return_std=float(np.std(returns)),
        episode_return_min=min(returns),
        episode_return_max=max(returns),
        episode_length_mean=float(np.mean(lengths)),
    )
