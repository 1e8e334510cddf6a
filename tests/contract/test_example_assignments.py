"""The assignments that ship with the package: a solution earns all points, the starter does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.cli.assignment_folder import read_assignment
from rlplatform.cli.assignment_templates import TEMPLATES, write_template
from rlplatform.evaluation.judge import Judge
from rlplatform.evaluation.models import EvaluationRequest, Judgement, Verdict
from rlplatform.evaluation.sources import SourceFile
from rlplatform.sandbox.pool.docker_pool import DockerPool

pytestmark = pytest.mark.docker


def judged(pool: DockerPool, request: EvaluationRequest) -> Judgement:
    return Judge(pool).judge(request.model_copy(update={"image": None}), lambda _: None)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_solution_is_accepted_and_the_starter_is_not(docker_pool: DockerPool, tmp_path: Path, name: str) -> None:
    write_template(name, tmp_path / name)
    with read_assignment(tmp_path / name) as (_, definition):
        assignment = AssignmentRequest.model_validate(definition)
    solution = (tmp_path / name / "solution" / "main.py").read_text()
    done = judged(docker_pool, assignment.evaluation([SourceFile(path="main.py", content=solution)]))
    assert done.verdict is Verdict.ACCEPTED, [(test.id, test.message) for test in done.tests]
    assert done.score == assignment.max_points
    began = judged(docker_pool, assignment.evaluation(assignment.starter))
    assert began.score < assignment.max_points / 2
    assert any(test.hidden for test in done.tests)
