"""Sessions of graders whose tests are code of the instructor's: a suite that runs beside the submission, or with it.

``SeparateSession``: the suite runs in a sandbox of its own, from the first test to the last. The submission runs once
for each test, in a process of its own, and does what the suite asks. ``SharedSession``: both run in one process, once
for each test.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from rlplatform.errors import SandboxFault, ServiceError
from rlplatform.evaluation.checkers.base import Checker
from rlplatform.evaluation.graders.base import Decision, Grader, Refusal, Session, Stage, TestAttempt
from rlplatform.evaluation.suites.dialogues import (
    Phase,
    SubmissionDialogue,
    SuiteDialogue,
    SuiteFailed,
)
from rlplatform.evaluation.suites.guest import wire
from rlplatform.evaluation.suites.reports import Node, Report, read_report
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program
from rlplatform.sandbox.ports import Interactor, Sandbox

log = logging.getLogger(__name__)

MAX_SESSION_S = 3600.0
WIRE_KIB = 16 << 10
_JOIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Suite:
    """Suite of a grader: its program, the limits of its process, and what the tests of a request become.

    ``select`` returns the tests for the nodes that were found, or says why there are none.
    """

    program: Program
    limits: Limits
    select: Callable[[Sequence[Node], Sequence[Any]], list[Any] | str]
    node_of: Callable[[Any], str]


class _SuiteSession(Session):
    """Common part: the first run collects the suite's nodes, each further run is one of them."""

    def __init__(self, grader: Grader, checker: Checker, stage: Stage, suite: Suite) -> None:
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
            if (total := len(found) * self._limits.wall_time_s) > MAX_SESSION_S:
                why = f"{len(found)} tests of {self._limits.wall_time_s:g} s may take {total:g} s of wall time"
                attempt.decision = Decision("internal_error", f"{why}; at most {MAX_SESSION_S:g} s are accepted")
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

    def __init__(self, grader: Grader, checker: Checker, stage: Stage, suite: Suite) -> None:
        super().__init__(grader, checker, stage, suite)
        self._dialogue = SuiteDialogue(suite.limits.wall_time_s)
        self._phase = Phase()
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._cancelled = False
        self._thread: threading.Thread | None = None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._sandbox is not None:
                self._sandbox.cancel()

    def close(self) -> None:
        self._phase.end()
        self._dialogue.stop()
        if self._thread is not None:
            self._thread.join(1.0)
            if self._thread.is_alive():
                self.cancel()
                self._thread.join(_JOIN_S)
            self._thread = None

    def _collect(self) -> SuiteAttempt:
        self._thread = threading.Thread(target=self._run_suite, name="suite", daemon=True)
        self._thread.start()
        return _SeparateAttempt(self, None, self._limits)

    def _run(self, node: str, following: str, limits: Limits) -> SuiteAttempt:
        return _SeparateAttempt(self, wire.dump({"run": node, "next": following}), limits)

    def _run_suite(self) -> None:
        limits = self._suite.limits.model_copy(update={"wall_time_s": MAX_SESSION_S, "output_kib": WIRE_KIB * 4})
        try:
            sandbox = self._stage.open_beside(self._suite.program, limits, self._stage.image)
            try:
                with self._lock:
                    self._sandbox = sandbox
                    if self._cancelled:
                        sandbox.cancel()
                with closing(sandbox.run(Execution(limits), self._dialogue)) as outcome:
                    self._dialogue.end(SuiteFailed(_how_it_ended(outcome, self._suite.limits)))
            finally:
                with self._lock:
                    self._sandbox = None
                sandbox.close()
        except ServiceError as error:
            self._dialogue.end(error)
        except BaseException as error:
            log.exception("the suite's sandbox failed")
            self._dialogue.end(SandboxFault(f"the suite's sandbox failed: {error!r}"))

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
                "wall_time_s": min(limits.wall_time_s * 20 + 60, MAX_SESSION_S),
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


def _how_it_ended(outcome: Outcome, limits: Limits) -> str:
    last = outcome.stderr.decode("utf-8", "replace").rstrip().rpartition("\n")[2][:300]
    match outcome.kind:
        case OutcomeKind.COMPILE_FAILED:
            return f"it does not compile: {outcome.detail}"
        case OutcomeKind.CPU_TIME_EXCEEDED:
            return f"it used more than {limits.cpu_time_s:g} s of CPU time (grader.limits.cpu_time_s)"
        case OutcomeKind.WALL_TIME_EXCEEDED:
            return (
                f"a test took more than {limits.wall_time_s:g} s outside of the submission (grader.limits.wall_time_s)"
            )
        case OutcomeKind.MEMORY_EXCEEDED:
            return f"it used more than {limits.memory_mib} MiB of memory (grader.limits.memory_mib)"
        case OutcomeKind.EXITED:
            return f"exit status {outcome.exit_code}: {last or 'no message on stderr'}"
    return f"{outcome.kind.value}: {outcome.detail or outcome.signal or last}"
