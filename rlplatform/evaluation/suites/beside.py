"""A suite in a sandbox and a thread of its own, from the first test of a submission to the last."""

from __future__ import annotations

import logging
import threading
from contextlib import closing

from rlplatform.errors import SandboxFault, ServiceError
from rlplatform.evaluation.graders.base import Stage
from rlplatform.evaluation.sandbox_ends import describe_end
from rlplatform.evaluation.suites.dialogues import SuiteDialogue, SuiteFailed
from rlplatform.evaluation.suites.suite import WIRE_KIB, Suite
from rlplatform.sandbox.models import Execution, Outcome, OutcomeKind
from rlplatform.sandbox.ports import Sandbox

log = logging.getLogger(__name__)

_JOIN_S = 30.0


class SuiteBeside:
    """Runs a suite beside a submission, with ``dialogue`` as its interactor."""

    def __init__(self, stage: Stage, suite: Suite, dialogue: SuiteDialogue) -> None:
        self._stage, self._suite, self._dialogue = stage, suite, dialogue
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None
        self._cancelled = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the suite's thread."""
        self._thread = threading.Thread(target=self._run_suite, name="suite", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """From another thread: end the suite."""
        with self._lock:
            self._cancelled = True
            if self._sandbox is not None:
                self._sandbox.cancel()

    def close(self) -> None:
        """Let the suite end by itself, or end it. Idempotent."""
        self._dialogue.stop()
        if self._thread is not None:
            self._thread.join(1.0)
            if self._thread.is_alive():
                self.cancel()
                self._thread.join(_JOIN_S)
            self._thread = None

    def _run_suite(self) -> None:
        dialogue = self._dialogue
        limits = self._suite.limits.model_copy(
            update={"wall_time_s": self._stage.longest_s, "output_kib": WIRE_KIB * 4}
        )
        try:
            sandbox = self._stage.open_beside(self._suite.program, limits, self._stage.image)
            try:
                with self._lock:
                    self._sandbox = sandbox
                    if self._cancelled:
                        sandbox.cancel()
                with closing(sandbox.run(Execution(limits), dialogue)) as outcome:
                    dialogue.end(SuiteFailed(self._how_it_ended(outcome)))
            finally:
                with self._lock:
                    self._sandbox = None
                sandbox.close()
        except ServiceError as error:
            dialogue.end(error)
        except BaseException as error:
            log.exception("the suite's sandbox failed")
            dialogue.end(SandboxFault(f"the suite's sandbox failed: {error!r}"))

    def _how_it_ended(self, outcome: Outcome) -> str:
        limits = self._suite.limits
        if outcome.kind is OutcomeKind.WALL_TIME_EXCEEDED:
            return (
                f"a test took more than {limits.wall_time_s:g} s outside of the submission (grader.limits.wall_time_s)"
            )
        return describe_end(outcome, limits, "grader")
