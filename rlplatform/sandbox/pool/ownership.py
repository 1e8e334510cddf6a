"""Ownership of containers. An owner holds a lock on its directory while its process lives.

The kernel releases the lock with the process, so that a dead owner is detected at once and reliably.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from pathlib import Path

from rlplatform.errors import SandboxUnavailable
from rlplatform.sandbox.execution.reachable import make_reachable

_REAPING_S = 3.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


class Ownership:
    """Lock of one owner. ``directory`` contains its sockets.

    Raises:
        SandboxUnavailable: the directory cannot be made, or another process is this owner.
    """

    def __init__(self, state_dir: Path, owner: str) -> None:
        if not _NAME.fullmatch(owner):
            raise ValueError(f"an owner's name is 1 to 63 of A-Z a-z 0-9 _ . -, not {owner!r}")
        self.owner = owner
        self.directory = state_dir / owner
        try:
            make_reachable(state_dir)
            self._lock = self._acquire()
        except BlockingIOError:
            raise SandboxUnavailable(f"another process owns sandboxes as {owner!r} in {state_dir}") from None
        except OSError as error:
            raise SandboxUnavailable(
                f"the sandbox state directory {state_dir} cannot be used ({error.strerror}): "
                "set RLP_SANDBOX__STATE_DIR to a directory on this machine that the platform may write"
            ) from error

    def release(self) -> None:
        """Release the lock and remove the directory. Idempotent."""
        if self._lock >= 0:
            shutil.rmtree(self.directory, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def _acquire(self) -> int:
        deadline = time.monotonic() + _REAPING_S
        while True:
            make_reachable(self.directory)
            try:
                lock = take_lock(self.directory)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)  # a reaper may be removing the last owner of this name
                continue
            if lock is not None:
                return lock


def take_lock(directory: Path) -> int | None:
    """Lock an owner's directory.

    Returns:
        The descriptor of the lock; None if the directory was replaced meanwhile.

    Raises:
        BlockingIOError: its owner is alive.
    """
    path = directory / "lock"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def boot_id() -> str:
    """Return the kernel's id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
