"""Suites of tests on disk, as graders of a request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlplatform.errors import InvalidRequest

_SKIPPED = frozenset({"__pycache__", ".git", ".pytest_cache", ".ipynb_checkpoints"})


def pytest_grader(path: Path, isolation: str | None) -> dict[str, Any]:
    """Return the grader for a test file, or for all files of a folder."""
    paths = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    top = path.parent if path.is_file() else path
    kept = [one for one in paths if _SKIPPED.isdisjoint(one.relative_to(top).parts)]
    grader: dict[str, Any] = {"kind": "pytest"}
    if path.is_file() and not (path.name.startswith("test_") or path.name.endswith("_test.py")):
        grader["suite"] = _text(path)
    else:
        grader["files"] = [{"path": one.relative_to(top).as_posix(), "content": _text(one)} for one in kept]
    if isolation is not None:
        grader["isolation"] = isolation
    return grader


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest(f"{path} is not UTF-8 text", field="--pytest") from None
