"""One test in which a submission and an interactor talk, each in a sandbox and a thread of its own."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from rlplatform.errors import SandboxFault
from rlplatform.evaluation.checkers.base import CheckerFailed, Finding, SecondSandbox
from rlplatform.evaluation.checkers.conventions import AnsweringProgram
from rlplatform.evaluation.checkers.program import place
from rlplatform.evaluation.graders.base import Decision, TestAttempt
from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind
from rlplatform.sandbox.ports import Sandbox


class InteractiveAttempt(TestAttempt):
    """Attempt at a test of ``interactive``.

    Whoever ends first counts: a submission that has been told that it is wrong may end as it likes, and one that fails
    by itself gets its own verdict, whatever the interactor makes of that. An interactor that has to be ended, or that
    fails before the submission has, is at fault itself.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        asked: AnsweringProgram,
        given: Mapping[str, bytes | Path],
        points: float,
        limits: Limits,
    ) -> None:
        super().__init__(Execution(limits))
        most_s = asked.limits.wall_time_s + limits.wall_time_s  # it waits for the submission, too
        asked = asked._replace(limits=asked.limits.model_copy(update={"wall_time_s": most_s}))
        self._sandbox, self._asked, self._points = sandbox, asked, points
        self._end, self._interactors_end = DuplexEnd.pair()
        self._folder = tempfile.TemporaryDirectory(prefix="rlp-interactor-")
        files = {name: place(content, Path(self._folder.name) / name) for name, content in given.items()}
        execution = Execution(asked.limits, files=files, collect=asked.collect)
        self._found: Finding | BaseException | None = None
        self._was_ended = False
        self._thread = threading.Thread(target=self._run, args=(execution,), name="interactor", daemon=True)

    @property
    def interactor(self) -> DuplexEnd:
        """End of the submission; the interactor starts with the first use."""
        if self._thread.ident is None:
            self._thread.start()
        return self._end

    def ended(self, outcome: Outcome) -> None:
        """Wait for the interactor, which has its own limits, and decide what does not depend on the submission's end.

        Raises:
            SandboxFault: the interactor's sandbox failed.
        """
        self._end.hang_up()
        self._thread.join()
        found = self._found
        if isinstance(found, CheckerFailed):
            own_end = outcome.kind is not OutcomeKind.EXITED or outcome.exit_code != 0
            waited = outcome.kind is OutcomeKind.WALL_TIME_EXCEEDED and self._was_ended
            if self._end.was_last or waited or not own_end:
                self.decision = Decision("internal_error", f"the interactor failed: {found}")
        elif isinstance(found, Finding):
            if found.score == 0 and self._end.was_last:
                self.wrong_already = found.message or "wrong answer"
        elif found is not None:
            raise found

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:  # noqa: ARG002 - the interactor has decided
        assert isinstance(self._found, Finding)
        return self._found

    def close(self) -> None:
        self._end.hang_up()
        self._end.close()
        if self._thread.ident is not None and self._thread.is_alive():
            self._sandbox.cancel()  # the submission's sandbox has failed, and both are closed
            self._thread.join()
        self._interactors_end.close()
        self._folder.cleanup()

    def _run(self, execution: Execution) -> None:
        try:
            with closing(self._sandbox.run(execution, self._interactors_end)) as outcome:
                self._was_ended = outcome.kind is not OutcomeKind.EXITED
                self.cpu_time_s = outcome.usage.cpu_time_s
                self._found = self._asked.read(outcome, self._points)
        except (CheckerFailed, SandboxFault) as error:
            self._found = error
        except BaseException as error:
            self._found = SandboxFault(f"the interactor's sandbox failed: {error!r}")
        finally:
            self._interactors_end.hang_up()
