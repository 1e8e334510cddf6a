"""Notebooks without a sandbox: their cells, magics, outputs, the order of tests, the executed file."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.evaluation.graders.notebook import NotebookTest
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.notebooks.executed import MAX_BYTES, executed_name, executed_notebook, printed, tracebacks
from rlplatform.evaluation.notebooks.plan import Step, make_plan
from rlplatform.evaluation.suites.guest.notebook_check import message_of, names_of, run_test
from rlplatform.evaluation.suites.guest.notebook_file import NotebookError, code_cells, read_notebook
from rlplatform.evaluation.suites.guest.notebook_magics import UsageError, plain_python
from rlplatform.evaluation.suites.guest.notebook_outputs import MAX_RICH, MAX_TEXT, Outputs
from rlplatform.evaluation.suites.reports import Cell


def document(*sources: str, **metadata: Any) -> dict[str, Any]:
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": "text"}]
    cells += [
        {"cell_type": "code", "id": f"c{number}", "source": source, "metadata": metadata, "outputs": ["old"]}
        for number, source in enumerate(sources, 1)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def cases(*fields: dict[str, Any]) -> list[NotebookTest]:
    return [NotebookTest(id=str(index), **given) for index, given in enumerate(fields)]


def test_code_cells_are_counted_and_found_by_id_grade_id_and_tag() -> None:
    grading = {"nbgrader": {"grade_id": "q1", "grade": True, "solution": False}, "tags": ["slow", 3]}
    (first, second) = code_cells(read_notebook(json.dumps(document("a = 1", "b = 2", **grading)).encode()))
    assert (first.position, first.number, first.source) == (1, 1, "a = 1")
    assert (second.names, second.is_test) == (("c2", "q1", "slow"), True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"print(1)",
        b"[]",
        b'{"cells": 3}',
        b'{"cells": [], "nbformat": 3}',
        b'{"cells": [1], "nbformat": 4}',
        b"\xff",
    ],
)
def test_what_is_no_notebook_is_refused(content: bytes) -> None:
    with pytest.raises(NotebookError):
        read_notebook(content)


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("x = 5 % 3\n", "x = 5 % 3\n"),
        ('text = """\n%matplotlib\n!ls\n"""', 'text = """\n%matplotlib\n!ls\n"""'),
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if True:\n    %time x = 1", "if True:\n    x = 1"),
        ("%%time\nx = 1", "\nx = 1"),
    ],
)
def test_magics_with_a_meaning_are_replaced_line_for_line(source: str, python: str) -> None:
    assert plain_python(source) == python


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        ("x = 1\n!ls", 2, "commands of the shell"),
        ("!pip install torch", 1, "choose an image"),
        ("%pip install torch", 1, "choose an image"),
        ("\n%%bash\nls", 2, "%%bash is not supported"),
        ("%run other.py", 1, "%run is not supported"),
        ("x = 1\nprint?", 2, "help with ?"),
    ],
)
def test_other_magics_are_refused_at_their_line(source: str, line: int, why: str) -> None:
    with pytest.raises(UsageError, match=why.replace("?", r"\?")) as refused:
        plain_python(source)
    assert refused.value.line == line


def test_tests_stand_after_their_cell_and_replace_cells_of_tests() -> None:
    cells = code_cells(document("a", "b"))
    given = cases({"cell": "x"}, {"cell": "y", "after": "c1"}, {"cell": "z", "after": "gone"}, {})
    steps = [Step("cell", 1), Step("test", 1), Step("cell", 2), Step("test", 0), Step("test", 2)]
    assert make_plan(cells, given) == steps
    graded = code_cells(document("assert True", nbgrader={"grade": True, "grade_id": "q"}))
    assert make_plan(graded, cases({"cell": "x", "after": "q"})) == [Step("test", 0)]
    assert make_plan(graded, cases({"cell": "x", "after": "other"})) == [Step("cell", 1), Step("test", 0)]


def test_outputs_are_kept_within_limits() -> None:
    outputs = Outputs()
    outputs.write("stdout", "a")
    outputs.write("stdout", "x" * MAX_TEXT)
    outputs.write("stderr", "lost")

    class Rich:
        def _repr_html_(self) -> str:
            return "<b>" * MAX_RICH

        def _repr_png_(self) -> bytes:
            return b"png"

    outputs.show(Rich())
    (stream, rich) = outputs.found
    assert len(stream["text"]) < MAX_TEXT + 100
    assert stream["text"].endswith("left out)\n")
    assert rich["data"] == {"text/plain": "", "image/png": "cG5n"}


def test_the_executed_notebook_keeps_only_outputs_of_known_forms() -> None:
    error = {"output_type": "error", "ename": "E", "evalue": "no", "traceback": ["line", "E: no"], "more": 1}
    stream = {"output_type": "stream", "name": "stdout", "text": "hi\n"}
    results = {2: Cell(outputs=[stream, error, {"output_type": "script"}, {"output_type": "error"}])}
    made = json.loads(executed_notebook(document("a", "b"), results))
    assert [cell.get("execution_count") for cell in made["cells"]] == [None, None, 2]
    assert made["cells"][1]["outputs"] == []
    assert made["cells"][2]["outputs"] == [stream, {name: error[name] for name in list(error)[:4]}]
    assert (printed(results), tracebacks(results)) == ("hi\n", "line\nE: no\n")
    assert executed_name("homework 1.ipynb") == "homework 1-executed.ipynb"
    large = {1: Cell(outputs=[{**stream, "text": "x" * MAX_BYTES}]), 2: Cell(outputs=[stream])}
    made = json.loads(executed_notebook(document("a", "b"), large))
    assert "too large" in made["cells"][1]["outputs"][0]["text"]
    assert made["cells"][2]["outputs"] == [stream]


def test_a_test_cell_says_which_names_it_reads() -> None:
    assert names_of("y = f(x)\nassert np.all(y)") == ({"f", "x", "np", "y"}, {"np"})
    assert names_of(">>> square(n)\n9\n") == ({"square", "n"}, set())
    with pytest.raises(SyntaxError):
        names_of("assert (")


def test_a_failed_test_cell_says_why_and_where() -> None:
    with pytest.raises(AssertionError) as failed:
        run_test("x = 1\nassert x == 2, 'no'", {}, "test cell 1")
    assert message_of(failed.value, "test cell 1") == "no\nline 2: assert x == 2, 'no'"
    with pytest.raises(AssertionError) as failed:
        run_test(">>> 1 + 1\n3\n", {}, "test cell 2")
    assert message_of(failed.value, "test cell 2").startswith(
        "Failed example:\n    1 + 1\nExpected:\n    3\nGot:\n    2"
    )
    run_test(">>> sorted({2, 1})\n[1,   2]\n", {}, "test cell 3")


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"tests": [{"id": "a", "after": "c1"}]}, "tests.0.after"),
        ({"tests": [{"id": "a", "cell": "x", "limits": {"cpu_time_s": 1}}]}, "tests.0.limits"),
        ({"tests": [{"id": "a", "stdin": ""}]}, "tests.0.stdin"),
        ({"source_name": "hw.py"}, "source_name"),
        ({"grader": {"kind": "notebook", "collect": ["../x"]}}, "grader.notebook.collect.0"),
        (
            {"grader": {"kind": "notebook", "collect": ["x"]}, "tests": [{"id": "a", "cell": "x", "hidden": True}]},
            "grader.collect",
        ),
        ({"checker": {"kind": "exact"}}, "checker"),
    ],
)
def test_what_does_not_go_with_a_notebook_is_refused(fields: dict[str, Any], where: str) -> None:
    request = {"source": "{}", "grader": {"kind": "notebook"}, "tests": [{"id": "a", "cell": "x"}], **fields}
    with pytest.raises(ValidationError) as refused:
        EvaluationRequest.model_validate(request)
    (error,) = refused.value.errors()
    path = getattr(error.get("ctx", {}).get("error"), "path", None)
    assert (path or ".".join(map(str, error["loc"]))) == where
