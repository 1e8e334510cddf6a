"""Port of the supervisor: the commands that the API sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.health import PlatformStatus
from rlplatform.runs.ports import Idempotency
from rlplatform.scheduling.admission import Place
from rlplatform.training.models import TrainingCheck, TrainingRequest
from rlplatform.training.record import TrainingRun


class Commands(Protocol):
    """Commands of the API for the supervisor. Reads go to the store."""

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        """Queue an evaluation; return the run, and True if it is new.

        An idempotency key that has made a run already returns that run, whatever else could be refused.

        Raises:
            NotAllowed: the priority is not for this principal.
            SandboxUnavailable: no evaluator has a sandbox.
            QuotaExceeded, QueueFull, WaitTooLong: it is not admitted.
        """

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        """Cancel an evaluation; a finished one is left unchanged."""

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

    async def places(self, run_ids: Sequence[str]) -> list[Place | None]:
        """Return the place of each run in the queue; None for a run that is not queued."""

    async def status(self) -> PlatformStatus:
        """Return the state of the platform's parts."""
