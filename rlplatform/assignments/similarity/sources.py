"""Source code of submissions, as it is compared: read as data, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from rlplatform.access.principals import Principal
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.repository import StoredContent
from rlplatform.errors import PlatformError
from rlplatform.evaluation.archives import open_reader, unpack
from rlplatform.evaluation.sources import SourceFile
from rlplatform.files.ports import FileReader
from rlplatform.files.service import FileService

MAX_BYTES = 256 * 1024
"""Largest source code of one submission that is compared."""
_NOTEBOOK, _PYTHON = ".ipynb", ".py"


class UnreadableSource(Exception):
    """The source code of a submission cannot be compared."""


async def sources_of(
    definition: AssignmentRequest, content: StoredContent, files: FileService | None, principal: Principal
) -> dict[str, str]:
    """Return the texts of a submission in the assignment's language by path, the entry first.

    Raises:
        UnreadableSource: there are none, or too much.
    """
    found: Mapping[str, bytes]
    if content.archive is not None:
        found = await _unpacked(content.archive.file, definition.entry, files, principal)
    else:
        found = {file.path: file.content.encode() for file in content.files if isinstance(file.content, str)}
    texts = _texts(found.items(), definition.entry)
    if not texts:
        raise UnreadableSource(f"it has no code: {definition.entry} is empty, or was uploaded as a file")
    if (size := sum(map(len, texts.values()))) > MAX_BYTES:
        raise UnreadableSource(f"its code has {size} bytes; at most {MAX_BYTES} are compared")
    return texts


def given_sources(definition: AssignmentRequest) -> dict[str, str]:
    """Return the texts that the assignment itself gives out, by path."""
    given: Iterable[SourceFile] = (*definition.starter, *definition.provided)
    named = {
        f"{number}/{file.path}": file.content.encode()
        for number, file in enumerate(given)
        if isinstance(file.content, str)
    }
    return _texts(named.items(), definition.entry)


async def _unpacked(file_id: str, entry: str, files: FileService | None, principal: Principal) -> Mapping[str, bytes]:
    if files is None:
        raise UnreadableSource("this deployment keeps no files")
    try:
        reader = await files.open(file_id, principal)
        return await asyncio.to_thread(_unpack, reader, entry)
    except PlatformError as error:
        raise UnreadableSource(str(error)) from None


def _unpack(reader: FileReader, entry: str) -> dict[str, bytes]:
    with open_reader(reader) as archive:
        return unpack(archive, entry)


def _texts(files: Iterable[tuple[str, bytes]], entry: str) -> dict[str, str]:
    suffix = _PYTHON if entry.endswith(_NOTEBOOK) else PurePosixPath(entry).suffix
    found = {}
    for path, content in files:
        if path.endswith(_NOTEBOOK):
            found[path] = _code_cells(content)
        elif path.endswith(suffix):
            found[path] = content.decode(errors="replace")
    ordered = sorted(found, key=lambda path: (path != entry, path))
    return {path: found[path] for path in ordered if found[path].strip()}


def _code_cells(notebook: bytes) -> str:
    """Return the code of a notebook, one cell after the other; nothing if it is none."""
    try:
        cells = json.loads(notebook)["cells"]
        codes = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        return "\n".join(code if isinstance(code, str) else "".join(code) for code in codes)
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
