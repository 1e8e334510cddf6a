"""Ports of training: engine, and the store of checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rlplatform.access.principals import Principal
from rlplatform.environments.pulse import Pulse
from rlplatform.runs.ports import Idempotency
from rlplatform.training.models import CheckpointInfo, EvaluationReport, IterationReport, TrainingCheck, TrainingRequest
from rlplatform.training.record import TrainingRun

if TYPE_CHECKING:
    from rlplatform.episodes.recorder import EpisodeRecorder


class TrainingEngine(Protocol):
    """Engine that turns a request into iterations. Blocking; one thread at a time.

    Counters are lifetime counters: they continue after :meth:`restore`.
    """

    @property
    def simulated(self) -> bool:
        """True if the engine only simulates training."""

    def watch(self, pulse: Pulse) -> None:
        """Call ``pulse`` during rollouts and evaluations from now on.

        An exception that it raises ends the rollout or evaluation.
        """

    def sound(self) -> bool:
        """Return True if all parameters are finite, so that a checkpoint is worth saving after a failure."""

    def describe(self) -> Mapping[str, object]:
        """Return effective hyperparameters, backends and fallbacks, for the manifest."""

    def train_iteration(self) -> IterationReport:
        """Run one iteration: one rollout and one update.

        Raises:
            EngineError: no progress can be made.
        """

    def finished(self) -> Sequence[tuple[float, int]]:
        """Return the return and the number of steps of each episode that ended in the last iteration."""

    def evaluate(self, episodes: int, seed: int, recorder: EpisodeRecorder | None = None) -> EvaluationReport:
        """Run exactly ``episodes`` episodes of the deterministic policy on separate environments.

        ``recorder`` receives every step, unless the engine cannot say them.
        """

    def save(self, directory: Path) -> None:
        """Write everything that :meth:`restore` needs into the empty ``directory``."""

    def restore(self, directory: Path) -> None:
        """Continue from the files that :meth:`save` wrote.

        Raises:
            CheckpointError: they do not fit this engine.
        """

    def parameter_hash(self) -> str:
        """Return the SHA-256 over all policy and value parameters. Equal networks have equal hashes."""

    def close(self) -> None:
        """Free all resources: processes, environments, placement. Idempotent."""


EngineFactory = Callable[[TrainingRequest], TrainingEngine]


class CheckpointStore(Protocol):
    """Committed checkpoints of trainings. Blocking."""

    def commit(self, info: CheckpointInfo, source: Path) -> CheckpointInfo:
        """Store the files of ``source`` under ``info``: data first, manifest last.

        Returns:
            ``info`` with size and hash filled in.

        Raises:
            Conflict: a checkpoint with this id is already committed.
            CheckpointError: ``source`` is empty, or contains something other than files.
        """

    def fetch(self, training_id: str, checkpoint_id: str, target: Path) -> CheckpointInfo:
        """Copy a checkpoint into the empty folder ``target``, and verify each file.

        Raises:
            NotFound: there is no such checkpoint.
            CheckpointError: it is damaged.
        """

    def list(self, training_id: str) -> Sequence[CheckpointInfo]:
        """Return the committed checkpoints, oldest first. Does not verify their files."""

    def find(self, checkpoint_id: str) -> CheckpointInfo:
        """Return a checkpoint by its id alone.

        Raises:
            NotFound: there is no such checkpoint.
        """

    def delete(self, training_id: str, checkpoint_id: str) -> None:
        """Remove a checkpoint: manifest first, then data. Idempotent."""

    def clear(self, training_id: str) -> None:
        """Remove all checkpoints of a training, damaged ones too. Idempotent."""

    def sweep(self, min_age_s: float = 3600.0) -> int:
        """Remove files that were never committed nor touched for ``min_age_s`` seconds; return the number of
        removals."""


class TrainingCommands(Protocol):
    """Commands for trainings and their checkpoints."""

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        """Queue a training; return the run, and True if it is new.

        Raises:
            InvalidRequest: environment, preset, hyperparameters or resources are not valid.
        """

    async def check_training(self, request: TrainingRequest, principal: Principal) -> TrainingCheck:
        """Check a training as :meth:`start_training` does without starting it, and return its effective settings.

        Quotas and the queue are not checked: they may change before the training is started.

        Raises:
            InvalidRequest: environment, preset, hyperparameters or resources are not valid.
        """

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        """Carry out ``pause``, ``resume`` or ``stop``. Idempotent.

        Raises:
            Conflict: the command is not possible in the current state.
        """

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        """Delete a committed checkpoint.

        Raises:
            NotFound: there is no such checkpoint, or the principal may not see it.
            Conflict: an unfinished training would be recovered from it, or starts from it.
        """
