"""A folder of pairs: ``1.in`` and ``1.ans`` (or ``1.out``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlplatform.cli.program import part
from rlplatform.cli.test_packages.package import MAX_INLINE, TestPackage, label_for, natural, refused

INPUT = ".in"
ANSWERS = (".ans", ".out")


def read_pairs(folder: Path) -> TestPackage:
    """Return the tests of ``folder`` and of the folders in it.

    Raises:
        InvalidRequest: it has no inputs, or an input without answer.
    """
    tests: list[dict[str, Any]] = []
    for given, expected in pairs(folder):
        name = given.relative_to(folder).with_suffix("").as_posix()
        tests.append(pair_test(label_for(name, [test["id"] for test in tests]), given, expected))
    return TestPackage(tests)


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Return the inputs in ``folder`` and the folders in it, sorted, each with its answer.

    Raises:
        InvalidRequest: there is none, or one has no answer.
    """
    inputs = sorted((path for path in folder.rglob(f"*{INPUT}") if path.is_file()), key=natural)
    if not inputs:
        raise refused(f"{folder} has no tests: pairs as 1.in and 1.ans, or a package with problem.yaml or init.yml")
    return [(path, _answer(path)) for path in inputs]


def pair_test(name: str, given: Path, expected: Path) -> dict[str, Any]:
    """Return the test that gives one file to the program and expects another."""
    return {"id": name, "stdin": part(given, MAX_INLINE), "expected_stdout": part(expected, MAX_INLINE)}


def _answer(path: Path) -> Path:
    for suffix in ANSWERS:
        if (found := path.with_suffix(suffix)).is_file():
            return found
    raise refused(f"{path} has no answer beside it: {path.with_suffix(ANSWERS[0]).name} is missing")
