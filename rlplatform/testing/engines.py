"""A training engine that plays a script, for tests of what drives engines."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rlplatform.environments.pulse import Pulse, silent
from rlplatform.errors import CheckpointError
from rlplatform.training.models import EvaluationReport, IterationReport, TrainingRequest

if TYPE_CHECKING:
    from rlplatform.episodes.recorder import EpisodeRecorder


class ScriptedEngine:
    """Iterations take ``env_steps`` steps and end ``episodes`` episodes; ``returns(iteration)`` is the rolling mean.

    An exception in ``failures`` is raised once, by the iteration of that number. With ``gated``, each iteration waits
    for one :meth:`release`. ``calls`` lists what was asked, in order. ``pulse`` is what watches it: a
    ``before_iteration`` may call it, as a rollout would.
    """

    simulated = False

    def __init__(
        self,
        request: TrainingRequest | None = None,
        *,
        env_steps: int = 100,
        episodes: int = 10,
        returns: Callable[[int], float | None] = float,
        failures: Mapping[int, BaseException] | None = None,
        gated: bool = False,
        before_iteration: Callable[[int], None] | None = None,
    ) -> None:
        self.request = request
        self.pulse: Pulse = silent
        self.calls: list[str] = []
        self.closed = False
        self.iteration = 0
        self._env_steps, self._episodes, self._returns = env_steps, episodes, returns
        self._failures = dict(failures or {})
        self._gate = threading.Semaphore(0) if gated else None
        self._before_iteration = before_iteration

    def release(self, iterations: int = 1) -> None:
        """Let so many iterations through the gate."""
        if self._gate is not None:
            self._gate.release(iterations)

    def watch(self, pulse: Pulse) -> None:
        self.pulse = pulse

    def sound(self) -> bool:
        return True

    def describe(self) -> Mapping[str, object]:
        return {"engine": "scripted"}

    def train_iteration(self) -> IterationReport:
        if self._gate is not None:
            self._gate.acquire()
        self.calls.append("train")
        if self._before_iteration is not None:
            self._before_iteration(self.iteration + 1)
        if (failure := self._failures.pop(self.iteration + 1, None)) is not None:
            raise failure
        self.iteration += 1
        mean = self._returns(self.iteration)
        return IterationReport(
            iteration=self.iteration,
            env_steps=self.iteration * self._env_steps,
            episodes=self.iteration * self._episodes,
            metrics={} if mean is None else {"rollout/episode_return_mean": mean},
        )

    def finished(self) -> Sequence[tuple[float, int]]:
        return [(float(self.iteration), self._env_steps // self._episodes)] * self._episodes

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:  # noqa: ARG002
        self.calls.append("evaluate")
        value = float(self.iteration)
        return EvaluationReport(
            episodes=episodes,
            episode_return_mean=value,
            episode_return_std=0.0,
            episode_return_min=value,
            episode_return_max=value,
            episode_length_mean=1.0,
        )

    def save(self, directory: Path) -> None:
        self.calls.append("save")
        (directory / "scripted.json").write_text(json.dumps({"iteration": self.iteration}))

    def restore(self, directory: Path) -> None:
        self.calls.append("restore")
        try:
            self.iteration = int(json.loads((directory / "scripted.json").read_text())["iteration"])
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError("the checkpoint was not written by the scripted engine") from error

    def parameter_hash(self) -> str:
        return hashlib.sha256(str(self.iteration).encode()).hexdigest()

    def close(self) -> None:
        self.closed = True
