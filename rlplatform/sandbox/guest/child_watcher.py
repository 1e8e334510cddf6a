"""Watch for the end of a child, with a pollable descriptor, on kernels with and without pidfds."""

from __future__ import annotations

import errno
import os
import signal
import socket
from contextlib import suppress


class ChildWatcher:
    """Watcher of the child ``pid``, which is not reaped here.

    ``descriptor`` becomes readable at the latest when the child has ended. On a kernel without pidfds (gVisor) it also
    becomes readable when any other process ends, or pretends to.
    """

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
        """Return True if the child has ended."""
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
