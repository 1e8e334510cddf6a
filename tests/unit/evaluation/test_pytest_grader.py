"""The grader ``pytest``: its requests, the tests that its nodes become, and what its reports mean."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pydantic import ValidationError

from rlplatform.errors import InvalidRequest
from rlplatform.evaluation.graders.pytest_suite import PytestGrader, _select
from rlplatform.evaluation.judge import Bounds, Judge
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.evaluation.submission_models import Submission
from rlplatform.evaluation.submissions import build_program, check_submission
from rlplatform.evaluation.suites.dialogues import (
    ENDED,
    Phase,
    SubmissionDialogue,
    SuiteDialogue,
    SuiteFailed,
)
from rlplatform.evaluation.suites.reports import Node, read_report
from rlplatform.sandbox.models import Execution, Outcome, Program
from rlplatform.settings import EvaluationSettings
from rlplatform.testing.sandboxes import ScriptedPool, exited

SUITE = "from main import f\ndef test_it(): assert f() == 4\n"


def request(tests: list[dict[str, Any]] | None = None, **grader: Any) -> EvaluationRequest:
    return EvaluationRequest.model_validate(
        {
            "source": "def f(): return 4",
            "grader": {"kind": "pytest", "suite": SUITE, **grader},
            "tests": tests or [{"id": "all", "points": 4}],
        }
    )


def nodes(*names: str, **fields: Any) -> list[Node]:
    return [Node(node=name, **fields) for name in names]


def test_a_suite_runs_no_longer_than_the_operators_bound() -> None:
    def play(program: Program, execution: Execution) -> Outcome:
        return exited(code=1)

    pool = ScriptedPool(play, slots=2)
    Judge(pool, Bounds(longest_s=7)).judge(request(), lambda _: None)
    suite = next(one for one in pool.opened if b"test_it" in b"".join(one.program.files.values()))
    assert {one.limits.wall_time_s for one in suite.executions} == {7}


def test_a_request_may_not_take_longer_than_the_operators_bound() -> None:
    asked = request(limits={"cpu_time_s": 1, "wall_time_s": 10})
    check_submission(asked, EvaluationSettings(max_total_wall_time_s=100))
    with pytest.raises(InvalidRequest, match="RLP_EVALUATION__MAX_TOTAL_WALL_TIME_S"):
        check_submission(asked, EvaluationSettings(max_total_wall_time_s=5))


def test_suite_is_not_read_back_by_submitters() -> None:
    given = request(files=[{"path": "conftest.py", "content": "secret = 1"}])
    shown = Submission.of("eval_1", given, staff=False)
    assert shown.grader["kind"] == "pytest"
    assert "secret" not in shown.model_dump_json()
    assert "test_it" not in shown.model_dump_json()
    assert "test_it" in Submission.of("eval_1", given, staff=True).model_dump_json()


def test_suite_is_not_in_the_submissions_sandbox() -> None:
    program = build_program(request())
    assert b"test_it" not in b"".join(program.files.values())
    assert b"test_it" in b"".join(build_program(request(isolation="shared")).files.values())


def test_submission_is_imported_under_the_name_of_its_own_file() -> None:
    named = request().model_copy(update={"source_name": "solution.py"})
    assert b"main(name='solution')" in build_program(named).files["_start.py"]


@pytest.mark.parametrize(
    ("grader", "message"),
    [
        ({"suite": None}, "give the text of test_suite.py"),
        ({"files": [{"path": "../x.py", "content": ""}]}, "must not contain '..'"),
        ({"files": [{"path": "test_suite.py", "content": ""}]}, "is taken"),
        ({"files": [{"path": "main.py", "content": ""}]}, "is taken"),
        ({"isolation": "none"}, "'separate' or 'shared'"),
    ],
)
def test_grader_that_cannot_work_is_refused(grader: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        request(**grader)


def test_tests_that_name_the_same_nodes_are_refused() -> None:
    with pytest.raises(ValidationError, match="is there twice"):
        request([{"id": "a", "node": "test_suite.py"}, {"id": "b", "node": "test_suite.py"}])


def test_submission_in_the_same_process_cannot_configure_pytest() -> None:
    fields = request(isolation="shared").model_dump(mode="json", exclude_none=True)
    for path in ("conftest.py", "a/pytest.ini", "test_more.py"):
        changed = EvaluationRequest.model_validate(fields | {"files": [{"path": path, "content": ""}]})
        with pytest.raises(InvalidRequest, match="only the suite may have it"):
            build_program(changed)


def test_nodes_share_the_points_of_their_test_by_weight() -> None:
    tests = request([{"id": "all", "points": 4}]).tests
    found = _select([*nodes("t.py::a", "t.py::b[1]"), *nodes("t.py::c", weight=2, hidden=True)], tests)
    assert not isinstance(found, str)
    assert [(test.id, test.points, test.hidden) for test in found] == [
        ("t.py::a", 1, False),
        ("t.py::b[1]", 1, False),
        ("t.py::c", 2, True),
    ]


def test_the_longest_name_owns_a_node_and_the_order_is_the_suites() -> None:
    tests = request(
        [
            {"id": "rest", "points": 1, "hidden": True},
            {"id": "b", "node": "t.py::b", "points": 6},
            {"id": "one", "node": "t.py::b[2]", "points": 5},
        ]
    ).tests
    found = _select(nodes("t.py::b[1]", "t.py::bc", "t.py::b[2]", "t.py::b[3]"), tests)
    assert not isinstance(found, str)
    assert [(test.id, test.points, test.hidden) for test in found] == [
        ("t.py::b[1]", 3, False),
        ("t.py::bc", 1, True),
        ("one", 5, False),
        ("t.py::b[3]", 3, False),
    ]


def test_a_test_without_nodes_is_the_authors_mistake() -> None:
    found = _select(nodes("t.py::a"), request([{"id": "x", "node": "t.py::nothing"}]).tests)
    assert found == "no test of the suite is 't.py::nothing'; it has t.py::a"


@pytest.mark.parametrize(
    ("phases", "verdict"),
    [
        (["passed", "passed", "passed"], "accepted"),
        (["passed", "failed", "passed"], "wrong_answer"),
        (["passed", "raised", "passed"], "runtime_error"),
        (["suite", "passed"], "internal_error"),
        (["skipped", "passed"], "skipped"),
        (["passed", "passed", "suite"], "internal_error"),
        ([], "internal_error"),
    ],
)
def test_phases_of_a_node_decide(phases: list[str], verdict: str) -> None:
    report = read_report({"phases": [{"when": "call", "outcome": outcome, "message": "why"} for outcome in phases]})
    assert report is not None
    decision = report.decision()
    assert decision is not None
    assert decision.verdict == verdict


def test_a_submission_that_ended_is_judged_by_how_it_ended() -> None:
    report = read_report({"phases": [{"when": "call", "outcome": "ended"}]})
    assert report is not None
    assert report.decision() is None


@pytest.mark.parametrize(
    "message", [{"phases": 1}, {"nodes": [{"node": ""}]}, {"phases": [{"when": "call", "outcome": "x"}]}]
)
def test_reports_are_checked(message: dict[str, Any]) -> None:
    assert read_report(message) is None


def test_lines_go_between_the_dialogues_until_the_report() -> None:
    suite = SuiteDialogue(5)
    phase = Phase()
    submission = SubmissionDialogue(phase, 5, b'{"run":"a"}\n', suite)
    said: list[bytes | None] = []

    def run_suite() -> None:
        said.append(suite.reply(b'!{"nodes":[]}'))
        said.append(suite.reply(b"ask 1"))
        said.append(suite.reply(b"ask 2"))
        said.append(suite.reply(b'!{"phases":[]}'))

    thread = threading.Thread(target=run_suite)
    thread.start()
    assert suite.wait() == {"nodes": []}
    submission.begin()
    heard = [submission.reply(line) for line in (b"ready", b"answer 1", b"answer 2")]
    assert heard == [b"ask 1\n", b"ask 2\n", None]
    assert suite.wait() == {"phases": []}
    suite.stop()
    thread.join(5)
    assert said == [b'{"run":"a"}\n', b"answer 1\n", b"answer 2\n", None]
    assert not phase.cut


def test_a_suite_that_asks_an_ended_submission_hears_so() -> None:
    suite, phase = SuiteDialogue(5), Phase()
    suite.start(phase, None)
    phase.end()
    assert suite.reply(b"ask") == ENDED
    assert phase.cut


def test_a_submission_does_not_wait_for_a_suite_that_has_ended() -> None:
    suite, phase = SuiteDialogue(5), Phase()
    suite.end(SuiteFailed("gone"))
    submission = SubmissionDialogue(phase, 5, None, suite)
    submission.begin()
    assert submission.reply(b"ready") is None
    with pytest.raises(SuiteFailed, match="gone"):
        suite.wait()
    with pytest.raises(SuiteFailed, match="gone"):
        suite.wait()


def test_a_suite_that_dies_is_an_internal_error_and_never_a_wrong_answer() -> None:
    pool = ScriptedPool(lambda program, execution: exited(code=3, stderr=b"Boom"))
    judgement = Judge(pool).judge(request([{"id": "a"}, {"id": "b", "node": "x"}]), lambda _: None)
    assert [result.verdict for result in judgement.tests] == ["internal_error"] * 2
    assert judgement.tests[0].message == "the suite failed: exit status 3: Boom"
    assert judgement.tests[0].isolation == "separate"
    assert all(sandbox.closed for sandbox in pool.opened)


def test_grader_needs_pytest_in_the_image() -> None:
    assert PytestGrader(suite=SUITE).packages == ("pytest",)
