"""Programs as people have them: a file, a folder or a ZIP archive, as the parts of a request.

Text goes into the request. Other files, and text that is too long, stay paths until :func:`uploaded` sends them.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlplatform import patterns
from rlplatform.cli.notebooks import NOTEBOOK, is_notebook, notebook_text
from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.runs.annotations import MAX_NAME

MAIN = "main.py"
ARCHIVE = ".zip"
MAX_TEXT = 262_144
MAX_FILES = 32
_SKIPPED = frozenset({"__pycache__", "__MACOSX", "node_modules", "venv"})
_SOURCE = ".py"

Upload = Callable[[Path], str]
"""Uploads a file and returns its id."""


@dataclass(frozen=True)
class FolderArchive:
    """Files that are sent as one ZIP archive, by their paths in it."""

    name: str
    files: dict[str, Path]

    def send(self, upload: Upload) -> str:
        """Pack the files and upload the archive; return its id."""
        with tempfile.TemporaryDirectory(prefix="rlp-") as folder:
            packed = Path(folder) / f"{self.name}{ARCHIVE}"
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, path in self.files.items():
                    archive.write(path, name)
            return upload(packed)


def read_program(path: Path) -> tuple[dict[str, Any], str]:
    """Return the program at ``path`` as the parts of a request, and the name that its author calls it by.

    Raises:
        InvalidRequest: it is no program.
    """
    if path.is_dir():
        return _read_folder(path), str(path)
    if path.suffix.lower() == ARCHIVE:
        return {"source": path}, str(path)
    return {"source": _source(path), **_named(path.name)}, str(path)


def _source(path: Path) -> str | Path:
    """Return the text of the file that is run. A large notebook stays a path: it is uploaded, with its outputs."""
    if not is_notebook(path):
        return read_text(path)
    text = notebook_text(path)
    return text if len(text) <= MAX_TEXT else path


def file_name(path: Path) -> str | None:
    """Return the name that a run of the program has if it is given none: the file's, or None if it is no name."""
    name = path.resolve().name
    return name if 0 < len(name) <= MAX_NAME and name.isprintable() else None


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        InvalidRequest: it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text; give other files with --data", field=str(path)) from None


def part(path: Path, limit: int = MAX_TEXT) -> str | Path:
    """Return the text of a file; its path if it is no UTF-8 text or has more than ``limit`` bytes."""
    if path.stat().st_size > limit:
        return path
    try:
        text = path.read_bytes().decode("utf-8")  # with its own line ends
    except UnicodeDecodeError:
        return path
    return path if "\0" in text else text


def uploader(client: Client, output: Output) -> Upload:
    """Return the function that uploads a file, with a bar on a terminal."""

    def upload(path: Path) -> str:
        with output.transfer(path.name) as progress:
            return client.upload_file(path, progress=progress).id

    return upload


def uploaded(value: Any, upload: Upload) -> Any:
    """Return ``value`` with every path in it, at any depth, replaced by the uploaded file."""
    if isinstance(value, Path):
        return {"file": upload(value)}
    if isinstance(value, FolderArchive):
        return {"file": value.send(upload)}
    if isinstance(value, dict):
        if isinstance(file := value.get("file"), Path):
            return {**value, "file": upload(file)}
        return {name: uploaded(item, upload) for name, item in value.items()}
    if isinstance(value, list):
        return [uploaded(item, upload) for item in value]
    return value


def with_files(request: dict[str, Any], program: Sequence[Path], data: Sequence[Path], upload: Upload) -> None:
    """Add further files of the program, and files of data, to ``request``."""
    if program:
        more = [{"path": path.name, "content": read_text(path)} for path in program]
        request["files"] = [*request.get("files", []), *more]
    if data:
        sent = [{"path": path.name, "file": upload(path)} for path in data]
        request["data"] = [*request.get("data", []), *sent]


def _named(name: str) -> dict[str, str]:
    """Return the field that tells a program's name; none if it is the default, or a name that is not accepted."""
    return {"source_name": name} if name != MAIN and re.fullmatch(patterns.PROGRAM_FILE, name) else {}


def _read_folder(folder: Path) -> dict[str, Any]:
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(files_in(folder))}
    entry = _entry(folder, paths)
    if len(paths) > MAX_FILES:
        return {"source": FolderArchive(folder.resolve().name, paths), **_named(entry)}
    parts = {name: part(path) for name, path in paths.items() if name != entry}
    return {
        "source": _source(paths[entry]),
        **_named(entry),
        "files": [{"path": name, "content": found} for name, found in parts.items() if isinstance(found, str)],
        "data": [{"path": name, "file": found} for name, found in parts.items() if isinstance(found, Path)],
    }


def files_in(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, except hidden ones and what tools leave behind."""
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name in _SKIPPED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files_in(path)
        elif path.is_file():
            yield path


def _entry(folder: Path, paths: dict[str, Path]) -> str:
    """Return the file of a folder that is run."""
    for name in (MAIN, f"main{NOTEBOOK}"):
        if name in paths:
            return name
    for ending in (_SOURCE, NOTEBOOK):
        own = [name for name in paths if "/" not in name and name.endswith(ending)]
        if len(own) == 1:
            return own[0]
        if own:
            break
    found = f"it has {', '.join(own[:5])}" if own else "it has no Python file and no notebook at its top"
    raise InvalidRequest(f"{folder}: call the file that is run {MAIN} or main{NOTEBOOK}; {found}", field="FILE")
