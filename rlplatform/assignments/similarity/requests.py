"""Similarity reports as the API offers them: request a report, read it. The supervisor compares."""

from __future__ import annotations

from contextlib import suppress

from rlplatform.access.principals import Principal, Scope
from rlplatform.assignments.ports import AssignmentCommands
from rlplatform.assignments.reader import AssignmentReader
from rlplatform.assignments.similarity.models import SimilarityReport, SimilarityRequest
from rlplatform.assignments.similarity.repository import SimilarityRepository
from rlplatform.clock import Clock
from rlplatform.errors import NotFound, PlatformError


class SimilarityService:
    """Similarity reports of all tenants, for staff."""

    def __init__(self, reader: AssignmentReader, clock: Clock, commands: AssignmentCommands) -> None:
        self._assignments = reader.repository
        self._reports = SimilarityRepository(reader.repository.store)
        self._clock = clock
        self._commands = commands

    async def start(self, name: str, request: SimilarityRequest, principal: Principal) -> SimilarityReport:
        """Compare the submissions that count; return the report, which is running. One that runs already is returned.

        Raises:
            NotAllowed: ``principal`` is a learner.
            NotFound: there is no such assignment.
        """
        principal.require(Scope.READ)
        run = await self._assignments.assignment(principal.tenant, name)
        report = SimilarityReport(
            assignment=name,
            state="running",
            min_similarity=request.min_similarity,
            created_at=self._clock.now(),
            created_by=principal.id,
        )
        report = await self._reports.request(run.id, run.tenant, report)
        with suppress(PlatformError):  # it is found in any case
            await self._commands.compare_waiting()
        return report

    async def report(self, name: str, principal: Principal) -> SimilarityReport:
        """Return the report of an assignment: the running one, or the newest.

        Raises:
            NotAllowed: ``principal`` is a learner.
            NotFound: there is no such assignment, or nothing was compared.
        """
        principal.require(Scope.READ)
        run = await self._assignments.assignment(principal.tenant, name)
        if (report := await self._reports.report(run.id)) is None:
            raise NotFound(f"the submissions to {name} were not compared yet: rlp assignment similarity {name}")
        return report
