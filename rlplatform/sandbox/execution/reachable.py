"""Folders with search permission for others.

A sandbox's user passes through them to its socket, although all other folders of the platform are private.
"""

from __future__ import annotations

from pathlib import Path

_THROUGH = 0o711  # others may pass through, but not list


def make_reachable(folder: Path, mode: int = _THROUGH) -> None:
    """Create ``folder`` and its missing parents with ``mode``, whatever the umask. Existing folders keep their mode."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        path.chmod(mode if path == folder else _THROUGH)
