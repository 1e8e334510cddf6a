"""Simulated engine: computes a learning curve from the seed, for demonstrations and tests of the platform.

Its reports are labelled ``simulated``. It never makes the environment. Of ``env_config`` it reads only
``simulated_iteration_s``, the duration of each iteration in seconds (default 0). After ``FREE_ITERATIONS`` iterations
each takes at least ``LEAST_S`` seconds, so that a simulated training writes a bounded number of events per second.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rlplatform.environments.pulse import Pulse, silent
from rlplatform.errors import CheckpointError, InvalidRequest
from rlplatform.training.metrics import FPS, EpisodeWindow
from rlplatform.training.models import EvaluationReport, IterationReport, TrainingRequest

if TYPE_CHECKING:
    from rlplatform.episodes.recorder import EpisodeRecorder

ITERATION_ENV_STEPS = 2048
FREE_ITERATIONS = 500
LEAST_S = 0.02
_SLICE_S = 1.0
_EPISODE_LENGTH = 200
_HALF_WAY_ENV_STEPS = 20_000
_RETURNS = {
    "Acrobot-v1": (-500.0, -75.0),
    "CartPole-v1": (20.0, 500.0),
    "LunarLander-v3": (-250.0, 260.0),
    "MountainCar-v0": (-200.0, -110.0),
    "Pendulum-v1": (-1400.0, -170.0),
}
_STEP_REWARDS = {"Acrobot-v1": -1.0, "CartPole-v1": 1.0, "MountainCar-v0": -1.0}
"""Reward of every step, if it is constant: the return of an episode then determines its length."""
_FILE = "simulated.json"


class SimulatedEngine:
    """Engine that trains nothing.

    Deterministic: equal requests give equal reports, also across :meth:`save` and :meth:`restore`.
    """

    simulated = True

    def __init__(self, request: TrainingRequest, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Read the options of the request.

        Raises:
            InvalidRequest: ``env_config.simulated_iteration_s`` is not a number of seconds from 0 to 60.
        """
        pace = request.env_config.get("simulated_iteration_s", 0)
        if isinstance(pace, bool) or not isinstance(pace, int | float) or not 0 <= pace <= 60:
            field = "env_config.simulated_iteration_s"
            raise InvalidRequest(f"{field}: {pace!r} is not a number of seconds from 0 to 60", field=field)
        self._iteration_s = float(pace)
        self._sleep = sleep
        self._env, self._seed = request.env, request.seed
        self._low, self._high = _RETURNS.get(request.env, (0.0, 100.0))
        self._window = EpisodeWindow()
        self._iteration = self._episodes = 0
        self._made = 0
        self._finished: list[tuple[float, int]] = []
        self._pulse: Pulse = silent

    def watch(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def sound(self) -> bool:
        return True

    def describe(self) -> Mapping[str, object]:
        return {"engine": "simulated", "env": self._env, "iteration_env_steps": ITERATION_ENV_STEPS}

    def train_iteration(self) -> IterationReport:
        self._take_time()
        self._iteration += 1
        rng = self._rng(self._iteration)
        returns: list[float] = []
        lengths: list[int] = []
        while sum(lengths) < ITERATION_ENV_STEPS:
            returns.append(self._episode_return(rng))
            lengths.append(self._length(returns[-1]))
        self._window.extend(returns, lengths)
        self._finished = list(zip(returns, lengths, strict=True))
        self._episodes += len(returns)
        skill = self._skill()
        train = {
            "train/approx_kl": 0.01 * rng.random(),
            "train/entropy_loss": -0.7 * (1 - 0.6 * skill),
            "train/explained_variance": skill,
            "train/policy_gradient_loss": -0.01 * rng.random(),
            "train/value_loss": 50.0 * (1.05 - skill) * rng.random(),
            FPS: ITERATION_ENV_STEPS / max(self._iteration_s, 0.01),
        }
        return IterationReport(
            iteration=self._iteration,
            env_steps=self._iteration * ITERATION_ENV_STEPS,
            episodes=self._episodes,
            metrics=self._window.metrics() | train,
        )

    def _take_time(self) -> None:
        self._made += 1
        left_s = max(self._iteration_s, LEAST_S if self._made > FREE_ITERATIONS else 0.0)
        while left_s > 0:
            self._sleep(min(left_s, _SLICE_S))
            left_s -= _SLICE_S
            self._pulse(0)

    def finished(self) -> Sequence[tuple[float, int]]:
        return self._finished

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:  # noqa: ARG002
        rng = random.Random(f"{self._seed}/{self._iteration}/evaluate/{seed}")
        returns = [self._episode_return(rng) for _ in range(episodes)]
        mean = math.fsum(returns) / episodes
        return EvaluationReport(
            episodes=episodes,
            episode_return_mean=mean,
            episode_return_std=math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / episodes),
            episode_return_min=min(returns),
            episode_return_max=max(returns),
            episode_length_mean=math.fsum(map(self._length, returns)) / episodes,
        )

    def save(self, directory: Path) -> None:
        (directory / _FILE).write_text(json.dumps(self._state() | {"window": self._window.get_state()}))

    def restore(self, directory: Path) -> None:
        try:
            state = json.loads((directory / _FILE).read_text())
            if state["env"] != self._env:
                raise CheckpointError(f"the checkpoint is of {state['env']!r}, this training is of {self._env!r}")
            self._seed, self._iteration, self._episodes = state["seed"], state["iteration"], state["episodes"]
            self._window.set_state(state["window"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError("the checkpoint was not written by the simulated engine") from error

    def parameter_hash(self) -> str:
        return hashlib.sha256(json.dumps(self._state(), sort_keys=True).encode()).hexdigest()

    def close(self) -> None:
        """Do nothing: there are no resources to free."""

    def _state(self) -> dict[str, object]:
        return {"env": self._env, "seed": self._seed, "iteration": self._iteration, "episodes": self._episodes}

    def _length(self, episode_return: float) -> int:
        """Return the steps of an episode with this return."""
        reward = _STEP_REWARDS.get(self._env)
        return _EPISODE_LENGTH if reward is None else max(1, round(episode_return / reward))

    def _rng(self, iteration: int) -> random.Random:
        return random.Random(f"{self._seed}/{self._env}/{iteration}")

    def _skill(self) -> float:
        """Return the share of the way to the best return, 0 to 1: a sigmoid over the logarithm of the steps taken."""
        return 1.0 / (1.0 + math.pow(_HALF_WAY_ENV_STEPS / max(1, self._iteration * ITERATION_ENV_STEPS), 3))

    def _episode_return(self, rng: random.Random) -> float:
        skill, span = self._skill(), self._high - self._low
        noise = 0.15 * span * rng.gauss(0, 1) * math.sqrt(1 - skill)
        digits = 0 if self._env in _STEP_REWARDS else 3
        return round(min(self._high, max(self._low, self._low + skill * span + noise)), digits)
