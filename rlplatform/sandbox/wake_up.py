"""Signal from another thread to a poll loop."""

from __future__ import annotations

import os
import threading
from contextlib import suppress


class WakeUp:
    """Descriptor that another thread makes readable, to wake a poll loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self._descriptor

    def ring(self) -> None:
        with self._lock:
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)

    def hush(self) -> bool:
        """Clear the signal. True if it was set."""
        with suppress(BlockingIOError):
            return os.eventfd_read(self._descriptor) > 0
        return False

    def close(self) -> None:
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
