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

from ..program import BOX, Program
from ..protocol import FEW, MANY, NONE
from .kernel_calls import kernel

QUANTUM = 64
_MODES = {BOX: 0o700, "/tmp": 0o1777, "/dev/shm": 0o1777}
_WATCHED = ("/dev", "/dev/pts", "/dev/net")
_SET_FLAGS = 0x40086602
_NO_FLAGS = struct.pack("q", 0)
_PROBE = ".probe"
_FIRST_PID = 24  # the threads of Docker's runtime took a few, not always as many


def open_counter(proc: str) -> int:
    """Open the file that names the last process id."""
    return os.open(f"{proc}/loadavg", os.O_RDONLY)


class View:
    """View of one submission. Make it before the first test.

    ``counter`` is an open ``/proc/loadavg``, which names the last process id; None where it does not. ``is_first``: the
    namespace has had no other process.
    """

    def __init__(self, counter: int | None, is_first: bool = False) -> None:
        self._counter = counter
        self._pid_step = 1 if counter is not None else 2  # the test's, and that of looking
        self._folders = [_Folder(root, mode) for root, mode in _MODES.items()]
        self._watched: list[str] = []
        for path in _WATCHED:
            try:
                os.stat(path)
            except OSError:
                continue
            self._watched.append(path)
        self._seen = self._look()
        self._last_pid = self._read_pid()
        if not is_first:
            self._move_pid(max(0, _FIRST_PID - self._last_pid))
        self._restore_folders()

    def skip(self, program: Program, tests: int, dirty: int) -> None:
        """Move on to where ``tests`` tests of ``program`` would have come, ``dirty`` of which left traces."""
        if not tests:
            return
        for folder in self._folders:
            folder.move(tests * folder.step(program) + dirty * QUANTUM)
        self._move_pid(tests * self._pid_step + dirty * QUANTUM)
        self._restore_folders()

    def restore(self, program: Program, more: int = 0) -> tuple[bool, int]:
        """Clean up after a test; whether that worked, and how many traces the test left. ``more``: links and folders
        that it had besides those of the program."""
        clean = True
        for folder in self._folders:
            clean = folder.clear(program) and clean
        if not clean:
            return False, MANY
        beyond = [folder.count() - folder.step(program, more) for folder in self._folders]
        beyond.append(self._read_pid() - self._last_pid - self._pid_step)
        traces = NONE
        if any(beyond):
            traces = FEW if max(beyond) <= QUANTUM and min(beyond) >= 0 else MANY
        if self._look() != self._seen:
            traces = MANY
        self._last_pid += self._pid_step + beyond[-1]
        if traces == FEW:
            for folder, used in zip(self._folders, beyond, strict=False):
                folder.move(QUANTUM - used)
            self._move_pid(QUANTUM - beyond[-1])
        self._restore_folders()
        return True, traces

    def _restore_folders(self) -> None:
        for folder in self._folders:
            folder.restore()

    def _read_pid(self) -> int:
        if self._counter is None:
            return kernel.touch_pid()
        return int(os.pread(self._counter, 128, 0).rpartition(b" ")[2])

    def _move_pid(self, count: int) -> None:
        for _ in range(count):
            kernel.touch_pid()
        self._last_pid += count

    def _look(self) -> list[int]:
        return [os.stat(path).st_atime_ns for path in self._watched]


class _Folder:
    """A memory file system that tests write to, which begins empty."""

    def __init__(self, root: str, mode: int) -> None:
        self._root, self._mode = root, mode
        os.chmod(root, mode)
        self._descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        found = os.fstat(self._descriptor)
        self._times = (found.st_mtime_ns, found.st_mtime_ns)
        self._empty = None if kernel.is_gvisor else (found.st_mode, found.st_size)  # Linux adds to it for each entry
        self._has_flags = self._can_set_flags()
        self._inode = 0
        self.count()

    def clear(self, program: Program) -> bool:
        """Delete what is there and give the folder its rights back; whether nothing is left."""
        if self._empty:
            with suppress(OSError):
                if self._root == BOX and program.is_flat:
                    for path in program.paths:
                        os.unlink(path, dir_fd=self._descriptor)
                found = os.fstat(self._descriptor)
                if (found.st_mode, found.st_size) == self._empty:
                    return True
        return _scrub(self._root, self._mode)

    def step(self, program: Program, more: int = 0) -> int:
        """Return the inodes that a test without traces takes: the program's files, ``more`` of the test's own, and the
        one of counting."""
        return 1 + program.entries + more if self._root == BOX else 1

    def count(self) -> int:
        """Return how many inodes were taken since the last count, this one's included."""
        before, self._inode = self._inode, self._next_inode()
        return self._inode - before

    def move(self, count: int) -> None:
        """Take ``count`` inodes."""
        for _ in range(count):
            self._inode = self._next_inode()

    def restore(self) -> None:
        """Put the folder's flags and times back; what cannot be set, the time of its last change, becomes now."""
        if self._has_flags:
            fcntl.ioctl(self._descriptor, _SET_FLAGS, _NO_FLAGS)
        os.utime(self._descriptor, ns=self._times)

    def _can_set_flags(self) -> bool:
        try:
            fcntl.ioctl(self._descriptor, _SET_FLAGS, _NO_FLAGS)
        except OSError:
            return False
        return True

    def _next_inode(self) -> int:
        if self._empty:
            descriptor = os.open(self._root, os.O_WRONLY | os.O_TMPFILE, 0o600)
        else:
            path = f"{self._root}/{_PROBE}"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.unlink(path)
        number = os.fstat(descriptor).st_ino
        os.close(descriptor)
        return number


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
