"""Two dialogues that take turns: a suite asks, a submission answers, each in a sandbox and a thread of its own.

Lines are handed over unread. At any time at least one of the two programs works, under the limits of its own run.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue

from rlplatform.evaluation.suites.guest import wire

ENDED = wire.dump(wire.ENDED)
MAX_REPORT_BYTES = 4 << 20


class Phase:
    """One run of the submission: the suite's requests and the answers to them."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[bytes | None] = SimpleQueue()
        self._answers: SimpleQueue[bytes] = SimpleQueue()
        self._lock = threading.Lock()
        self._ended = False
        self.cut = False
        """True if the submission ended before all requests were answered."""

    def ask(self, line: bytes) -> bytes:
        """Hand a request to the submission and wait for its answer; at once ``ENDED`` if it has ended."""
        with self._lock:
            if self._ended:
                self.cut = True
                return ENDED
            self._requests.put(line)
        answer = self._answers.get()
        self.cut |= answer == ENDED
        return answer

    def answer(self, line: bytes) -> None:
        """Hand an answer to the suite."""
        self._answers.put(line)

    def next_request(self) -> bytes | None:
        """Wait for a request; None: there will be none."""
        return self._requests.get()

    def finish(self) -> None:
        """Tell the submission that there are no more requests."""
        self._requests.put(None)

    def end(self) -> None:
        """Take note that the submission has ended. Idempotent."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._answers.put(ENDED)


class SubmissionDialogue:
    """Interactor of the submission in one phase."""

    def __init__(self, phase: Phase, turn_time_s: float, on_begin: bytes | None, suite: SuiteDialogue) -> None:
        self.turn_time_s = turn_time_s
        self._phase, self._command, self._suite = phase, on_begin, suite
        self._ready = False

    def begin(self) -> bytes:
        """Let the suite begin with the phase; it may ask before the submission is there."""
        self._suite.start(self._phase, self._command)
        return b""

    def reply(self, line: bytes) -> bytes | None:
        """Hand an answer to the suite, and return its next request. The first line says that the program is ready."""
        if self._ready:
            self._phase.answer(line + b"\n")
        self._ready = True
        request = self._phase.next_request()
        return None if request is None else request + b"\n"

    def overhear(self, output: bytes) -> None:
        """Ignore what comes after the end of the phase."""


class SuiteFailed(Exception):
    """The suite has ended without the report that was due. Says why."""


class SuiteDialogue:
    """Interactor of the suite over all phases."""

    def __init__(self, turn_time_s: float) -> None:
        self.turn_time_s = turn_time_s
        self._commands: SimpleQueue[bytes | None] = SimpleQueue()
        self._reports: SimpleQueue[bytes | BaseException] = SimpleQueue()
        self._phase = Phase()
        self._over: BaseException | None = None

    def start(self, phase: Phase, command: bytes | None) -> None:
        """Begin a phase with a command to the suite; None: it has begun by itself."""
        self._phase = phase
        if command is not None:
            self._commands.put(command)
        if self._over is not None:
            phase.finish()

    def wait(self) -> dict[str, object]:
        """Return the suite's report of this phase.

        Raises:
            SuiteFailed: it has ended without one.
        """
        return self._message_of(self._next_report())

    def _next_report(self) -> bytes:
        """Wait for a report; raise what has ended the suite if there will be none."""
        report = self._reports.get()
        if isinstance(report, BaseException):
            self._reports.put(report)
            raise report
        return report

    @staticmethod
    def _message_of(report: bytes) -> dict[str, object]:
        try:
            if len(report) > MAX_REPORT_BYTES:
                raise wire.WireError(f"a report of {len(report)} bytes")
            return wire.load(report)
        except wire.WireError as error:
            raise SuiteFailed(f"its report is refused: {error}") from None

    def stop(self) -> None:
        """Tell the suite that there are no more commands."""
        self._commands.put(None)

    def end(self, why: BaseException) -> None:
        """Take note that the suite has ended: nothing waits for it any more."""
        self._over = why
        self._reports.put(why)
        self._phase.finish()

    def begin(self) -> bytes:
        """Say nothing: the suite begins by itself."""
        return b""

    def reply(self, line: bytes) -> bytes | None:
        """Hand a request to the submission, or a report to the judge, and wait for the answer or the next command."""
        if not line.startswith(wire.REPORT):
            return self._phase.ask(line)
        self._reports.put(line[len(wire.REPORT) :])
        self._phase.finish()
        return self._commands.get()

    def overhear(self, output: bytes) -> None:
        """Ignore what comes after the last report."""
