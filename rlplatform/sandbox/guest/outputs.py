"""Files that a program wrote: read once all its processes have ended, and sent to the host over a pipe of their own.

No link is followed and nothing but a regular file is read, so that a path leads to no other place than it names.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress

from . import protocol
from .program import BOX

_CHUNK = 1 << 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_FAULTS = {
    errno.ENOENT: protocol.NO_FILE,
    errno.EACCES: protocol.UNREADABLE,
    errno.EPERM: protocol.UNREADABLE,
}


def send_outputs(paths: list[str], most: int, target: int, box: str = BOX) -> None:
    """Write a record for each of ``paths`` to the pipe ``target`` and close it: the file's bytes, or the reason why
    there are none. All files together have at most ``most`` bytes. Stops early if the host has hung up."""
    with suppress(OSError):
        for path in paths:
            try:
                source = _open(box, path)
            except OSError as error:
                _write(target, protocol.record_head(_FAULTS.get(error.errno or 0, protocol.NOT_REGULAR), 0))
                continue
            try:
                most -= _send(source, most, target)
            finally:
                os.close(source)
    os.close(target)


def _open(box: str, path: str) -> int:
    """Open the file ``path`` of ``box``, one part of the path after the other. No process is left that could exchange
    what was looked at, and gVisor follows links in spite of ``O_NOFOLLOW``."""
    *folders, name = path.split("/")
    at = os.open(box, _FOLDER)
    try:
        for folder in folders:
            _require(folder, at, stat.S_ISDIR)
            inner = os.open(folder, _FOLDER, dir_fd=at)
            os.close(at)
            at = inner
        _require(name, at, stat.S_ISREG)
        return os.open(name, _FILE, dir_fd=at)
    finally:
        os.close(at)


def _require(name: str, folder: int, is_kind: Callable[[int], bool]) -> None:
    if name in ("", ".", "..") or not is_kind(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise OSError(errno.ELOOP, "not what the path says")


def _send(source: int, most: int, target: int) -> int:
    """Write the record of an open file; return how many of its bytes were sent."""
    size = left = os.fstat(source).st_size
    if size > most:
        _write(target, protocol.record_head(protocol.TOO_LARGE, 0))
        return 0
    _write(target, protocol.record_head(protocol.FILE, left))
    while left and (chunk := os.read(source, min(left, _CHUNK))):
        _write(target, chunk)
        left -= len(chunk)
    return size


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
