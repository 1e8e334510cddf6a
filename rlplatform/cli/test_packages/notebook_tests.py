"""Tests of notebooks as courses have them: a folder of otter-grader, or the source notebook of nbgrader."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from rlplatform.cli.notebooks import GRADER, read_notebook
from rlplatform.cli.program import read_text
from rlplatform.cli.test_packages.package import TestPackage, label_for, natural, not_supported, refused

_HIDDEN = "### BEGIN HIDDEN TESTS"


def is_otter(folder: Path) -> bool:
    """Return True for a folder with tests of otter-grader: Python files that define ``test``."""
    return any(_spec(path) is not None for path in folder.glob("*.py"))


def read_otter(folder: Path) -> TestPackage:
    """Return the tests of a folder of otter-grader: one for each case, which share the points of their file.

    Raises:
        InvalidRequest: a file has what is not supported.
    """
    package = TestPackage([], grader={"kind": GRADER})
    for path in sorted(folder.glob("*.py"), key=natural):
        if (spec := _spec(path)) is not None:
            _add_file(package, path, spec)
    return package


def read_nbgrader(path: Path) -> TestPackage:
    """Return the tests of the source notebook of an assignment of nbgrader: its cells of tests, which replace those of
    the submission. One with hidden tests is hidden as a whole.

    Raises:
        InvalidRequest: it has no such cell.
    """
    package = TestPackage([], grader={"kind": GRADER})
    for cell in read_notebook(path)["cells"]:
        grading = cell.get("metadata", {}).get("nbgrader", {}) if isinstance(cell, dict) else {}
        if cell.get("cell_type") != "code" or not grading.get("grade") or grading.get("solution"):
            continue
        source = "".join(cell.get("source", []))
        name = str(grading.get("grade_id"))
        package.tests.append(
            {
                "id": label_for(name, [test["id"] for test in package.tests]),
                "points": float(grading.get("points", 1)),
                "hidden": _HIDDEN in source,
                "cell": source,
                "after": name,
            }
        )
    if not package.tests:
        raise refused(f"{path} has no cell of tests of nbgrader (metadata.nbgrader.grade)")
    return package


def _spec(path: Path) -> dict[str, Any] | None:
    """Return what a file of otter-grader assigns to ``test``; None if it assigns nothing to it."""
    try:
        tree = ast.parse(read_text(path))
    except SyntaxError:
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", None) for target in node.targets] == ["test"]:
            try:
                found = ast.literal_eval(node.value)
            except ValueError:
                raise not_supported(path, "a test that is computed", "write it as a literal") from None
            return found if isinstance(found, dict) else None
    return None


def _add_file(package: TestPackage, path: Path, spec: dict[str, Any]) -> None:
    cases: list[tuple[str, dict[str, Any]]] = []
    for suite in spec.get("suites", []):
        if suite.get("type", "doctest") != "doctest":
            raise not_supported(path, f"a suite of type {suite['type']!r}", "supported is doctest")
        setup = str(suite.get("setup", "")).strip()
        cases += [
            ("\n".join(filter(None, (setup, str(case["code"]).strip()))), case) for case in suite.get("cases", [])
        ]
    if not cases:
        raise refused(f"{path} has no cases")
    name = str(spec.get("name") or path.stem)
    points = spec.get("points", 1)
    shares = points if isinstance(points, list) else [float(points) / len(cases)] * len(cases)
    group = label_for(name) if spec.get("all_or_nothing") else None
    if group is not None:
        package.groups.append({"id": group, "scoring": "all_or_nothing"})
    for number, ((code, case), share) in enumerate(zip(cases, shares, strict=False), 1):
        full = name if len(cases) == 1 else f"{name}-{number}"
        package.tests.append(
            {
                "id": label_for(full, [test["id"] for test in package.tests]),
                "points": float(case.get("points", share)),
                "hidden": bool(case.get("hidden", False)),
                "cell": code + "\n",
                **({"group": group} if group is not None else {}),
            }
        )
