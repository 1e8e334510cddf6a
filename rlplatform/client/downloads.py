"""Targets of downloads."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rlplatform.errors import ServiceError


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


class PartialDownload:
    """A download whose received bytes stay beside ``target``, as ``TARGET.SHA256.part``, until all of them are there.

    The server names the content by its SHA-256, as an ETag. Another call, also of another process, continues with the
    same content, and begins again if that has changed.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        name = re.compile(re.escape(target.name) + r"\.([0-9a-f]{64})\.part")
        found: list[tuple[Path | None, str]] = [
            (each, match[1])
            for each in target.parent.glob("*.part")
            if (match := name.fullmatch(each.name)) is not None
        ]
        self._part, self._tag = found[0] if found else (None, "")

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that ask for the rest."""
        if self._part is None or not self._part.stat().st_size:
            return {}
        return {"Range": f"bytes={self._part.stat().st_size}-", "If-Range": f'"{self._tag}"'}

    def open(self, status: int, tag: str) -> BinaryIO:
        """Open the part for the body of an answer: 206 continues it, any other status begins it."""
        if status == 206 and self._part is not None:
            return self._part.open("ab")
        self.discard()
        self._tag = tag.strip('"')
        self._part = self._target.with_name(f"{self._target.name}.{self._tag}.part")
        return self._part.open("wb")

    def discard(self) -> None:
        """Delete what was received."""
        if self._part is not None:
            self._part.unlink(missing_ok=True)
        self._part = None

    def complete(self) -> Path:
        """Move the part to its target.

        Raises:
            ServiceError: it is not what the server named; it is deleted.
        """
        assert self._part is not None
        with self._part.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != self._tag:
                self.discard()
                raise ServiceError(f"{self._target.name} was damaged on its way; download it again")
        return self._part.replace(self._target)
