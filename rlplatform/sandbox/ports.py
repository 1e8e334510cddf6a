"""Ports of the sandbox: pool, sandbox, and the partner of a dialogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rlplatform.sandbox.models import Execution, Limits, Outcome, PoolStatus, Program, SandboxInfo, Tier


class Interactor(Protocol):
    """A trusted conversation partner of an interactive program, on the host. Lines come without their newline."""

    @property
    def turn_time_s(self) -> float:
        """Seconds that the program may take until its next line; longer is ``WALL_TIME_EXCEEDED``."""

    def begin(self) -> bytes:
        """Return the first bytes for the program's stdin, after the execution's own ``stdin``."""

    def reply(self, line: bytes) -> bytes | None:
        """Return the answer to one line of the program (may be empty); None ends the conversation and the stdin."""

    def overhear(self, output: bytes) -> None:
        """Take note of what the program writes after the end of the conversation, in pieces of any size."""


class Sandbox(Protocol):
    """One submission's sandbox, loaded with its program. Blocking; one thread at a time, except for :meth:`cancel`."""

    @property
    def info(self) -> SandboxInfo:
        """Tier, runtime and digests, for the result."""

    def run(
        self,
        execution: Execution,
        interactor: Interactor | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        """Run the program once, in a fresh process; with an ``interactor``, its stdout is answered line by line.

        ``on_stdout`` gets stdout as it comes, in this thread, and empty bytes now and then while nothing comes.

        :raises InvalidRequest: an argument of the call cannot be passed as JSON.
        :raises SandboxFault: the sandbox failed, not the program. The sandbox must then be closed.
        """

    def cancel(self) -> None:
        """From another thread: kill what runs; the pending :meth:`run` returns ``OutcomeKind.CANCELLED``."""

    def close(self) -> None:
        """Abandon the sandbox.

        Idempotent; all its processes are killed, and its container is removed within seconds.
        """


class SandboxPool(Protocol):
    """Source of sandboxes. Thread-safe."""

    def open(self, program: Program, limits: Limits, tier: Tier, tenant: str = "") -> Sandbox:
        """A sandbox for one submission, with ``program`` loaded; ``limits`` are the largest its executions ask for.

        Tier *jail* reuses a container, but never for another ``tenant``.

        :raises SandboxUnavailable: none can be had: no engine, no image, a tier that is not configured.
        :raises SandboxFault: one failed while being prepared.
        """

    def status(self) -> PoolStatus:
        """Return whether sandboxes can be had, and the counters."""

    def close(self) -> None:
        """Remove every container of this pool. Idempotent."""
