"""What the supervisor needs of the actors that it keeps, as Protocols; ``handles.py`` has them over Ray."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from rlplatform.runs import EvaluationRun, TrainingRun
from rlplatform.sandbox.models import PoolStatus
from rlplatform.training.models import TrainingRequest


class EvaluatorLink(Protocol):
    """An evaluator on some node."""

    @property
    def name(self) -> str:
        """Unique among the living."""

    @property
    def slots(self) -> int:
        """How many evaluations it runs at a time."""

    async def status(self) -> PoolStatus:
        """Its pool's state. :raises Unavailable: it is gone."""

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        """Evaluate ``run`` and record the result; returns when that is done, or when the run is another's or over.

        :raises SandboxUnavailable: it has no sandbox.
        :raises ServiceError: the attempt was lost to a failure of ours; nothing final has been recorded.
        """

    async def active(self) -> Collection[str]:
        """The ids of the runs that it works on. :raises Unavailable: it is gone."""

    async def cancel(self, run_id: str) -> None:
        """Stop working on a run; its slot is free when this returns."""

    async def end(self) -> None:
        """End it, however it is; its pending calls raise. Another is started in its place."""


class TrainerLink(Protocol):
    """A trainer that owns one training session."""

    async def wait(self) -> None:
        """Until the session is over, suspended or another owner's. :raises PlatformError: it broke off, or was lost."""

    async def command(self, command: str, *details: str) -> None:
        """``pause``, ``resume``, ``stop`` with its reason, or ``suspend`` (save a checkpoint and leave, to be taken up
        again later)."""

    async def release(self) -> None:
        """End the trainer, dead or alive; a pending :meth:`wait` raises. Its placement stays. Idempotent."""


class Launcher(Protocol):
    """Where evaluators and trainers come from."""

    async def evaluators(self) -> Sequence[EvaluatorLink]:
        """One for each node with sandboxes, started where it is missing."""

    @property
    def grows(self) -> bool:
        """True if an autoscaler adds nodes for what waits."""

    async def check(self, request: TrainingRequest) -> None:
        """Check that the cluster could place this if no other training ran, or can grow to do so.

        :raises InvalidRequest: it could not; the field is the one to make smaller.
        """

    async def launch(self, run: TrainingRun, epoch: int) -> TrainerLink:
        """Start a trainer for ``run``, on the placement that it has or else on a new one, replacing any before it.

        :raises CapacityExhausted: no room within the time for placement; none is held then.
        """

    async def find(self, run: TrainingRun) -> TrainerLink | None:
        """The living trainer of ``run``'s present epoch, left by an earlier supervisor."""

    async def placed(self) -> Collection[str]:
        """The ids of the trainings that have a trainer or a placement."""

    async def free(self, training_id: str) -> None:
        """End every trainer of a training and give its placement back. Idempotent."""

    async def forget(self, training_ids: Sequence[str]) -> None:
        """Remove the run folders of trainings that are over, on every node that answers. Idempotent."""

    async def prepare(self) -> None:
        """Get ready for the next training, so that it begins sooner."""

    async def close(self) -> None:
        """End all evaluators, so that no container is left, and what :meth:`prepare` made."""
