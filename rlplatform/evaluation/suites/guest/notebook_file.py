"""Notebooks as files: their cells of code, and the names by which tests refer to them. Used on the host and inside."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MAX_CELLS = 1000
_MAX_NAMES = 20


class NotebookError(ValueError):
    """The file is no notebook that can be executed."""


class CodeCell(NamedTuple):
    """A cell of code. ``number`` counts them from 1, as an execution from the top does."""

    position: int
    """Index among all cells of the file."""
    number: int
    source: str
    names: tuple[str, ...]
    """Its id, nbgrader's ``grade_id``, and its tags."""
    is_test: bool
    """True for a cell that nbgrader marks as one of tests, which a test of the same name replaces."""


def read_notebook(data: bytes) -> dict[str, Any]:
    """Return the document of a notebook.

    Raises:
        NotebookError: it is none, of an unknown format, or too long.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    if type(document) is not dict or type(cells := document.get("cells")) is not list:
        raise NotebookError("this is not a notebook: a file .ipynb of Jupyter is expected")
    if document.get("nbformat") != 4:
        raise NotebookError(f"nbformat is {document.get('nbformat')!r:.20}; notebooks of format 4 are accepted")
    if len(cells) > MAX_CELLS:
        raise NotebookError(f"it has {len(cells)} cells; at most {MAX_CELLS} are accepted")
    if not all(type(cell) is dict for cell in cells):
        raise NotebookError("one of its cells is not an object")
    return document


def code_cells(document: dict[str, Any]) -> list[CodeCell]:
    """Return the cells of code of a document that :func:`read_notebook` has returned."""
    found: list[CodeCell] = []
    for index, cell in enumerate(document["cells"]):
        if cell.get("cell_type") == "code":
            found.append(CodeCell(index, len(found) + 1, _text(cell.get("source")), *_about(cell)))
    return found


def file_name(notebook: str, number: int) -> str:
    """Return the name that tracebacks give a cell."""
    return f"{notebook} cell {number}"


def _text(source: Any) -> str:
    lines = source if type(source) is list else [source]
    return "".join(line for line in lines if type(line) is str)


def _about(cell: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    metadata = cell.get("metadata")
    metadata = metadata if type(metadata) is dict else {}
    grading = metadata.get("nbgrader")
    grading = grading if type(grading) is dict else {}
    tags = metadata.get("tags")
    names = [cell.get("id"), grading.get("grade_id"), *(tags if type(tags) is list else ())]
    is_test = grading.get("grade") is True and grading.get("solution") is not True
    return tuple(name for name in names if type(name) is str)[:_MAX_NAMES], is_test
