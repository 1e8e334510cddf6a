"""Port of the supervisor: the commands that the API sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rlplatform.access.principals import Principal
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.evaluation.ports import EvaluationCommands
from rlplatform.health import PlatformStatus
from rlplatform.load import PlatformLoad
from rlplatform.sandbox.models import ImageInfo
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.studies.ports import StudyCommands
from rlplatform.training.ports import TrainingCommands


class Commands(AssignmentCommands, EvaluationCommands, TrainingCommands, StudyCommands, Protocol):
    """Commands of the API for the supervisor. Reads go to the store."""

    async def delete_run(self, run_id: str, principal: Principal) -> None:
        """Delete a finished evaluation or training, with its events, checkpoints and run folder. Idempotent.

        Raises:
            Conflict: the run has not finished, or an unfinished training starts from one of its checkpoints.
        """

    async def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        """Return the place of each run in the queue; None for a run that is not queued."""

    async def images(self) -> list[ImageInfo]:
        """Return the images that submissions can run in, by name."""

    async def status(self) -> PlatformStatus:
        """Return the state of the platform's parts."""

    async def load(self) -> PlatformLoad:
        """Return the load of the platform: work by tenant, sandboxes, nodes, store and webhooks."""
