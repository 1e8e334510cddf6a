"""The few system calls that the standard library does not offer."""

from __future__ import annotations

import ctypes

_PR_SET_DUMPABLE = 4


class _Kernel:
    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)

    def set_dumpable(self, dumpable: bool) -> None:
        """Whether others of the same user may look into this process (``/proc/<pid>/mem``, ptrace)."""
        self._libc.prctl(_PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


kernel = _Kernel()
