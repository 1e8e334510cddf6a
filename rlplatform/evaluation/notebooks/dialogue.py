"""Dialogue of a suite that carries out a plan: a report after each step, and one at the end of the plan."""

from __future__ import annotations

from rlplatform.evaluation.suites.dialogues import SuiteDialogue
from rlplatform.evaluation.suites.guest import wire


class PlanDialogue(SuiteDialogue):
    """Interactor of a suite that is given plans."""

    def begin(self) -> bytes:
        """Wait for the first plan."""
        return self._commands.get() or b""

    def reply(self, line: bytes) -> bytes | None:
        """Hand on a request, or take a report; after the last one of a plan, wait for the next plan."""
        if line.startswith(wire.STEP):
            self._reports.put(line)
            return b""
        return super().reply(line)

    def wait_step(self) -> dict[str, object] | None:
        """Return the report of the next step; None at the end of the plan.

        Raises:
            SuiteFailed: the suite has ended without one.
        """
        report = self._next_report()
        if not report.startswith(wire.STEP):
            return None
        return self._message_of(report[len(wire.STEP) :])
