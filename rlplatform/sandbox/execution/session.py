"""Session: a program that keeps running in a sandbox and answers one command of a byte with another byte.

Data goes through memory that host and program share. The program may write anything there at any time: copy first, then
check the copy.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from contextlib import suppress

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.cgroups import Cgroup
from rlplatform.sandbox.execution.control_channel import Channel, Report, parse_records, parse_report
from rlplatform.sandbox.execution.patience import STOP_GRACE_S
from rlplatform.sandbox.execution.pipes import OutputPipe, StdinPipe
from rlplatform.sandbox.models import Limits
from rlplatform.sandbox.ports import SessionEnd, SessionEnded

_UNLIMITED_CPU_S = 10**8
_LEASE_S = 6 * 3600.0
_RENEW_S = 60.0
_STDERR_KEPT = 8 << 10
_RECORDS_MOST = 16 << 10


class SessionExecution:
    """One run of a loaded program as a session: the port ``Session``. One thread at a time."""

    def __init__(
        self,
        channel: Channel,
        cgroup: Cgroup,
        user: int,
        limits: Limits,
        memory: int,
        on_end: Callable[[Report | None], None],
    ) -> None:
        """Start the program. ``memory`` is a descriptor; ``on_end`` is called once, with what the guest reports.

        Raises:
            SandboxFault: the sandbox does not take the command.
        """
        self._channel, self._cgroup, self._on_end = channel, cgroup, on_end
        self._stdin, self._stdout = StdinPipe(), OutputPipe(0, _RECORDS_MOST)
        self._stderr, self._records = OutputPipe(0, _RECORDS_MOST), OutputPipe(_RECORDS_MOST, _RECORDS_MOST)
        self._tail = b""
        self._ended: SessionEnded | None = None
        self._renewed_at = time.monotonic()
        self._poll = select.poll()
        for descriptor in (self._stdout.host, self._stderr.host, self._records.host, channel.fileno()):
            self._poll.register(descriptor, select.POLLIN)
        cgroup.begin()
        order = {
            "op": "run",
            "call": False,
            "cpu_s": _UNLIMITED_CPU_S,
            "memory_mib": limits.memory_mib,
            "lease_s": _LEASE_S,
        }
        pipes = (self._stdin, self._stdout, self._stderr, self._records)
        try:
            for pipe in pipes[:3]:
                pipe.open_to(user)
            channel.send(order, [*(pipe.child for pipe in pipes), memory])
        except BaseException:
            self._close_pipes()
            on_end(None)
            raise
        for pipe in pipes:
            pipe.close_child()

    def send(self, command: bytes) -> None:
        """Send a command of one byte."""
        if self._ended is not None:
            raise self._ended
        if (now := time.monotonic()) - self._renewed_at > _RENEW_S:
            self._renewed_at = now
            self._channel.send({"op": "ping"})
        with suppress(BrokenPipeError, BlockingIOError):  # it has ended, or does not read: waiting shows which
            os.write(self._stdin.host, command)

    def wait(self, timeout_s: float) -> bytes:
        """Return what the program answers, usually one byte."""
        if self._ended is not None:
            raise self._ended
        deadline = time.monotonic() + timeout_s
        while True:
            ready = [descriptor for descriptor, _ in self._poll.poll(max(0.0, deadline - time.monotonic()) * 1000)]
            if self._stdout.host in ready:
                if answer := self._read(self._stdout.host):
                    return answer
                self._poll.unregister(self._stdout.host)
            if self._stderr.host in ready:
                self._hear(self._stderr.host)
            if self._records.host in ready and self._records.pull() == b"":
                self._poll.unregister(self._records.host)
            if self._channel.fileno() in ready:
                raise self._finish(None)
            if time.monotonic() >= deadline:
                self._channel.send({"op": "kill"})
                raise self._finish(f"no answer within {timeout_s:g} s")

    def close(self) -> None:
        """End the program. Idempotent."""
        if self._ended is None:
            with suppress(SandboxFault):
                self._channel.send({"op": "kill"})
                self._finish("closed")
                return
            self._settle(SessionEnded(SessionEnd.CRASHED, "the sandbox is gone"), None)

    def _finish(self, overdue: str | None) -> SessionEnded:
        """Read the guest's report, which has come or comes at once, and say how the program ended."""
        try:
            message = self._channel.receive(STOP_GRACE_S)
        except SandboxFault:
            message = None
        report = parse_report(message) if message is not None else None
        self._hear(self._stderr.host)
        self._records.drain()
        records = parse_records(self._records.captured().data, "")
        said = self._tail.decode("utf-8", "replace").strip()
        with suppress(SandboxFault):
            if report is not None and (self._cgroup.oom_kills() or records.memory_refused):
                return self._settle(SessionEnded(SessionEnd.OUT_OF_MEMORY, "it used more memory than it may"), report)
        if overdue is not None:
            return self._settle(SessionEnded(SessionEnd.HUNG, overdue), report)
        if records.compile_fault is not None:
            return self._settle(SessionEnded(SessionEnd.CRASHED, records.compile_fault), report)
        how = "the sandbox is gone" if report is None else _described(report.status)
        return self._settle(SessionEnded(SessionEnd.CRASHED, f"{how}\n{said}" if said else how), report)

    def _settle(self, ended: SessionEnded, report: Report | None) -> SessionEnded:
        self._ended = ended
        self._close_pipes()
        self._on_end(report)
        return ended

    def _close_pipes(self) -> None:
        for pipe in (self._stdin, self._stdout, self._stderr, self._records):
            pipe.close()

    def _hear(self, descriptor: int) -> None:
        data = self._read(descriptor)
        if data == b"":
            with suppress(KeyError):
                self._poll.unregister(descriptor)
        self._tail = (self._tail + (data or b""))[-_STDERR_KEPT:]

    @staticmethod
    def _read(descriptor: int) -> bytes | None:
        try:
            return os.read(descriptor, 4096)
        except BlockingIOError:
            return None


def _described(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"it was ended by signal {os.WTERMSIG(status)}"
    return f"it ended with exit status {os.WEXITSTATUS(status)}"
