"""Rules for programs that a sandbox accepts: paths and sizes, for requests and for the pool."""

from __future__ import annotations

from collections.abc import Container
from pathlib import PurePosixPath

from rlplatform.errors import InvalidRequest
from rlplatform.sandbox.models import Program

MAX_FILES = 128
MAX_PROGRAM_BYTES = 4 << 20
MAX_PATH_BYTES = 128


def check_program(program: Program) -> Program:
    """Return ``program`` unchanged, if its paths and sizes are accepted.

    Raises:
        InvalidRequest: a path is not a plain relative one or is also the folder of another file, the entry is missing,
            or there are too many files or bytes.
    """
    if program.entry not in program.files:
        raise InvalidRequest(f"the entry {program.entry!r} is not among the files", field="entry")
    if (count := len(program.files) + len(program.data)) > MAX_FILES:
        raise InvalidRequest(f"{count} files; at most {MAX_FILES} are accepted", field="files")
    total = sum(len(content) for content in program.files.values())
    if total > MAX_PROGRAM_BYTES:
        raise InvalidRequest(f"{total} bytes in all files; at most {MAX_PROGRAM_BYTES} are accepted", field="files")
    paths = (*program.files, *program.data)
    for path in paths:
        if (fault := path_fault(path)) is not None:
            raise InvalidRequest(f"the path {path[:MAX_PATH_BYTES]!r} {fault}", field="files")
        if path in program.files and path in program.data:
            raise InvalidRequest(f"{path!r} is there twice", field="files")
        if (folder := file_above(path, paths)) is not None:
            raise InvalidRequest(f"{folder!r} is both a file and a folder", field="files")
    return program


def path_fault(path: str) -> str | None:
    """Return the rule that ``path`` breaks, as the end of a sentence that starts with the path; None if it breaks
    none."""
    parts = path.split("/")
    if not path:
        return "must not be empty"
    if path.startswith("/"):
        return "must be relative"
    if ".." in parts:
        return "must not contain '..'"
    if "" in parts or "." in parts:
        return "must not contain '.' or empty parts"
    if "\\" in path:
        return "must have '/' between its parts, not '\\'"
    if not path.isprintable():
        return "must be printable: no NUL or other control characters"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"must have at most {MAX_PATH_BYTES} bytes"
    if "__pycache__" in parts:
        return "must not be in __pycache__, which is Python's own"
    return None


def file_above(path: str, files: Container[str]) -> str | None:
    """Return the file that would have to be a folder for ``path`` to exist; None if there is none."""
    return next((str(folder) for folder in PurePosixPath(path).parents if str(folder) in files), None)
