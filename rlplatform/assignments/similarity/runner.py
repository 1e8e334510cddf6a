"""Runner of similarity reports: collects the submissions that count, has them compared, and keeps the result.

A report that runs is a document of the store until it is finished: after a crash the next supervisor begins it again.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from rlplatform.assignments.grading.documents import Grade
from rlplatform.assignments.grading.evaluations import judging_principal
from rlplatform.assignments.grading.grades import all_grades
from rlplatform.assignments.people.membership import Membership
from rlplatform.assignments.record import AssignmentRun
from rlplatform.assignments.repository import AssignmentRepository
from rlplatform.assignments.similarity.models import (
    ComparedSubmission,
    SimilarityReport,
    SimilarPair,
    SkippedSubmission,
)
from rlplatform.assignments.similarity.ports import ComparedProgram, Comparison, Program, ProgramComparer
from rlplatform.assignments.similarity.repository import SimilarityRepository
from rlplatform.assignments.similarity.sources import UnreadableSource, given_sources, sources_of
from rlplatform.clock import Clock
from rlplatform.errors import PlatformError, Unavailable
from rlplatform.files.service import FileService
from rlplatform.retries import with_timeout
from rlplatform.store import Store

log = logging.getLogger(__name__)

SCAN_S = 30.0
MAX_TOTAL_BYTES = 64 << 20
"""Largest source code of all submissions together."""


class SimilarityRunner:
    """Compares what waits, one assignment after the other, until cancelled. One process runs it: the supervisor."""

    def __init__(self, store: Store, clock: Clock, files: FileService | None, comparer: ProgramComparer) -> None:
        self._assignments = AssignmentRepository(store)
        self._members = Membership(store, clock)
        self._reports = SimilarityRepository(store)
        self._clock = clock
        self._files = files
        self._comparer = comparer
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look soon for what waits."""
        self._wake.set()

    async def run(self) -> None:
        """Compare what waits until cancelled: at once if woken, and every ``SCAN_S`` seconds."""
        while True:
            self._wake.clear()
            try:
                await self.scan()
            except PlatformError as error:
                log.warning("similarity reports wait: %s", error)
            except Exception:
                log.exception("similarity reports failed; trying again")
            with suppress(TimeoutError):
                await with_timeout(self._clock, SCAN_S, self._wake.wait())

    async def scan(self) -> None:
        """Compare everything that waits."""
        for assignment_id, report in await self._reports.waiting():
            run = await self._assignments.assignment_by_id(assignment_id)
            finished = await self._finished(run, report)
            await self._reports.finish(run.id, run.tenant, finished)

    async def _finished(self, run: AssignmentRun, report: SimilarityReport) -> SimilarityReport:
        grades = await self._counted(run)
        programs, skipped = await self._programs(run, grades)
        given = Program(run.id, given_sources(await self._assignments.definition(run.document)))
        try:
            compared = await self._comparer.compare(programs, given, report.min_similarity)
        except Unavailable as error:
            log.warning("the submissions to %s were not compared: %s", run.id, error)
            failed = {"state": "failed", "message": error.detail, "finished_at": self._clock.now()}
            return report.model_copy(update=failed)
        short = [_skipped(grades[one], "its own code is too short to compare") for one in compared.too_short]
        ready = {
            "state": "ready",
            "compared": len(programs) - len(short),
            "pairs": _pairs(compared, grades),
            "skipped": [*skipped, *short],
            "finished_at": self._clock.now(),
        }
        return report.model_copy(update=ready)

    async def _counted(self, run: AssignmentRun) -> dict[str, Grade]:
        """Return the grades by the ids of the submissions that count, the earliest first."""
        definition = await self._assignments.definition(run.document)
        members = await self._members.list(run.tenant)
        works = [work.document for work in await self._assignments.works(run.tenant, run.id)]
        grades = all_grades(definition, run.document, members, works, await self._assignments.overlay(run.document))
        counted = [(grade.submitted_at, grade.submission_id, grade) for grade in grades]
        ordered = sorted((at, one, grade.external_id, grade) for at, one, grade in counted if at and one)
        return {one: grade for _, one, _, grade in ordered}

    async def _programs(
        self, run: AssignmentRun, grades: dict[str, Grade]
    ) -> tuple[list[Program], list[SkippedSubmission]]:
        definition = await self._assignments.definition(run.document)
        principal = judging_principal(run)
        programs, skipped, total = [], [], 0
        for submission_id, grade in grades.items():
            try:
                content = await self._assignments.content(submission_id)
                program = Program(submission_id, await sources_of(definition, content, self._files, principal))
                total += len(program.text)
                if total > MAX_TOTAL_BYTES:
                    raise UnreadableSource(f"more than {MAX_TOTAL_BYTES} bytes of code in all")
            except UnreadableSource as error:
                skipped.append(_skipped(grade, str(error)))
            else:
                programs.append(program)
        return programs, skipped


def _pairs(compared: Comparison, grades: dict[str, Grade]) -> list[SimilarPair]:
    return [
        SimilarPair(
            similarity=max(pair.a.share, pair.b.share), a=_submission(pair.a, grades), b=_submission(pair.b, grades)
        )
        for pair in compared.pairs
    ]


def _submission(program: ComparedProgram, grades: dict[str, Grade]) -> ComparedSubmission:
    grade = grades[program.id]
    return ComparedSubmission(
        submission_id=program.id,
        member_id=grade.member_id,
        external_id=grade.external_id,
        name=grade.name,
        share=program.share,
        passages=program.passages,
    )


def _skipped(grade: Grade, reason: str) -> SkippedSubmission:
    assert grade.submission_id is not None
    return SkippedSubmission(submission_id=grade.submission_id, external_id=grade.external_id, reason=reason)
