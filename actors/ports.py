"""Ports of the actors that the supervisor manages. ``handles.py`` implements them over Ray."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from rlplatform.evaluation.record import EvaluationRun
from rlplatform.load import NodeLoad
from rlplatform.sandbox.models import PoolStatus
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun


class RemoteEvaluator(Protocol):
    """Evaluator on some node."""

    @property
    def name(self) -> str:
        """Name, unique among living evaluators."""

    @property
    def slots(self) -> int:
        """Number of evaluations that it runs at a time."""

    @property
    def leaving(self) -> bool:
        """True if its node is about to leave the cluster: it gets nothing new."""

    async def status(self) -> PoolStatus:
        """Return the state of its sandbox pool.

        Raises:
            Unavailable: the evaluator is gone.
        """

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        """Evaluate ``run`` and record the result. Returns also when the run has finished or has another owner.

        Raises:
            SandboxUnavailable: the evaluator has no sandbox.
            ServiceError: the platform lost the attempt; nothing final has been recorded.
        """

    async def active(self) -> Collection[str]:
        """Return the ids of the runs that it works on.

        Raises:
            Unavailable: the evaluator is gone.
        """

    async def cancel(self, run_id: str) -> None:
        """Stop working on a run. Its slot is free when this returns."""

    async def end(self) -> None:
        """End the evaluator, whatever its state. Pending calls raise. Another is started in its place."""


class RemoteTrainer(Protocol):
    """Trainer that owns one training session."""

    async def wait(self) -> None:
        """Wait until the session has finished, is paused or suspended, or has another owner.

        Raises:
            PlatformError: the session was interrupted, or the trainer was lost.
        """

    async def command(self, command: str, *details: str) -> None:
        """Send ``pause``, ``resume``, ``stop`` with its reason, or ``suspend``.

        ``suspend`` saves a checkpoint and exits without a final event; another trainer continues later.
        """

    async def release(self) -> None:
        """End the trainer, dead or alive; a pending :meth:`wait` raises. Its placement stays. Idempotent."""


class Launcher(Protocol):
    """Source of evaluators and trainers."""

    async def evaluators(self) -> Sequence[RemoteEvaluator]:
        """Return the evaluators of all nodes with sandboxes; start those that are missing."""

    async def nodes(self) -> Sequence[NodeLoad]:
        """Return the living nodes of the cluster and their resources."""

    async def drain(self, node_id: str, within_s: float) -> None:
        """Place nothing more on a node, which ends after ``within_s`` seconds.

        Raises:
            Conflict: the cluster refuses.
        """

    async def leaving(self) -> Collection[str]:
        """Return the ids of the trainings with a part on a node that is about to leave."""

    @property
    def grows(self) -> bool:
        """True if an autoscaler adds nodes for waiting actors."""

    @property
    def brings_sandboxes(self) -> bool:
        """True if an autoscaler adds nodes with sandboxes."""

    async def capacity(self) -> int:
        """Return how many trainings of one CPU have room if no others run, on nodes that an autoscaler can add too."""

    async def scale(self, evaluations: int) -> None:
        """Ask the autoscaler, if there is one, for nodes with sandboxes for so many evaluations at a time."""

    async def check(self, request: TrainingRequest) -> None:
        """Check that the cluster could place the training if no other ran, or can grow to do so.

        Raises:
            InvalidRequest: it could not; names the field to reduce.
        """

    async def launch(self, run: TrainingRun, epoch: int) -> RemoteTrainer:
        """Start a trainer for ``run``, on its existing placement or on a new one. It replaces any earlier trainer.

        Raises:
            CapacityExhausted: there was no room in time; no placement is held then.
        """

    async def find(self, run: TrainingRun) -> RemoteTrainer | None:
        """Return the living trainer of ``run``'s current epoch, left by an earlier supervisor; None if there is
        none."""

    async def placed(self) -> Collection[str]:
        """Return the ids of the trainings that have a trainer or a placement."""

    async def free(self, training_id: str) -> None:
        """End every trainer of a training and free its placement. Idempotent."""

    async def delete_run_folders(self, training_ids: Sequence[str]) -> None:
        """Remove the run folders of finished trainings on every node that answers. Idempotent."""

    async def prepare(self) -> None:
        """Prepare for the next training, so that it starts sooner."""

    async def own_studies(self) -> None:
        """Start the owner of studies, unless it runs, and have it look for new ones.

        Raises:
            Unavailable: it cannot be reached for now.
        """

    async def close(self) -> None:
        """End all evaluators, so that no container is left, the owner of studies, and everything that :meth:`prepare`
        created."""
