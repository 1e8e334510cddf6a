"""A folder that is an assignment, as it lives in Git.

=====================  ==============================================================================================
``assignment.toml``    fields of ``PUT /v1/assignments/{name}`` but those below; ``name``, by default the folder's own
``statement.md``       the statement
``starter/``           files that learners start from
``provided/``          files that are put beside each submission
``tests/``             ``tests.json``; or pairs (``1.in``, ``1.ans``), a Kattis or a DMOJ package; or, for the grader
                       ``pytest``, the files of the suite
``solution/``          a solution, which is never uploaded
=====================  ==============================================================================================
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rlplatform.cli.program import files_in, part, read_text
from rlplatform.cli.test_packages.folder import read_folder
from rlplatform.cli.test_packages.tests_file import read_tests_file
from rlplatform.errors import InvalidRequest

FILE = "assignment.toml"
_STATEMENT, _TESTS_FILE, _SUITE = "statement.md", "tests.json", "test_suite.py"
_OWN = ("statement", "starter", "provided")


@contextmanager
def read_assignment(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the name and the definition of the assignment in ``folder``. What is too long for a request, or no text, is
    a path in it; such files may exist only meanwhile.

    Raises:
        InvalidRequest: it is no assignment; ``field`` says where.
    """
    if not (folder / FILE).is_file():
        raise InvalidRequest(f"{folder} has no {FILE}; rlp assignment init makes one", field="FOLDER")
    definition = _read_toml(folder / FILE)
    name = definition.pop("name", folder.resolve().name.lower().replace("_", "-"))
    if found := [field for field in _OWN if field in definition]:
        raise InvalidRequest(f"{FILE}: {found[0]!r} is not a field but a file: see {_STATEMENT}, starter/, provided/")
    if (folder / _STATEMENT).is_file():
        definition["statement"] = read_text(folder / _STATEMENT)
    for field in ("starter", "provided"):
        if (folder / field).is_dir():
            definition[field] = _files_of(folder / field)
    with _tests(folder / "tests", definition) as tests:
        yield str(name), {**definition, **tests}


@contextmanager
def _tests(folder: Path, definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the fields that the folder of tests decides."""
    grader = definition.get("grader")
    if isinstance(grader, dict) and grader.get("kind") == "pytest":
        yield {"tests": [{"id": "suite"}], **definition, "grader": {**grader, **_suite(folder)}}
    elif not folder.is_dir():
        if not definition.get("tests"):
            raise InvalidRequest(f"there are no tests: give [[tests]] in {FILE}, or a folder {folder}", field="tests")
        yield {}
    elif "tests" in definition:
        raise InvalidRequest(f"there are tests in {FILE} and in {folder}; keep one of the two", field="tests")
    elif (folder / _TESTS_FILE).is_file():
        yield read_tests_file(folder / _TESTS_FILE)
    else:
        with read_folder(folder) as package:
            yield {
                **package.request(),
                **{name: definition[name] for name in ("limits", "checker") if name in definition},
            }


def _suite(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise InvalidRequest(f"the grader pytest needs a folder {folder} with {_SUITE}", field="grader")
    files = _files_of(folder)
    suite = [file["content"] for file in files if file["path"] == _SUITE]
    others = [file for file in files if file["path"] != _SUITE]
    return {**({"suite": suite[0]} if suite else {}), **({"files": others} if others else {})}


def _files_of(folder: Path) -> list[dict[str, Any]]:
    found = sorted((path.relative_to(folder).as_posix(), path) for path in files_in(folder))
    return [{"path": name, "content": part(path)} for name, path in found]


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"{path} is not TOML: {error}", field=FILE) from None
    return {name: _plain(value, name) for name, value in found.items()}


def _plain(value: Any, name: str) -> Any:
    """Return a value of TOML as JSON has it.

    Raises:
        InvalidRequest: it is a time whose zone nobody knows.
    """
    if isinstance(value, dict):
        return {key: _plain(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{name}.{index}") for index, item in enumerate(value)]
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, datetime | date):
        example = "2030-01-31T23:59:00+01:00"
        raise InvalidRequest(f"{FILE}: {name} needs a time with its zone, as {example}; got {value}", field=name)
    return value
