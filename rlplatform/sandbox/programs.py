"""Which programs may enter a sandbox."""

from __future__ import annotations

from pathlib import PurePosixPath

from rlplatform.errors import InvalidRequest
from rlplatform.sandbox.models import Program

MAX_FILES = 64
MAX_BYTES = 8 << 20
MAX_PATH = 128


def check_program(program: Program) -> Program:
    """``program`` itself, if its paths and sizes are fine.

    :raises InvalidRequest: a path is absolute, leaves the folder, is not in normal form or is also a folder of another
        file; the entry is missing; there are too many files or bytes.
    """
    if program.entry not in program.files:
        raise InvalidRequest(f"the entry {program.entry!r} is not among the files", field="entry")
    if len(program.files) > MAX_FILES:
        raise InvalidRequest(f"{len(program.files)} files; at most {MAX_FILES} are accepted", field="files")
    total = sum(len(content) for content in program.files.values())
    if total > MAX_BYTES:
        raise InvalidRequest(f"{total} bytes in all files; at most {MAX_BYTES} are accepted", field="files")
    for path in program.files:
        _check_path(path)
        for folder in PurePosixPath(path).parents:
            if str(folder) in program.files:
                raise InvalidRequest(f"{str(folder)!r} is both a file and a folder", field="files")
    return program


def _check_path(path: str) -> None:
    wrong = None
    parts = path.split("/")
    if not path or len(path.encode("utf-8", "replace")) > MAX_PATH:
        wrong = f"must have 1 to {MAX_PATH} bytes"
    elif path.startswith("/"):
        wrong = "must be relative"
    elif any(part in ("", ".", "..") for part in parts):
        wrong = "must be in normal form, without '..', '.' or empty parts"
    elif not path.isprintable() or "\\" in path:
        wrong = "must be printable and without backslashes"
    if wrong:
        raise InvalidRequest(f"the path {path[:MAX_PATH]!r} {wrong}", field="files")
