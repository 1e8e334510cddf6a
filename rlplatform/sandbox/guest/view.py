"""The view that a test begins with: the same, whatever the tests before it did.

After each test the memory file systems are emptied and their folders' times and flags put back. Numbers that the kernel
only counts up (inodes, processes) move by one step after a test that made no file and no process, and by ``QUANTUM``
more after one that made a few. A test that made more, or left a trace that cannot be taken back, ends this sandbox: the
host continues in a fresh one, moved on to the same numbers. So of an earlier test one learns only whether it made any.
"""

from __future__ import annotations

import fcntl
import os
import struct
from contextlib import suppress

from .kernel import kernel
from .program import BOX, Program
from .protocol import FEW, MANY, NONE

QUANTUM = 64
_MODES = {BOX: 0o700, "/tmp": 0o1777, "/dev/shm": 0o1777}
_WATCHED = ("/dev", "/dev/pts", "/dev/net")
_SET_FLAGS = 0x40086602
_NO_FLAGS = struct.pack("q", 0)
_PROBE = ".probe"
_FIRST_PID = 24  # the threads of Docker's runtime took a few, not always as many


def open_counter(proc: str) -> int:
    """Open what tells the last process id."""
    return os.open(f"{proc}/loadavg", os.O_RDONLY)


class View:
    """Of one submission. Make it before the first test; ``counter`` is an open ``/proc/loadavg``, which tells the last
    process id, or None where it does not."""

    def __init__(self, counter: int | None) -> None:
        self._counter = counter
        self._pid_step = 1 if counter is not None else 2  # the test's, and that of looking
        for root, mode in _MODES.items():
            os.chmod(root, mode)
        self._folders = {root: os.open(root, os.O_RDONLY | os.O_DIRECTORY) for root in _MODES}
        self._times = {root: self._stat_times(folder) for root, folder in self._folders.items()}
        self._watched = [path for path in _WATCHED if os.path.isdir(path)]
        self._seen = self._look()
        self._inodes = {root: self._next_inode(root) for root in _MODES}
        self._last_pid = self._read_pid()
        self._move_pid(max(0, _FIRST_PID - self._last_pid))
        self._restore_folders()

    def skip(self, program: Program, tests: int, dirty: int) -> None:
        """Move on to where ``tests`` tests of ``program`` would have come, ``dirty`` of which left traces."""
        for root in _MODES:
            self._move_inode(root, tests * self._step(root, program) + dirty * QUANTUM)
        self._move_pid(tests * self._pid_step + dirty * QUANTUM)
        self._restore_folders()

    def restore(self, program: Program) -> tuple[bool, int]:
        """Clean up after a test; whether that worked, and how many traces the test left."""
        clean = True
        for root in _MODES:
            clean = _scrub(root, _MODES[root]) and clean
        if not clean:
            return False, MANY
        beyond = [self._next_inode(root) - self._inodes[root] - self._step(root, program) for root in _MODES]
        beyond.append(self._read_pid() - self._last_pid - self._pid_step)
        traces = NONE
        if any(beyond):
            traces = FEW if max(beyond) <= QUANTUM and min(beyond) >= 0 else MANY
        if self._look() != self._seen:
            traces = MANY
        if traces != MANY:
            padding = QUANTUM if traces else 0
            for root, used in zip(_MODES, beyond, strict=False):
                self._inodes[root] += self._step(root, program) + used
                self._move_inode(root, padding - used)
            self._last_pid += self._pid_step + beyond[-1]
            self._move_pid(padding - beyond[-1])
        self._restore_folders()
        return True, traces

    def _restore_folders(self) -> None:
        for root, folder in self._folders.items():
            with suppress(OSError):  # a kernel without flags in its memory file systems
                fcntl.ioctl(folder, _SET_FLAGS, _NO_FLAGS)
            os.utime(root, ns=self._times[root])

    def _step(self, root: str, program: Program) -> int:
        """Inodes that a test without traces takes in ``root``: the program's files, and the probe."""
        return 1 + (program.entries if root == BOX else 0)

    def _next_inode(self, root: str) -> int:
        path = f"{root}/{_PROBE}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        number = os.fstat(descriptor).st_ino
        os.close(descriptor)
        os.unlink(path)
        return number

    def _move_inode(self, root: str, count: int) -> None:
        for _ in range(count):
            self._next_inode(root)
        self._inodes[root] += count

    def _read_pid(self) -> int:
        if self._counter is None:
            return kernel.touch_pid()
        return int(os.pread(self._counter, 128, 0).split()[-1])

    def _move_pid(self, count: int) -> None:
        for _ in range(count):
            kernel.touch_pid()
        self._last_pid += count

    def _look(self) -> list[int]:
        return [os.stat(path).st_atime_ns for path in self._watched]

    @staticmethod
    def _stat_times(folder: int) -> tuple[int, int]:
        found = os.fstat(folder)
        return found.st_mtime_ns, found.st_mtime_ns


def _scrub(root: str, mode: int) -> bool:
    """Delete what is in ``root``, whatever its rights and however deep, and give ``root`` its own rights back; whether
    nothing is left."""
    folders = False
    try:
        os.chmod(root, mode)
        for name in os.listdir(root):
            try:
                os.unlink(f"{root}/{name}")
            except IsADirectoryError:
                folders = True
        if folders:
            _flatten(root)
    except OSError:
        return False
    return True


def _flatten(root: str) -> None:
    """Delete the folders in ``root``. Those in them are moved up and emptied later, so that no path grows long."""
    aside = f"{root}/{os.urandom(8).hex()}-"
    moved = 0
    while folders := list(os.scandir(root)):
        for folder in folders:
            os.chmod(folder.path, 0o700)
            for inner in list(os.scandir(folder.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)
                    os.rename(inner.path, f"{aside}{moved}")
                    moved += 1
                else:
                    os.unlink(inner.path)
            os.rmdir(folder.path)
