"""Training engine on RLlib: the fast path if it covers the request, else RLlib's own PPO."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actors.rllib.capacity import check_capacity
from rlplatform.environments.pulse import Pulse
from rlplatform.episodes.recorder import EpisodeRecorder
from rlplatform.errors import CheckpointError
from rlplatform.training.metrics import FPS, EpisodeWindow, finite
from rlplatform.training.models import EvaluationReport, IterationReport, TrainingRequest

log = logging.getLogger(__name__)

_FILE = "engine.json"
_FOLDER = "algorithm"


class Algorithm(Protocol):
    """Interface that both paths implement. Counters are lifetime counters, which checkpoints contain."""

    name: str
    env_steps: int
    spaces: str

    def watch(self, pulse: Pulse) -> None:
        """Call ``pulse`` during rollouts and evaluations from now on."""

    def describe(self) -> dict[str, object]:
        """Return backends, effective hyperparameters, and the settings of the request that are not applied."""

    def train(self) -> tuple[list[float], list[int], dict[str, float]]:
        """Run one iteration; return returns and lengths of the episodes that ended, and metrics by name."""

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        """Run exactly ``episodes`` deterministic episodes on separate environments."""

    def save(self, directory: Path) -> None:
        """Write everything needed to continue, and, if the path has one, the policy to serve, in ``policy/``."""

    def restore(self, directory: Path) -> None:
        """Continue from the files that :meth:`save` wrote. Every actor uses the restored weights at once."""

    def parameters(self) -> NDArray[np.float32]:
        """Return all parameters of policy and value function, in a fixed order."""

    def close(self) -> None:
        """End all actors."""


class RllibEngine:
    """A ``TrainingEngine`` that needs a running Ray.

    The stock path needs a process of its own: RLlib seeds the process's global generators.
    """

    simulated = False

    def __init__(self, request: TrainingRequest, *, path: str = "auto") -> None:
        """Build the algorithm for ``request``.

        Args:
            request: The training's request.
            path: ``fast``, ``stock``, or ``auto``: fast if it covers the request.

        Raises:
            InvalidRequest: environment or hyperparameters are not valid.
            CapacityExhausted: there is no room for the env runners and learners.
        """
        from actors.rllib.rllib_ppo_engine import RllibPPOEngine
        from actors.rllib.vector_ppo_engine import VectorPPOEngine, why_not_vector_ppo

        logging.getLogger("ray.rllib").setLevel(logging.ERROR)
        check_capacity(request.resources)
        reason = "asked for" if path != "auto" else why_not_vector_ppo(request)
        self._fallback = reason if path == "stock" or (path == "auto" and reason) else None
        if self._fallback is not None:
            log.warning("trained by RLlib's own PPO, not on the fast path: %s", self._fallback)
        build: Callable[[TrainingRequest], Algorithm] = VectorPPOEngine if self._fallback is None else RllibPPOEngine
        self._algorithm: Algorithm | None = build(request)
        self._env = request.env
        self._window = EpisodeWindow()
        self._iteration = self._episodes = 0
        self._finished: list[tuple[float, int]] = []

    def watch(self, pulse: Pulse) -> None:
        self._open.watch(pulse)

    def sound(self) -> bool:
        return bool(np.isfinite(self._open.parameters()).all())

    def describe(self) -> Mapping[str, object]:
        return {"engine": "rllib", "path": self._open.name, "fallback": self._fallback} | self._open.describe()

    def train_iteration(self) -> IterationReport:
        algorithm = self._open
        began, steps = time.perf_counter(), algorithm.env_steps
        returns, lengths, metrics = algorithm.train()
        self._iteration += 1
        self._episodes += len(returns)
        self._finished = list(zip(returns, lengths, strict=True))
        self._window.extend(returns, lengths)
        fps = (algorithm.env_steps - steps) / (time.perf_counter() - began)
        return IterationReport(
            iteration=self._iteration,
            env_steps=algorithm.env_steps,
            episodes=self._episodes,
            metrics=finite(metrics | self._window.metrics() | {FPS: fps}),
        )

    def finished(self) -> Sequence[tuple[float, int]]:
        return self._finished

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        return self._open.evaluate(episodes, seed, recorder)

    def save(self, directory: Path) -> None:
        (directory / _FOLDER).mkdir()
        self._open.save(directory / _FOLDER)
        state = {
            "env": self._env,
            "spaces": self._open.spaces,
            "path": self._open.name,
            "iteration": self._iteration,
            "episodes": self._episodes,
            "window": self._window.get_state(),
        }
        (directory / _FILE).write_text(json.dumps(state))

    def restore(self, directory: Path) -> None:
        algorithm = self._open
        try:
            state = json.loads((directory / _FILE).read_text())
            alike = state["env"] == self._env or state.get("spaces") == algorithm.spaces
            if not alike or state["path"] != algorithm.name:
                raise CheckpointError(
                    f"the checkpoint is of {state['env']!r} ({state['path']}), this is {self._env!r} ({algorithm.name})"
                )
            algorithm.restore(directory / _FOLDER)
            self._iteration, self._episodes = state["iteration"], state["episodes"]
            self._window.set_state(state["window"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"the checkpoint does not fit this engine: {error}") from error

    def parameter_hash(self) -> str:
        return hashlib.sha256(np.ascontiguousarray(self._open.parameters()).tobytes()).hexdigest()

    def close(self) -> None:
        algorithm, self._algorithm = self._algorithm, None
        if algorithm is not None:
            algorithm.close()

    @property
    def _open(self) -> Algorithm:
        if self._algorithm is None:
            raise RuntimeError("the engine is closed")
        return self._algorithm
