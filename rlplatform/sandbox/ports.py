"""Ports of the sandbox: pool, sandbox, and interactor."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from rlplatform.sandbox.duplex import DuplexEnd
from rlplatform.sandbox.models import Execution, Limits, Outcome, PoolStatus, Program, SandboxInfo, Tier


class Interactor(Protocol):
    """Trusted partner of an interactive program's dialogue, run on the host. Lines are passed without their newline."""

    @property
    def turn_time_s(self) -> float:
        """Seconds that the program may take until its next line. A longer turn is ``WALL_TIME_EXCEEDED``."""

    def begin(self) -> bytes:
        """Return the first bytes for the program's stdin, after the execution's own ``stdin``."""

    def reply(self, line: bytes) -> bytes | None:
        """Return the answer to one line of the program (may be empty); None ends the dialogue and the program's
        stdin."""

    def overhear(self, output: bytes) -> None:
        """Receive the program's output after the end of the dialogue, in pieces of any size."""


class SessionEnd(StrEnum):
    """Way in which a session ended that should not have."""

    CRASHED = "crash"
    HUNG = "hang"
    OUT_OF_MEMORY = "memory"


class SessionEnded(Exception):
    """The program of a session has ended, or had to be ended."""

    def __init__(self, end: SessionEnd, reason: str) -> None:
        super().__init__(reason)
        self.end = end


class Session(Protocol):
    """Program that keeps running and answers commands of one byte, over memory that it shares with the host.

    Blocking; one thread at a time. Everything in the memory is the program's word, at any moment.
    """

    def send(self, command: bytes) -> None:
        """Send a command of one byte. Raises ``SessionEnded`` if the program is known to have ended."""

    def wait(self, timeout_s: float) -> bytes:
        """Return what the program answers: anything of at least one byte.

        Raises:
            SessionEnded: it ended, or did not answer in time and was ended.
            SandboxFault: the sandbox failed, not the program.
        """

    def close(self) -> None:
        """End the program. Idempotent."""


class SessionSandbox(Protocol):
    """Sandbox that can run its program as a session. Sessions follow each other."""

    def open_session(self, memory: int, limits: Limits) -> Session:
        """Start the program. ``memory`` is a descriptor that the program finds as ``protocol.MEMORY_FD``.

        Only the limits of memory and processes apply.

        Raises:
            SandboxFault: the sandbox failed. It must then be closed.
        """

    def close(self) -> None:
        """Close the sandbox, as ``Sandbox.close``."""


class Sandbox(SessionSandbox, Protocol):
    """One submission's sandbox, loaded with its program. Blocking; one thread at a time, except for :meth:`cancel`."""

    @property
    def info(self) -> SandboxInfo:
        """Tier, runtime and digests, for the result."""

    def run(
        self,
        execution: Execution,
        interactor: Interactor | DuplexEnd | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        """Run the program once, in a fresh process.

        Args:
            execution: Input and limits of the run.
            interactor: Answers the program's stdout line by line; a ``DuplexEnd`` connects it with another program.
            on_stdout: Called in this thread with stdout as it arrives, and with empty bytes from time to time in
                between.

        Raises:
            InvalidRequest: an argument of the call cannot be passed as JSON.
            SandboxFault: the sandbox failed, not the program. The sandbox must then be closed.
        """

    def cancel(self) -> None:
        """Kill the running program, from another thread. The pending :meth:`run` returns ``OutcomeKind.CANCELLED``."""

    def close(self) -> None:
        """Close the sandbox: all its processes are killed, and its container is removed within seconds.

        Idempotent.
        """


class SandboxPool(Protocol):
    """Source of sandboxes. Thread-safe."""

    def open(
        self,
        program: Program,
        limits: Limits,
        tier: Tier,
        tenant: str = "",
        *,
        image: str | None = None,
        beside: Sandbox | None = None,
    ) -> Sandbox:
        """Return a sandbox for one submission, with ``program`` loaded.

        Tier *jail* reuses a container, but never for another ``tenant``.

        Args:
            program: The submission.
            limits: The largest limits of its executions.
            tier: Isolation.
            tenant: Tenant of the submission.
            image: Name of the image to run in; None: the pool's default.
            beside: An open sandbox of this pool that is idle whenever the new one runs, for example the submission's
                while its checker runs. The two share a slot and a core; ``beside`` must be closed last.

        Raises:
            SandboxUnavailable: no engine, no image, or a tier that is not configured.
            SandboxFault: the sandbox failed while it was prepared, or the pool does not have the image.
        """

    def status(self) -> PoolStatus:
        """Return the pool's counters, and whether sandboxes are available."""

    def close(self) -> None:
        """Remove every container of this pool. Idempotent."""
