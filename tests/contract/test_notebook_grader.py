"""The grader ``notebook`` in real containers: what notebooks of courses do, in both isolations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker

CELLS = [
    "%matplotlib inline\nimport numpy as np\nclass Empty(Exception): pass",
    "def square(x):\n    return x * x\nsquare(3)",
    "print('working')\nvalues = np.arange(3)\nbroken = 1 / 0",
    "class Stack:\n    def take(self):\n        raise Empty('empty')",
    "def boom(): raise ValueError('nope')\ndef sort(items): items.sort()\nitems = [3, 1]",
    "!pip install torch",
    "import os\ndef leave(): os._exit(0)\ndef spin():\n    while True: pass",
]
TESTS = [
    {"id": "values", "cell": "assert square(4) == 16 and square(2.5) == 6.25"},
    {
        "id": "numpy",
        "cell": "np.testing.assert_array_equal(values, [0, 1, 2])\nassert np.all(square(values) == [0, 1, 4])",
    },
    {"id": "doctest", "cell": ">>> square(5)\n25\n>>> [square(x) for x in items]\n[9, 1]\n"},
    {"id": "doctest-wrong", "cell": ">>> square(5)\n26\n"},
    {"id": "wrong", "cell": "for x in [1, 2]:\n    assert square(x) == 1, f'square({x})'"},
    {"id": "undefined", "cell": "assert cube(2) == 8"},
    {"id": "raises", "cell": "boom()"},
    {
        "id": "class",
        "cell": "s = Stack()\ntry:\n    s.take()\nexcept Empty as error:\n    assert str(error) == 'empty'",
    },
    {"id": "in-place", "cell": "mine = [2, 1]\nsort(mine)\nassert mine == [1, 2]"},
    {"id": "early", "cell": "try:\n    Stack\nexcept NameError:\n    pass\nelse:\n    assert False", "after": "c2"},
    {"id": "leaves", "cell": "leave()"},
    {"id": "spins", "cell": "spin()", "hidden": True},
    {"id": "last", "cell": "assert square(1) == 1", "hidden": True},
]
VERDICTS = {
    **dict.fromkeys(("values", "numpy", "doctest", "class", "in-place", "early", "last"), "accepted"),
    **dict.fromkeys(("doctest-wrong", "wrong", "undefined"), "wrong_answer"),
    **dict.fromkeys(("raises", "leaves"), "runtime_error"),
    "spins": "time_limit_exceeded",
}


def notebook(*sources: str) -> str:
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": "text", "metadata": {}, "source": "# Homework"}]
    for number, source in enumerate(sources, 1):
        lines = source.splitlines(keepends=True)
        code = {"cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": None, "outputs": []}
        cells.append({**code, "source": lines})
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def judge(pool: DockerPool, source: str, tests: list[dict[str, Any]], **more: Any) -> Judgement:
    fields = {
        "source": source,
        "source_name": "hw.ipynb",
        "grader": {"kind": "notebook"},
        "tests": tests,
        "limits": {"cpu_time_s": 3, "wall_time_s": 8, "memory_mib": 256},
        "image": "python-rl",
        **more,
    }
    return Judge(pool).judge(EvaluationRequest.model_validate(fields), lambda _: None, tenant="school")


@pytest.mark.parametrize("isolation", ["separate", "shared"])
def test_test_cells_are_judged_each_by_itself(docker_pool: DockerPool, isolation: str) -> None:
    grader = {"kind": "notebook", "isolation": isolation}
    judgement = judge(docker_pool, notebook(*CELLS), TESTS, grader=grader)
    found = {result.id: result for result in judgement.tests}
    assert {name: str(result.verdict) for name, result in found.items()} == VERDICTS, judgement
    assert {result.isolation for result in judgement.tests} == {isolation}
    assert "square(2)" in (found["wrong"].message or "")
    assert "line 2: assert square(x) == 1" in (found["wrong"].message or "")
    assert "cube" in (found["undefined"].message or "")
    assert "ValueError: nope" in (found["raises"].message or "")
    assert "hw.ipynb cell 5" in (found["raises"].stderr or "")
    assert "Expected:\n    26\nGot:\n    25" in (found["doctest-wrong"].message or "")
    assert "hw.ipynb cell 3, line 3: ZeroDivisionError: division by zero" in (judgement.message or "")
    assert "hw.ipynb cell 6, line 1: UsageError: packages cannot be installed" in (judgement.message or "")


def test_the_executed_notebook_has_outputs_and_errors_and_no_tests(docker_pool: DockerPool) -> None:
    secret = {"id": "hidden", "cell": "assert square(4) == 'the-secret'", "hidden": True}
    judgement = judge(docker_pool, notebook(*CELLS), [secret])
    ((path, content, *_),) = judgement.kept
    assert path == "hw-executed.ipynb"
    assert b"the-secret" not in content
    document = json.loads(content)
    assert document["cells"][0]["source"] == "# Homework"
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, 3, 4, 5, 6, 7]
    assert cells[1]["outputs"][0]["data"] == {"text/plain": "9"}
    stream, error = cells[2]["outputs"]
    assert (stream["name"], stream["text"]) == ("stdout", "working\n")
    assert (error["ename"], error["traceback"][-1]) == ("ZeroDivisionError", "ZeroDivisionError: division by zero")
    assert 'File "hw.ipynb cell 3", line 3' in "\n".join(error["traceback"])


def test_a_notebook_without_tests_is_run(docker_pool: DockerPool) -> None:
    run = [{"id": "run"}]
    good = judge(docker_pool, notebook("print('hello')\n6 * 7"), run)
    assert (good.verdict, good.tests[0].stdout) == ("accepted", "hello\n42\n")
    bad = judge(docker_pool, notebook("print(1)", "def f():\n    return x\nf()", "print(2)"), run)
    assert (bad.verdict, bad.tests[0].stdout) == ("runtime_error", "1\n2\n")
    assert "hw.ipynb cell 2, line 2: NameError" in (bad.tests[0].message or "")
    assert 'File "hw.ipynb cell 2", line 2, in f\n    return x' in (bad.tests[0].stderr or "")


def test_a_cell_that_hangs_costs_the_tests_behind_it(docker_pool: DockerPool) -> None:
    tests = [{"id": "a", "cell": "assert x == 1", "after": "c1"}, {"id": "b", "cell": "assert x == 1"}, {"id": "run"}]
    judgement = judge(docker_pool, notebook("x = 1", "while True: pass"), tests)
    assert [str(result.verdict) for result in judgement.tests] == ["accepted", *["time_limit_exceeded"] * 2]


def test_cells_of_nbgrader_are_replaced_by_the_tests_of_their_name(docker_pool: DockerPool) -> None:
    document = json.loads(notebook("def f(): return 1", "assert f() == 1\nprint('mine')", "f = None"))
    document["cells"][2]["metadata"] = {"nbgrader": {"grade": True, "solution": False, "grade_id": "test_f"}}
    judgement = judge(docker_pool, json.dumps(document), [{"id": "f", "cell": "assert f() == 2", "after": "test_f"}])
    assert judgement.tests[0].verdict == "wrong_answer"
    assert b"mine" not in b"".join(line for line in judgement.kept[0].content.splitlines() if b'"text"' in line)


@pytest.mark.parametrize("source", ["print(1)", "{}", '{"nbformat": 3, "cells": []}', "[" * 5000])
def test_what_is_no_notebook_is_the_submissions_fault(docker_pool: DockerPool, source: str) -> None:
    judgement = judge(docker_pool, source, [{"id": "t", "cell": "assert True"}])
    assert judgement.tests[0].verdict == "runtime_error"
    assert "hw.ipynb" in (judgement.tests[0].message or "")


def test_a_test_cell_that_is_not_python_is_the_authors_fault(docker_pool: DockerPool) -> None:
    judgement = judge(
        docker_pool, notebook("x = 1"), [{"id": "t", "cell": "assert ("}, {"id": "u", "cell": "assert x"}]
    )
    assert [str(result.verdict) for result in judgement.tests] == ["internal_error", "accepted"]


def test_files_that_a_notebook_writes_are_kept(docker_pool: DockerPool) -> None:
    source = notebook(
        "import os\nos.makedirs('plots')\nopen('plots/curve.bin', 'wb').write(bytes(range(9)))",
        "open('answer.csv', 'w').write('a,b\\n1,2\\n')",
    )
    grader = {"kind": "notebook", "collect": ["answer.csv", "plots/curve.bin", "plots", "nothing.txt"]}
    judgement = judge(docker_pool, source, [{"id": "runs"}, {"id": "t", "cell": "assert os"}], grader=grader)
    assert judgement.verdict == "accepted", judgement.tests
    kept = {file.path: file.content for file in judgement.kept}
    assert kept.pop("hw-executed.ipynb")
    assert kept == {"answer.csv": b"a,b\n1,2\n", "plots/curve.bin": bytes(range(9))}
    assert judgement.message is not None
    plots, nothing = judgement.message.split("\n")
    assert plots.startswith("plots is not kept: it is no regular file")
    assert nothing == "nothing.txt is not kept: it does not exist"
