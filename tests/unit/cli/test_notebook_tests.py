"""Tests of notebooks from otter-grader and nbgrader, and notebooks as programs of ``rlp``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlplatform.cli.notebooks import with_notebook_grader
from rlplatform.cli.program import read_program
from rlplatform.cli.test_packages.folder import read_folder
from rlplatform.cli.test_packages.notebook_tests import read_nbgrader
from rlplatform.errors import InvalidRequest

OTTER = '''
OK_FORMAT = True

test = {
    "name": "q1",
    "points": 3,
    "suites": [
        {
            "type": "doctest",
            "cases": [
                {"code": r""" >>> square(2)\n4""", "hidden": False, "locked": False},
                {"code": ">>> square(3)\\n9", "hidden": True, "points": 2},
            ],
        }
    ],
}
'''


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps({"cells": list(cells), "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def test_a_folder_of_otter_grader_has_a_test_for_each_case(tmp_path: Path) -> None:
    (tmp_path / "q1.py").write_text(OTTER)
    (tmp_path / "q2.py").write_text(
        'test = {"name": "q2", "all_or_nothing": True, "suites": [{"cases": [{"code": ">>> 1\\n1"}]}]}'
    )
    (tmp_path / "__init__.py").write_text("")
    with read_folder(tmp_path) as package:
        request = package.request()
    assert request["grader"] == {"kind": "notebook"}
    assert request["groups"] == [{"id": "q2", "scoring": "all_or_nothing"}]
    first, second, third = request["tests"]
    assert first == {"id": "q1-1", "points": 1.5, "hidden": False, "cell": ">>> square(2)\n4\n"}
    assert (second["points"], second["hidden"]) == (2.0, True)
    assert (third["id"], third["group"]) == ("q2", "q2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("test = make()", "computed"),
        ('test = {"name": "q", "suites": [{"type": "sqlite", "cases": []}]}', "sqlite"),
        ('test = {"name": "q", "suites": []}', "no cases"),
    ],
)
def test_what_otter_grader_has_and_this_platform_lacks_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "q1.py").write_text(text)
    with pytest.raises(InvalidRequest, match=why), read_folder(tmp_path):
        pass


def test_the_cells_of_tests_of_nbgrader_become_tests(tmp_path: Path) -> None:
    graded = {"grade": True, "solution": False, "grade_id": "test square", "points": 2}
    hidden = "assert f(1)\n### BEGIN HIDDEN TESTS\nassert f(2)\n### END HIDDEN TESTS"
    source = tmp_path / "source.ipynb"
    source.write_text(
        notebook(
            {"cell_type": "code", "source": ["x = 1"], "metadata": {"nbgrader": {"solution": True, "grade": False}}},
            {"cell_type": "code", "source": hidden, "metadata": {"nbgrader": graded}},
            {"cell_type": "code", "source": "assert f", "metadata": {"nbgrader": {**graded, "grade_id": "b"}}},
        )
    )
    first, second = read_nbgrader(source).request()["tests"]
    assert first == {"id": "test-square", "points": 2.0, "hidden": True, "cell": hidden, "after": "test square"}
    assert (second["id"], second["hidden"]) == ("b", False)
    source.write_text(notebook({"cell_type": "code", "source": "x", "metadata": {}}))
    with pytest.raises(InvalidRequest, match="no cell of tests"):
        read_nbgrader(source)


def test_a_notebook_is_sent_without_its_outputs(tmp_path: Path) -> None:
    path = tmp_path / "hw.ipynb"
    cell = {"cell_type": "code", "source": "ä = 1", "execution_count": 7, "outputs": [{"data": {"image/png": "x"}}]}
    path.write_text(notebook(cell, {"cell_type": "markdown", "source": "# Text"}))
    program, name = read_program(path)
    sent = json.loads(program["source"])
    assert (program["source_name"], name) == ("hw.ipynb", str(path))
    assert sent["cells"] == [
        {**cell, "execution_count": None, "outputs": []},
        {"cell_type": "markdown", "source": "# Text"},
    ]
    path.write_text("print(1)")
    with pytest.raises(InvalidRequest, match="is not a notebook"):
        read_program(path)


def test_a_notebook_without_tests_has_to_run() -> None:
    request = with_notebook_grader({"tests": [{"id": "run", "stdin": ""}]}, "shared")
    assert request == {"grader": {"kind": "notebook", "isolation": "shared"}, "tests": [{"id": "run"}]}
    own = {"grader": {"kind": "notebook", "limits": {"cpu_time_s": 60}}, "tests": [{"id": "a", "cell": "x"}]}
    assert with_notebook_grader(own, None) == own
