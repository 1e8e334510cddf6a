"""Ports of assignments: the commands that the API sends to the supervisor, and how submissions are judged."""

from __future__ import annotations

from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.record import EvaluationRun


class AssignmentCommands(Protocol):
    """Commands for assignments."""

    async def check_evaluation(self, request: EvaluationRequest, principal: Principal) -> None:
        """Check that the platform could judge ``request``, and queue nothing.

        Raises:
            InvalidRequest: it could not; ``field`` says why.
        """

    async def judge_waiting(self, work_id: str | None = None) -> None:
        """Judge what waits: the submissions of one member's work, or, if ``work_id`` is None, everything.

        Returns once the submissions are queued. What cannot be queued now is queued later.
        """

    async def compare_waiting(self) -> None:
        """Begin the similarity reports that wait. Returns at once."""


class EvaluationQueue(Protocol):
    """Queue of evaluations, as assignments use it."""

    async def queue_evaluation(self, request: EvaluationRequest, principal: Principal, run_id: str) -> EvaluationRun:
        """Queue an evaluation under the id ``run_id``; one that exists is returned unchanged.

        Raises:
            PlatformError: it cannot be queued now, or never (``InvalidRequest``).
        """
