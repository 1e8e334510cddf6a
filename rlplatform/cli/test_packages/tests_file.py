"""Tests as one JSON file: a list of tests, or an object with them and more of a request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rlplatform.cli.program import read_text
from rlplatform.errors import InvalidRequest

_REST = ("grader", "checker", "limits", "tier", "image", "files", "data", "groups", "stop_on_failure")


def read_tests_file(path: Path) -> dict[str, Any]:
    """Return the parts of a request that the file holds, `tests` among them.

    Raises:
        InvalidRequest: it is not JSON, has no tests, or something that goes with no tests.
    """
    try:
        found = json.loads(read_text(path))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON: {error}", field="tests") from None
    if isinstance(found, list):
        return {"tests": found}
    if not isinstance(found, dict) or not isinstance(found.get("tests"), list):
        raise InvalidRequest(f"{path} must hold a list of tests, or an object with a list `tests`", field="tests")
    unknown = sorted(found.keys() - {"tests", *_REST})
    if unknown:
        raise InvalidRequest(f"{path}: unknown {unknown[0]!r}; accepted are tests, {', '.join(_REST)}", field="tests")
    return found
