"""When a child has ended: something to poll for, on kernels with descriptors of processes and without."""

from __future__ import annotations

import errno
import os
import signal
import socket
from contextlib import suppress


class ChildWatcher:
    """Of the child ``pid``, which is not reaped here. ``descriptor`` becomes readable when it has ended, at the latest;
    on a kernel without pidfds (gVisor) also when any other process has, or pretends to have."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._woken: socket.socket | None = None
        try:
            self.descriptor = os.pidfd_open(pid)
        except OSError as error:
            if error.errno != errno.ENOSYS:
                raise
            self._wait_for_signals()

    def has_come(self) -> bool:
        """Whether it has ended."""
        if self._woken is not None:
            with suppress(BlockingIOError):
                while self._woken.recv(4096):
                    pass
        return os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def close(self) -> None:
        if self._woken is None:
            os.close(self.descriptor)
            return
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._woken.close()
        self._wake.close()

    def _wait_for_signals(self) -> None:
        self._woken, self._wake = socket.socketpair()  # sockets, unlike pipes, cannot be opened through /proc
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self.descriptor = self._woken.fileno()
        signal.signal(signal.SIGCHLD, _nothing)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        self._wake.send(b"\0")  # it may have ended before anybody listened


def _nothing(number: int, frame: object) -> None: ...
