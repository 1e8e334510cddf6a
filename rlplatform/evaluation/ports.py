"""Port of evaluations: the commands that the API sends to the supervisor."""

from __future__ import annotations

from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.runs.ports import Idempotency


class EvaluationCommands(Protocol):
    """Commands for evaluations."""

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
