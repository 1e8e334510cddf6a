"""Sessions of graders whose tests are code of the instructor's: a suite that runs beside the submission, or with it.

``SeparateSession``: the suite runs in a sandbox of its own, from the first test to the last. The submission runs once
for each test, in a process of its own, and does what the suite asks. ``SharedSession``: both run in one process, once
for each test.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Decision, Grader, Refusal, Session, Stage, TestAttempt
from rlplatform.evaluation.suites.beside import SuiteBeside
from rlplatform.evaluation.suites.dialogues import (
    Phase,
    SubmissionDialogue,
    SuiteDialogue,
    SuiteFailed,
)
from rlplatform.evaluation.suites.guest import wire
from rlplatform.evaluation.suites.reports import Report, read_report
from rlplatform.evaluation.suites.suite import WIRE_KIB, NodeSuite
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind
from rlplatform.sandbox.ports import Interactor


class _SuiteSession(Session):
    """Common part: the first run collects the suite's nodes, each further run is one of them."""

    def __init__(self, grader: Grader, checker: Checker, stage: Stage, suite: NodeSuite) -> None:
        super().__init__(grader, checker)
        self._stage, self._suite, self._limits = stage, suite, stage.limits
        self._order: list[str] = []

    def expand(self, tests: list[Any]) -> list[Any] | Refusal:
        attempt = self._collect()
        with closing(self._stage.sandbox.run(attempt.execution, attempt.interactor)) as outcome:
            attempt.ended(outcome)
            nodes = attempt.report.nodes if attempt.report is not None else None
            if nodes is None or attempt.decision is not None:
                return Refusal(attempt, outcome)
            found = self._suite.select(nodes, tests)
            if isinstance(found, str):
                attempt.decision = Decision("internal_error", f"the suite does not go with the tests: {found}")
                return Refusal(attempt, outcome)
            if (total := len(found) * self._limits.wall_time_s) > self._stage.longest_s:
                why = f"{len(found)} tests of {self._limits.wall_time_s:g} s may take {total:g} s of wall time"
                attempt.decision = Decision(
                    "internal_error", f"{why}; at most {self._stage.longest_s:g} s are accepted"
                )
                return Refusal(attempt, outcome)
            self._order = [self._suite.node_of(test) for test in found]
            return found

    def attempt(self, test: Any, limits: Limits) -> TestAttempt:
        node = self._suite.node_of(test)
        following = self._order[self._order.index(node) + 1 :] if node in self._order else []
        return self._run(node, following[0] if following else "", limits)

    def _collect(self) -> SuiteAttempt:
        raise NotImplementedError

    def _run(self, node: str, following: str, limits: Limits) -> SuiteAttempt:
        raise NotImplementedError


class SuiteAttempt(TestAttempt):
    """Attempt at a node of a suite, or at collecting its nodes."""

    report: Report | None = None

    def __init__(self, execution: Execution, isolation: str) -> None:
        super().__init__(execution)
        self.isolation = isolation

    def output(self, outcome: Outcome) -> tuple[bytes, bytes]:
        stdout, stderr = self.report.captured() if self.report is not None else (b"", b"")
        return stdout, outcome.stderr + stderr

    def _take(self, report: Report, outcome: Outcome) -> None:
        self.report = report
        if report.errors is not None:
            self._refuse(report.errors, outcome)
        elif report.phases is not None:
            self.decision = report.decision()
        self.cpu_time_s = report.cpu_s

    def _refuse(self, errors: Sequence[Any], outcome: Outcome) -> None:
        ours = [error for error in errors if not error.submission]
        if ours:
            self.decision = Decision("internal_error", f"the suite cannot be collected: {ours[0].text}")
        elif outcome.kind is OutcomeKind.EXITED and outcome.exit_code == 0:
            text = errors[0].text if errors else "no reason"
            self.decision = Decision("runtime_error", f"the suite cannot use the submission: {text}")


class SeparateSession(_SuiteSession):
    """Suite and submission in a sandbox each."""

    def __init__(self, grader: Grader, checker: Checker, stage: Stage, suite: NodeSuite) -> None:
        super().__init__(grader, checker, stage, suite)
        self._dialogue = SuiteDialogue(suite.limits.wall_time_s)
        self._beside = SuiteBeside(stage, suite, self._dialogue)
        self._phase = Phase()

    def cancel(self) -> None:
        self._beside.cancel()

    def close(self) -> None:
        self._phase.end()
        self._beside.close()

    def _collect(self) -> SuiteAttempt:
        self._beside.start()
        return _SeparateAttempt(self, None, self._limits)

    def _run(self, node: str, following: str, limits: Limits) -> SuiteAttempt:
        return _SeparateAttempt(self, wire.dump({"run": node, "next": following}), limits)

    @property
    def longest_s(self) -> float:
        """Longest time of one run of the submission, in seconds."""
        return self._stage.longest_s

    def begin(self, phase: Phase, command: bytes | None, turn_time_s: float) -> Interactor:
        """Return the submission's side of a new phase, which ``command`` begins."""
        self._phase = phase
        return SubmissionDialogue(phase, turn_time_s, command, self._dialogue)

    def finish(self) -> Report | Decision:
        """Wait for the end of a phase; return the suite's report of it, or that the suite has failed."""
        self._phase.end()
        try:
            report = read_report(self._dialogue.wait())
        except SuiteFailed as failure:
            return Decision("internal_error", f"the suite failed: {failure}")
        return report or Decision("internal_error", "the suite failed: its report is refused")


class _SeparateAttempt(SuiteAttempt):
    def __init__(self, session: SeparateSession, command: bytes | None, limits: Limits) -> None:
        longest = limits.model_copy(
            update={
                "wall_time_s": min(limits.wall_time_s * 20 + 60, session.longest_s),
                "output_kib": max(limits.output_kib, WIRE_KIB),
            }
        )
        super().__init__(Execution(longest), "separate")
        self._session = session
        self._phase = Phase()
        self._interactor = session.begin(self._phase, command, limits.wall_time_s)

    @property
    def interactor(self) -> Interactor:
        return self._interactor

    def ended(self, outcome: Outcome) -> None:
        if outcome.kind is OutcomeKind.CANCELLED:
            return
        found = self._session.finish()
        if isinstance(found, Decision):
            self.decision = found
            return
        self._take(found, outcome)
        if self._phase.cut:  # whatever the test made of it
            self.decision = None
            if outcome.kind is OutcomeKind.EXITED and outcome.exit_code == 0:
                self.decision = Decision("runtime_error", "the program ended in the middle of the test")


class SharedSession(_SuiteSession):
    """Suite and submission in one process: its results can be forged by the submission."""

    def _collect(self) -> SuiteAttempt:
        return _SharedAttempt({}, self._suite.limits)

    def _run(self, node: str, following: str, limits: Limits) -> SuiteAttempt:  # noqa: ARG002
        return _SharedAttempt({"run": node}, limits)


class _SharedAttempt(SuiteAttempt):
    """Attempt in one process, and its interactor."""

    def __init__(self, command: dict[str, str], limits: Limits) -> None:
        super().__init__(Execution(limits), "shared")
        self.turn_time_s = limits.wall_time_s
        self._token = secrets.token_hex(16)
        self._command = wire.dump({"token": self._token, **command})
        self._heard: Report | None = None

    @property
    def interactor(self) -> Interactor:
        return self

    def begin(self) -> bytes:
        return self._command

    def reply(self, line: bytes) -> bytes | None:
        if line.startswith(wire.REPORT):
            with suppress(wire.WireError):
                report = read_report(wire.load(line[len(wire.REPORT) :]))
                if report is not None and report.token == self._token:
                    self._heard = report
                    return None
        return b""

    def overhear(self, output: bytes) -> None:
        """Ignore what comes after the report."""

    def ended(self, outcome: Outcome) -> None:
        if self._heard is not None and outcome.kind is not OutcomeKind.CANCELLED:
            self._take(self._heard, outcome)
        elif outcome.kind is OutcomeKind.EXITED and outcome.exit_code == 0:
            self.decision = Decision("runtime_error", "the program ended before the test did")
