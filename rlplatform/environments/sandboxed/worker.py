"""One process in a sandbox that serves users' code: it starts again after a crash, a hang or too much memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from rlplatform.environments.sandboxed.faults import Fault, FaultLog
from rlplatform.environments.sandboxed.guest.memory import DONE, MESSAGE_BYTES, STEP, Arrays
from rlplatform.environments.sandboxed.shared_memory import SharedMemory
from rlplatform.environments.sandboxed.user_code import UserCode, program_of
from rlplatform.errors import EngineError, SandboxFault
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.ports import Session, SessionEnd, SessionEnded, SessionSandbox

START_S = 60.0
STEP_S = 20.0
_MAX_STARTS = 3
_MAX_SANDBOXES = 3


class OpenSandbox(Protocol):
    """Function that opens sandboxes for sessions."""

    def __call__(self, program: Program, limits: Limits, image: str | None, /) -> SessionSandbox:
        """Return a sandbox with ``program`` loaded. Raises as ``SessionSource.open``."""


class SessionSource(Protocol):
    """Source of sandboxes that can run sessions."""

    def open(self, program: Program, limits: Limits, image: str | None) -> SessionSandbox:
        """Return a sandbox with ``program`` loaded.

        Raises:
            SandboxUnavailable: there is none on this machine.
            SandboxFault: it could not be made.
        """

    def close(self) -> None:
        """End all of its sandboxes. Idempotent."""


class Worker:
    """A process that serves ``code`` by ``plan``. :meth:`begin` sends a command, :meth:`finish` waits for it."""

    def __init__(
        self,
        open_sandbox: OpenSandbox,
        code: UserCode,
        plan: Mapping[str, Any],
        faults: FaultLog,
        *,
        step_s: float = STEP_S,
    ) -> None:
        """Start the process.

        Raises:
            EngineError: the code cannot even be started.
            SandboxUnavailable: there is no sandbox on this machine.
        """
        self._open, self._code, self._faults, self._step_s = open_sandbox, code, faults, step_s
        self._program = program_of(code.files, plan)
        self._memory = SharedMemory(plan)
        self._limits = Limits(memory_mib=min(2048, code.memory_mib + (self._memory.size_bytes >> 20) + 1), processes=64)
        self._sandbox: SessionSandbox | None = None
        self._session: Session | None = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def arrays(self) -> Arrays:
        """The shared arrays. What the process wrote there is to be copied before it is checked."""
        return self._memory.arrays

    def message(self) -> str:
        """Return what the process said about the faults of its last command."""
        data = bytes(self.arrays["message"][: MESSAGE_BYTES - 1]).partition(b"\0")[0]
        return data.decode("utf-8", "replace")

    def begin(self, command: bytes = STEP) -> None:
        """Send the command to carry out what is in the arrays."""
        assert self._session is not None
        with suppress(SessionEnded):  # waiting tells
            self._session.send(command)

    def finish(self, copies: int) -> bool:
        """Wait until the command is carried out.

        Returns:
            False: the process ended instead, with all of its ``copies``; it is noted as a fault, and it runs again.

        Raises:
            EngineError: it does not start again, or there were too many faults.
        """
        assert self._session is not None
        try:
            self._expect_done(self._session, self._step_s)
        except (SessionEnded, SandboxFault) as error:
            self._lost(error, copies)
            return False
        return True

    def close(self) -> None:
        """End the process. Idempotent."""
        self._end_session()
        self._end_sandbox()
        self._memory.close()

    def _expect_done(self, session: Session, timeout_s: float) -> None:
        answer = session.wait(timeout_s)
        if answer != DONE:
            session.close()
            raise SessionEnded(SessionEnd.CRASHED, "it wrote to the channel of the driver")

    def _lost(self, error: SessionEnded | SandboxFault, copies: int) -> None:
        self._end_session()
        if isinstance(error, SandboxFault):  # the platform's failure is no fault of the user
            self._end_sandbox()
        else:
            self._faults.add(Fault(self._code.label, error.end.value, copies, str(error)))
        self._start()

    def _start(self) -> None:
        starts = 0
        while True:
            session = self._open_session()
            try:
                self._expect_done(session, START_S)
                self._session = session
                return
            except SandboxFault:
                self._end_sandbox()
                starts += 1
                if starts >= _MAX_SANDBOXES:
                    raise
            except SessionEnded as error:
                starts += 1
                if starts >= _MAX_STARTS:
                    raise EngineError(f"{self._code.label} cannot be started ({error.end.value}): {error}") from error
                time.sleep(0.05)
            session.close()

    def _open_session(self) -> Session:
        for attempt in range(1, _MAX_SANDBOXES + 1):
            try:
                if self._sandbox is None:
                    self._sandbox = self._open(self._program, self._limits, self._code.image)
                return self._sandbox.open_session(self._memory.descriptor, self._limits)
            except SandboxFault:
                self._end_sandbox()
                if attempt == _MAX_SANDBOXES:
                    raise
        raise AssertionError("unreachable")

    def _end_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(SandboxFault):
                session.close()

    def _end_sandbox(self) -> None:
        sandbox, self._sandbox = self._sandbox, None
        if sandbox is not None:
            sandbox.close()
