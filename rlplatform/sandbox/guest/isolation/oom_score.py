"""Order of the processes that the kernel kills when memory runs out: the submission first, its runner last."""

from __future__ import annotations

import os

_FIRST = b"1000"


class OomScore:
    """Score of this process, which its children inherit.

    Open it while the process is still dumpable: later its files in ``/proc`` belong to root.
    """

    def __init__(self) -> None:
        self._file = os.open("/proc/self/oom_score_adj", os.O_RDWR)
        self._own = os.pread(self._file, 16, 0)

    def raise_(self) -> None:
        """Have the kernel kill the children forked from here on first."""
        os.pwrite(self._file, _FIRST, 0)

    def restore(self) -> None:
        """Have the kernel kill this process last again."""
        os.pwrite(self._file, self._own, 0)
