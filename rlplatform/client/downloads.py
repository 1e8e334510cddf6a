"""Targets of downloads."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def saving(target: Path) -> Iterator[BinaryIO]:
    """Open a temporary file for a download; it becomes ``target`` once it is complete.

    Two downloads to one target have separate files. A device or a pipe is written to directly.
    """
    if target.exists() and not target.is_file():
        with target.open("wb") as file:
            yield file
        return
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
