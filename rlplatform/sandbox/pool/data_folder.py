"""Folder on the host that one container sees as ``/data``, read-only. Files of the node's cache are linked into it.

Nothing is copied: a file of 100 MiB is available at once, and all containers that read it share its pages.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.execution.reachable import make_reachable
from rlplatform.sandbox.guest.protocol import DATA

PROGRAM_DATA, TEST_FILES = "d", "t"
_READABLE = 0o444
_NO_TIME = (0, 0)


class DataFolder:
    """Data folder of one container, created in ``parent``."""

    def __init__(self, parent: Path) -> None:
        self.path = parent / f"data-{secrets.token_hex(8)}"
        make_reachable(self.path, 0o755)
        self._names: set[str] = set()

    def add(self, files: Mapping[str, Path], kind: str) -> dict[str, str]:
        """Link ``files`` into the folder; return the target inside the container for each of their paths.

        Args:
            files: Files on the host, by path in the container.
            kind: Prefix of the links' names; links of one kind are removed together.

        Raises:
            SandboxFault: a file cannot be linked.
        """
        links = {}
        try:
            for number, (path, source) in enumerate(files.items()):
                name = f"{kind}{number}"
                _place(source, self.path / name)
                self._names.add(name)
                links[path] = f"{DATA}/{name}"
        except OSError as error:
            raise SandboxFault(f"the sandbox cannot be given its files: {error}") from error
        if files:
            self._hide_time()
        return links

    def remove(self, kind: str = "") -> None:
        """Remove all files of ``kind``; all files if it is empty."""
        gone = {name for name in self._names if name.startswith(kind)}
        for name in gone:
            (self.path / name).unlink(missing_ok=True)
        if gone:
            self._names -= gone
            self._hide_time()

    def close(self) -> None:
        """Remove the folder. Idempotent."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _hide_time(self) -> None:
        """Reset the folder's times. They would show a container when files of earlier tests were added and removed."""
        os.utime(self.path, _NO_TIME)


def remove_left(data_dir: Path, state_dir: Path) -> None:
    """Remove the folders in ``data_dir`` whose owners have no folder in ``state_dir``: these owners are dead."""
    for folder in data_dir.iterdir() if data_dir.is_dir() else ():
        if not (state_dir / folder.name).is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def _place(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copyfile(source, target)  # the cache is on another file system
        target.chmod(_READABLE)
