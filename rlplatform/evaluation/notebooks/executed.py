"""A notebook with the outputs of its execution, as a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from rlplatform.evaluation.suites.guest.notebook_file import code_cells
from rlplatform.evaluation.suites.reports import Cell

MAX_BYTES = 8 << 20
_KINDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata", "execution_count"),
    "error": ("ename", "evalue", "traceback"),
}
_LEFT_OUT = {
    "output_type": "stream",
    "name": "stderr",
    "text": "(left out: the outputs of this notebook are too large)",
}


def executed_name(notebook: str) -> str:
    """Return the name of the executed notebook's file."""
    return f"{PurePosixPath(notebook).stem}-executed.ipynb"


def executed_notebook(document: dict[str, Any], results: Mapping[int, Cell]) -> bytes:
    """Return ``document`` with the outputs in ``results``, by number of the cell; of other cells, without outputs.

    Outputs that would make the file larger than 8 MiB are left out, the last ones first.
    """
    cells = [dict(cell) for cell in document["cells"]]
    room = MAX_BYTES - len(json.dumps(document))
    for cell in code_cells(document):
        result = results.get(cell.number)
        outputs = [] if result is None else [kept for output in result.outputs if (kept := _valid(output)) is not None]
        room -= len(json.dumps(outputs))
        if room < 0:
            room += len(json.dumps(outputs))
            outputs = [_LEFT_OUT]
        count = cell.number if result is not None else None
        cells[cell.position] |= {"outputs": outputs, "execution_count": count}
    return json.dumps(document | {"cells": cells}, indent=1).encode()


def printed(results: Mapping[int, Cell]) -> str:
    """Return the text that the cells have printed and shown, in their order."""
    found: list[str] = []
    for number in sorted(results):
        for output in results[number].outputs:
            kept = _valid(output) or {}
            data = kept.get("data")
            text = kept.get("text") if kept.get("name") != "stderr" else None
            if isinstance(data, dict):
                text = f"{data.get('text/plain', '')}\n"
            if isinstance(text, str):
                found.append(text)
    return "".join(found)


def tracebacks(results: Mapping[int, Cell]) -> str:
    """Return the tracebacks of the cells that have failed, in their order."""
    lines = [
        line
        for number in sorted(results)
        for output in results[number].outputs
        if output.get("output_type") == "error" and _valid(output) is not None
        for line in [*output["traceback"], ""]
    ]
    return "\n".join(line for line in lines if isinstance(line, str))


def _valid(output: dict[str, Any]) -> dict[str, Any] | None:
    """Return an output of a sandbox with the fields of its kind alone; None if it is none."""
    fields = _KINDS.get(str(output.get("output_type")))
    if fields is None or any(name not in output for name in fields):
        return None
    if output["output_type"] == "error" and type(output["traceback"]) is not list:
        return None
    return {name: output[name] for name in ("output_type", *fields)}
