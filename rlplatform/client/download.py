"""Where downloads go."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def saving(target: Path) -> Iterator[BinaryIO]:
    """A file to write a download to, which becomes ``target`` once it is whole; another's to the same target has its
    own. A device or a pipe is written to as it is.
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
