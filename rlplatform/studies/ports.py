"""Port of studies: the commands that the API sends."""

from __future__ import annotations

from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.runs.ports import Idempotency
from rlplatform.studies.models import StudyRequest
from rlplatform.studies.record import StudyRun


class StudyCommands(Protocol):
    """Commands for studies."""

    async def start_study(
        self, request: StudyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[StudyRun, bool]:
        """Store a study, which its owner begins; return the run, and True if it is new.

        Raises:
            InvalidRequest: the space or the training makes no sense; names the field and says what is accepted.
        """

    async def command_study(self, run_id: str, command: str, principal: Principal) -> StudyRun:
        """Carry out ``pause``, ``resume`` or ``stop``. Idempotent.

        Raises:
            Conflict: the command is not possible in the current state.
        """
