"""Comparison of programs: what counts as alike, and the limits of the process that compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlplatform.access.principals import Principal, Role
from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.repository import StoredContent
from rlplatform.assignments.similarity.ports import Comparison, Program
from rlplatform.assignments.similarity.process import ComparisonProcess
from rlplatform.assignments.similarity.sources import MAX_BYTES, UnreadableSource, given_sources, sources_of
from rlplatform.errors import Unavailable
from rlplatform.evaluation.sources import SourceFile

pytestmark = pytest.mark.anyio

OWN = '''\
import numpy as np

def value_iteration(P, R, gamma=0.9, eps=1e-6):
    """Solve it."""
    V = np.zeros(len(P))
    while True:
        Q = np.einsum("sat,t->sa", P, V) * gamma + R
        new = Q.max(axis=1)
        if np.abs(new - V).max() < eps:
            return new, Q.argmax(axis=1)
        V = new
'''
RENAMED = (
    OWN.replace("V", "values").replace("Q", "table").replace("new", "updated").replace('"""Solve it."""', "# mine")
)
PADDING = "\n".join(f"def helper_{i}(x):\n    return x ** {i} + {i} if x > {i} else [x] * {i}\n" for i in range(30))
OTHER = """\
def value_iteration(P, R, gamma=0.9, eps=1e-6):
    values = [0.0 for _ in P]
    for sweep in range(1000):
        for state, row in enumerate(P):
            values[state] = max(R[state][a] + gamma * sum(p * values[t] for t, p in enumerate(row[a])) for a in (0, 1))
    return values
"""
GIVEN = OWN.partition("    V =")[0]
NOTHING = Program("given", {})
STAFF = Principal(id="key_staff", tenant="acme", scopes=Role.INSTRUCTOR.scopes)


def programs(**texts: str) -> list[Program]:
    return [Program(name, {"main.py": text}) for name, text in texts.items()]


def pairs(found: Comparison) -> list[tuple[str, str]]:
    return [(pair.a.id, pair.b.id) for pair in found.pairs]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def found(anyio_backend: str) -> Comparison:
    del anyio_backend
    notebook = Program("notebook", {"main.ipynb": RENAMED})
    several = Program("split", {"main.py": PADDING, "solver.py": RENAMED})
    compared = [*programs(own=OWN, renamed=RENAMED, other=OTHER, tiny="x = 1"), several, notebook]
    return await ComparisonProcess().compare(compared, Program("given", {"starter.py": GIVEN}), 0.6)


def test_renamed_copy_is_alike_and_an_own_solution_is_not(found: Comparison) -> None:
    assert {("own", "renamed"), ("own", "notebook")} <= set(pairs(found))
    assert not [pair for pair in pairs(found) if "other" in pair]


def test_copy_among_other_code_is_as_similar_and_its_lines_are_named(found: Comparison) -> None:
    (pair,) = [pair for pair in found.pairs if (pair.a.id, pair.b.id) == ("own", "split")]
    assert pair.a.share > 0.9
    assert pair.b.share < 0.3
    assert {passage.path for passage in pair.b.passages} == {"solver.py"}
    assert pair.b.passages[-1].first_line <= 5
    assert pair.b.passages[-1].last_line >= 10


def test_program_without_code_of_its_own_is_too_short(found: Comparison) -> None:
    assert found.too_short == ["tiny"]


async def test_code_of_the_assignment_does_not_count() -> None:
    compared = programs(
        a=GIVEN + "    return [len(P), 1, 2, 3, 4, 5, 6, 7]\n", b=GIVEN + "    return {P: R for x in R}\n"
    )
    assert pairs(await ComparisonProcess().compare(compared, NOTHING, 0.5)) == [("a", "b")]
    assert pairs(await ComparisonProcess().compare(compared, Program("given", {"main.py": GIVEN}), 0.5)) == []


async def test_comparison_that_takes_too_long_or_too_much_memory_is_given_up() -> None:
    with pytest.raises(Unavailable, match=r"longer than 0\.01 s"):
        await ComparisonProcess(wall_s=0.01).compare(programs(a=OWN), NOTHING, 0.5)
    with pytest.raises(Unavailable, match="could not be compared"):
        await ComparisonProcess(memory_bytes=64 << 20).compare(programs(a=OWN), NOTHING, 0.5)


async def test_submissions_are_never_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    hostile = f"# coding: rot13\nopen({str(ran)!r}, 'w').write('ran')\n" + OWN
    assert pairs(await ComparisonProcess().compare(programs(a=hostile, b=hostile), NOTHING, 0.5)) == [("a", "b")]
    assert not ran.exists()


def definition(**changes: object) -> AssignmentRequest:
    return AssignmentRequest.model_validate(
        {"title": "x", "tests": [{"id": "t", "stdin": "", "expected_stdout": ""}]} | changes
    )


async def read(files: dict[str, str]) -> dict[str, str]:
    content = StoredContent(files=[SourceFile(path=path, content=text) for path, text in files.items()])
    return await sources_of(definition(), content, None, STAFF)


async def test_code_is_read_from_python_files_and_from_the_cells_of_notebooks() -> None:
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "# Title"},
            {"cell_type": "code", "source": ["x = 1\n", "y = 2"]},
            {"cell_type": "code", "source": "z = 3"},
        ]
    }
    files = {"a.py": "1", "main.py": "2", "notes.txt": "no", "b.ipynb": json.dumps(notebook), "c.ipynb": "broken"}
    assert await read(files) == {"main.py": "2", "a.py": "1", "b.ipynb": "x = 1\ny = 2\nz = 3"}
    assert next(iter(await read(files))) == "main.py"


async def test_notebook_that_is_run_is_read_by_its_cells_too() -> None:
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": "x = 1"}]})
    content = StoredContent(
        files=[SourceFile(path="main.ipynb", content=notebook), SourceFile(path="a.py", content="y")]
    )
    found = await sources_of(
        definition(grader={"kind": "notebook"}, tests=[{"id": "t", "cell": "assert x"}]), content, None, STAFF
    )
    assert found == {"main.ipynb": "x = 1", "a.py": "y"}


async def test_submissions_without_code_or_with_too_much_are_not_compared() -> None:
    with pytest.raises(UnreadableSource, match="no code"):
        await read({"main.py": " \n"})
    with pytest.raises(UnreadableSource, match="at most"):
        await read({"main.py": "x" * MAX_BYTES, "b.py": "y"})


def test_starter_and_provided_files_are_the_assignments_own() -> None:
    both = definition(
        starter=[{"path": "main.py", "content": "starter"}], provided=[{"path": "lib.py", "content": "provided"}]
    )
    assert list(given_sources(both).values()) == ["starter", "provided"]
