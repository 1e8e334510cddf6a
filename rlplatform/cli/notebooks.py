"""Notebooks as programs of ``rlp``: sent without their outputs, and saved again once they have been executed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rlplatform.cli.output import Output
from rlplatform.client import Client
from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.models import Evaluation

NOTEBOOK = ".ipynb"
GRADER = "notebook"


def is_notebook(path: Path) -> bool:
    """Return True for a Jupyter notebook."""
    return path.is_file() and path.suffix.lower() == NOTEBOOK


def read_notebook(path: Path) -> dict[str, Any]:
    """Return the document of a notebook.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{path} is not a notebook: {error}", field=str(path)) from None
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise InvalidRequest(f"{path} is not a notebook: it has no cells", field=str(path))
    return document


def notebook_text(path: Path) -> str:
    """Return a notebook without its outputs, which are made again."""
    document = read_notebook(path)
    cells = [_without_outputs(cell) if isinstance(cell, dict) else cell for cell in document["cells"]]
    return json.dumps(document | {"cells": cells}, indent=1, ensure_ascii=False)


def with_notebook_grader(request: dict[str, Any], isolation: str | None) -> dict[str, Any]:
    """Return ``request`` for a notebook: its grader executes cells, and without tests they only have to run."""
    grader = {**request.get("grader", {"kind": GRADER}), **({"isolation": isolation} if isolation else {})}
    tests = [{"id": "run"} if test == {"id": "run", "stdin": ""} else test for test in request["tests"]]
    return {**request, "grader": grader, "tests": tests}


def save_executed(client: Client, evaluation: Evaluation, target: Path, output: Output) -> None:
    """Save the executed notebook of an evaluation, if it has one."""
    made = next((file for file in evaluation.files if file.path.endswith(NOTEBOOK)), None)
    if made is None:
        output.note("no executed notebook was kept: no cell of it has run, or this platform keeps no files")
        return
    client.download_file(made.file, target)
    output.note(f"executed notebook: {target}")


def _without_outputs(cell: dict[str, Any]) -> dict[str, Any]:
    return {**cell, "outputs": [], "execution_count": None} if cell.get("cell_type") == "code" else cell
