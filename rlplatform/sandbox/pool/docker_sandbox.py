"""Single-use container of one submission, behind the port ``Sandbox``."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.execution.control_channel import Report
from rlplatform.sandbox.execution.outcomes import outcome_of
from rlplatform.sandbox.execution.program_execution import ProgramExecution
from rlplatform.sandbox.execution.session import SessionExecution
from rlplatform.sandbox.guest.protocol import MANY, NONE
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, SandboxInfo, Usage
from rlplatform.sandbox.pool.container import Container
from rlplatform.sandbox.pool.data_folder import TEST_FILES
from rlplatform.sandbox.ports import Interactor


class DockerSandbox:
    """A loaded container. A fresh one replaces it after a test that left traces in it.

    Args:
        core: The core that it runs on.
        release: Called once, at the end, with the container (None if there is none) and True if it is sound.
        renew: Replaces a container, given the number of tests so far, and the number of those that left traces.
    """

    def __init__(
        self,
        container: Container,
        info: SandboxInfo,
        core: int,
        release: Callable[[Container | None, bool], None],
        renew: Callable[[Container, int, int], Container],
    ) -> None:
        self._container: Container | None = container
        self._container_id = container.id
        self._info, self._release, self._renew = info, release, renew
        self.core = core
        self._tests = self._dirty = 0
        self._spent = False
        self._lock = threading.Lock()
        self._running: ProgramExecution | None = None
        self._cancelled = self._closed = False
        self._fault: str | None = None

    @property
    def info(self) -> SandboxInfo:
        return self._info

    @property
    def container_id(self) -> str:
        """Id of the current or last container, for operators."""
        return self._container_id

    def run(
        self,
        execution: Execution,
        interactor: Interactor | DuplexEnd | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        self._refresh()
        with self._lock:
            if self._closed:
                raise SandboxFault("the sandbox is closed")
            if self._fault:
                raise SandboxFault(f"the sandbox cannot be used any more: {self._fault}")
            if self._cancelled:
                return Outcome(OutcomeKind.CANCELLED, Usage(0.0, 0.0, 0))
            inside = self._container
            assert inside is not None
            links = inside.data.add(execution.files, TEST_FILES)
            running = self._running = ProgramExecution(
                inside.channel, inside.cgroup, inside.user, execution, interactor, on_stdout, links
            )
        try:
            inside.apply(execution.limits)
            evidence = running.run()
            if evidence.report is None:
                self._fault = "it died"
            elif not evidence.report.clean or not inside.is_quiet():
                self._fault = "an execution left something behind"
            else:
                self._tests += 1
                self._dirty += evidence.report.traces != NONE
                self._spent = evidence.report.traces == MANY
            return outcome_of(evidence, execution)
        except SandboxFault as fault:
            self._fault = str(fault)
            raise
        except BaseException:
            self._fault = "an execution was abandoned"
            raise
        finally:
            inside.data.remove(TEST_FILES)
            with self._lock:
                self._running = None

    def open_session(self, memory: int, limits: Limits) -> SessionExecution:
        """Start a session, as the port ``SessionSandbox`` says, on any of the node's cores that sandboxes may use."""
        self._refresh()
        with self._lock:
            if self._closed or self._fault:
                raise SandboxFault(f"the sandbox cannot be used any more: {self._fault or 'it is closed'}")
            inside = self._container
            assert inside is not None
        try:
            inside.apply(limits)
            inside.unpin()
            return SessionExecution(inside.channel, inside.cgroup, inside.user, limits, memory, self._end_session)
        except BaseException as error:
            self._fault = str(error)
            raise

    def _end_session(self, report: Report | None) -> None:
        if report is None:
            self._fault = "it died"
            return
        self._tests += 1
        self._dirty += report.traces != NONE
        self._spent = report.traces == MANY
        if not report.clean:
            self._fault = "a session left something behind"

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._running is not None:
                self._running.cancel()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._release(self._container, self._fault is None)

    def _refresh(self) -> None:
        """Replace the container if the last test left traces in it.

        Raises:
            SandboxFault: no fresh container could be made.
        """
        with self._lock:
            if not self._spent or self._closed or self._cancelled or self._fault:
                return
            spent, self._container, self._spent = self._container, None, False
        assert spent is not None
        try:
            fresh = self._renew(spent, self._tests, self._dirty)
        except BaseException as error:
            self._fault = f"no fresh sandbox for the next test: {error}"
            raise
        with self._lock:
            self._container, self._container_id = fresh, fresh.id
