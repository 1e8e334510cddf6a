"""Keeps what the platform writes and where it listens from other users of this machine.

Whatever a process of ours makes is its owner's alone (umask 077), also by Ray's processes, which inherit that. Ray
opens some folders by a mode of its own; these are closed here.
"""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ray._private import ray_constants

UMASK = 0o077


def set_umask() -> None:
    """Have this process, and those that it starts, make private files."""
    os.umask(UMASK)


def close(path: Path) -> None:
    """Take others' permissions from ``path``, where it is ours: of a folder, nobody then reaches what is in it."""
    with suppress(OSError):
        if path.lstat().st_uid == os.geteuid() and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


def ray_folder() -> Path:
    """Return a folder of this user's alone for Ray's sessions, whose own folders Ray opens to everybody. Its path is
    short: there are sockets in it."""
    folder = Path(tempfile.gettempdir()) / f"rlp-ray-{os.geteuid()}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        folder = Path(tempfile.mkdtemp(prefix="rlp-ray-"))  # another user was there first
    folder.chmod(0o700)
    return folder / "ray"  # which Ray opens, in vain


def stay_on_loopback() -> dict[str, str]:
    """Have the Ray that is started next, of one machine, listen on the loopback interface alone.

    Ray has this for systems whose firewall asks the user. This process has read the setting when it imported Ray.

    Returns:
        What the other processes of Ray need in their environment for it.
    """
    ray_constants.ENABLE_RAY_CLUSTER = False
    return {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}


def close_token() -> None:
    """Close the file that Ray makes for the token which its processes know each other by."""
    close(Path.home() / ".ray" / "auth_token")
