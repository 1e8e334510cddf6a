"""Commands for assignments: judge and compare what waits."""

from __future__ import annotations

from actors.commands import CommandHandler
from rlplatform.assignments.grading.judging import SubmissionJudge
from rlplatform.assignments.similarity.runner import SimilarityRunner


class AssignmentCommandHandler(CommandHandler):
    """Implements the ``AssignmentCommands`` port, except the check of an evaluation."""

    _judge: SubmissionJudge
    _similarity: SimilarityRunner

    async def judge_waiting(self, work_id: str | None = None) -> None:
        """Judge what waits (see the port)."""
        await self._open()
        if work_id is None:
            self._judge.wake()
        else:
            await self._judge.judge(work_id)

    async def compare_waiting(self) -> None:
        """Begin the similarity reports that wait (see the port)."""
        await self._open()
        self._similarity.wake()
