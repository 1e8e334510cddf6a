"""Ports of training: engine, and the store of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.environments.pulse import Pulse
from rlplatform.runs.ports import Idempotency
from rlplatform.training.models import CheckpointInfo, EvaluationReport, IterationReport, TrainingCheck, TrainingRequest
from rlplatform.training.record import TrainingRun


class TrainingEngine(Protocol):
    """Engine that turns a request into iterations. Blocking; one thread at a time.

    Counters are lifetime counters: they continue after :meth:`restore`.
    """

    @property
    def simulated(self) -> bool:
        """True if nothing is really trained."""

    def watch(self, pulse: Pulse) -> None:
        """Call ``pulse`` during rollouts and evaluations from now on. What it raises ends the rollout or evaluation."""

    def sound(self) -> bool:
        """Return True if all parameters are finite, so that a checkpoint is worth saving after a failure."""

    def describe(self) -> Mapping[str, object]:
        """Return effective hyperparameters, backends and fallbacks, for the manifest."""

    def train_iteration(self) -> IterationReport:
        """Make one rollout and one update.

        Raises:
            EngineError: no progress can be made.
        """

    def finished(self) -> Sequence[tuple[float, int]]:
        """Return the return and the number of steps of each episode that ended in the last iteration."""

    def evaluate(self, episodes: int, seed: int) -> EvaluationReport:
        """Exactly ``episodes`` episodes of the deterministic policy on environments of its own."""

    def save(self, directory: Path) -> None:
        """Write everything that :meth:`restore` needs into the empty ``directory``."""

    def restore(self, directory: Path) -> None:
        """Continue from what :meth:`save` wrote.

        Raises:
            CheckpointError: it does not fit this engine.
        """

    def parameter_hash(self) -> str:
        """Return the SHA-256 over all policy and value parameters: equal hashes, equal networks."""

    def close(self) -> None:
        """Free everything: processes, environments, placement. Idempotent."""


EngineFactory = Callable[[TrainingRequest], TrainingEngine]


class CheckpointStore(Protocol):
    """Committed checkpoints of trainings. Blocking."""

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        """Store the files of ``source`` under ``info``: data first, manifest last; size and hash are filled in.

        :raises Conflict: one of this id is committed.
        :raises CheckpointError: ``source`` holds no files, or things that are not files.
        """

    def fetch(self, training_id: str, checkpoint_id: str, target: Path) -> CheckpointInfo:
        """Copy a checkpoint into the empty ``target``, verified file by file.

        :raises NotFound: there is none such.
        :raises CheckpointError: it is damaged.
        """

    def list(self, training_id: str) -> Sequence[CheckpointInfo]:
        """Return the committed checkpoints, oldest first. Does not verify their files."""

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        """Return a checkpoint by its id alone.

        Raises:
            NotFound: there is none such.
        """

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        """Remove a checkpoint: manifest first, then data. Idempotent."""

    def clear(self, training_id: str) -> None:
        """Remove all checkpoints of a training, damaged ones too. Idempotent."""

    def sweep(self, min_age_s: float = 3600.0) -> int:
        """Remove what was never committed and has not been touched for ``min_age_s``; return how many there were."""


class TrainingCommands(Protocol):
    """Commands for trainings and their checkpoints."""

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training; return the run, and True if it is new.

        Raises:
            InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training as :meth:`start_training` does, start nothing, and return what it would train with.

        Quotas and the queue are not looked at: they change until the training is started.

        :raises InvalidRequest: the environment, preset, hyperparameters or resources make no sense.
        """

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """Carry out ``pause``, ``resume`` or ``stop``. Idempotent.

        Raises:
            Conflict: the command makes no sense in the present state.
        """

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        """Delete a committed checkpoint.

        Raises:
            NotFound: there is none such, or none that the principal sees.
            Conflict: an unfinished training would be recovered from it, or begins from it.
        """
