"""Folders that a sandbox's user passes through to its socket, although all else that the platform makes is private."""

from __future__ import annotations

from pathlib import Path

_THROUGH = 0o711  # enter it, and see nothing in it


def make_reachable(folder: Path, mode: int = _THROUGH) -> None:
    """Make ``folder``, and what is missing above it, with ``mode`` whatever the umask; one that is there stays."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(mode if path == folder else _THROUGH)
