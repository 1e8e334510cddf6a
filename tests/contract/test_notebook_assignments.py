"""A notebook assignment from its folder to its points: read, handed in as a folder, judged in a container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.cli.assignment_folder import read_assignment
from rlplatform.cli.commands.submit import _parts
from rlplatform.cli.program import read_program
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import Judgement, Verdict
from rlplatform.evaluation.sources import SourceFile
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker
RIGHT = """def discounted(rewards, gamma):
    g = 0.0
    for reward in reversed(rewards):
        g = reward + gamma * g
    return g
"""
WRONG = "def discounted(rewards, gamma):\n    return sum(rewards)"
TESTS = [
    {"id": "undiscounted", "points": 1, "cell": "assert discounted([1, 2, 3], 1.0) == 6"},
    {
        "id": "discounted",
        "points": 3,
        "hidden": True,
        "cell": "import math\nassert math.isclose(discounted([1, 1, 1], 0.5), 1.75)",
    },
]


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "id": "c1", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def assignment_in(folder: Path) -> AssignmentRequest:
    for path, content in {
        "assignment.toml": 'title = "Returns"\n\n[grader]\nkind = "notebook"\n',
        "statement.md": "Compute $G_t$.",
        "starter/main.ipynb": notebook("def discounted(rewards, gamma):\n    ..."),
        "tests/tests.json": json.dumps(TESTS),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    with read_assignment(folder) as (_, definition):
        return AssignmentRequest.model_validate(definition)


def handed_in(pool: DockerPool, assignment: AssignmentRequest, folder: Path, source: str) -> Judgement:
    """Judge the notebook of a learner's folder, sent as ``rlp submit NAME FOLDER`` sends it."""
    folder.mkdir()
    for file in assignment.starter:
        assert isinstance(file.content, str)
        (folder / file.path).write_text(file.content)
    (folder / "main.ipynb").write_text(notebook(source))
    parts = _parts(read_program(folder)[0], lambda path: pytest.fail(f"{path} need not be uploaded"))
    files = [SourceFile.model_validate(file) for file in parts["files"]]
    return Judge(pool).judge(assignment.evaluation(files).model_copy(update={"image": None}), lambda _: None)


def test_notebook_assignment_gives_points_for_each_test_cell(docker_pool: DockerPool, tmp_path: Path) -> None:
    assignment = assignment_in(tmp_path / "returns")
    assert (assignment.entry, assignment.required_files, assignment.max_points) == ("main.ipynb", ["main.ipynb"], 4)
    right = handed_in(docker_pool, assignment, tmp_path / "ada", RIGHT)
    assert (right.verdict, right.score) == (Verdict.ACCEPTED, 4)
    wrong = handed_in(docker_pool, assignment, tmp_path / "ben", WRONG)
    assert (wrong.verdict, wrong.score) == (Verdict.WRONG_ANSWER, 1)
