"""Who goes first when memory runs out: the submission, not its runner."""

from __future__ import annotations

import os

_FIRST = b"1000"


class OomScore:
    """Of this process, which its children inherit. Open it while the process is still dumpable: later its files in
    ``/proc`` are root's."""

    def __init__(self) -> None:
        self._file = os.open("/proc/self/oom_score_adj", os.O_RDWR)
        self._own = os.pread(self._file, 16, 0)

    def raise_(self) -> None:
        """A child that is forked from here on is the first to go."""
        os.pwrite(self._file, _FIRST, 0)

    def restore(self) -> None:
        """This process goes last again."""
        os.pwrite(self._file, self._own, 0)
