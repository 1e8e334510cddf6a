"""Rates of tests: which tests the matrix of grades has."""

from __future__ import annotations

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import Grade
from rlplatform.assignments.grading.grades import rates_of_tests
from rlplatform.assignments.work import TestMark
from rlplatform.evaluation.models import Verdict

A, W = Verdict.ACCEPTED, Verdict.WRONG_ANSWER


def assignment(*tests: str) -> AssignmentRequest:
    listed = [{"id": test, "args": [], "expected": 1, "points": 2} for test in tests]
    return AssignmentRequest.model_validate(
        {"title": "x", "grader": {"kind": "function", "entry": "f"}, "tests": listed}
    )


def grade(external_id: str, *marks: TestMark) -> Grade:
    about = {
        "member_id": external_id,
        "external_id": external_id,
        "name": "",
        "email": "",
        "section": "",
    }
    return Grade(**about, submissions=1, submission_id=f"sub_{external_id}", max_points=2, tests=list(marks))


def test_each_test_of_the_version_has_a_rate() -> None:
    grades = [grade("s1", TestMark(id="a", verdict=A, points=2)), grade("s2", TestMark(id="a", verdict=W, points=0))]
    rates = rates_of_tests(assignment("a", "b"), grades)
    assert [(rate.id, rate.points, rate.passed, rate.graded) for rate in rates] == [("a", 2, 1, 2), ("b", 2, 0, 0)]


def test_tests_of_a_suite_take_its_place() -> None:
    grades = [
        grade(
            "s1",
            TestMark(id="test_suite.py::test_one", verdict=A, points=1.5),
            TestMark(id="test_suite.py::test_two", verdict=W, points=0, hidden=True),
        ),
        grade("s2", TestMark(id="test_suite.py::test_one", verdict=W, points=0)),
    ]
    rates = rates_of_tests(assignment("suite"), grades)
    assert [(rate.id, rate.points, rate.hidden, rate.passed, rate.graded) for rate in rates] == [
        ("test_suite.py::test_one", 1.5, False, 1, 2),
        ("test_suite.py::test_two", 0, True, 0, 1),
    ]


def test_suite_that_did_not_run_for_somebody_stays_beside_its_tests() -> None:
    grades = [
        grade("s1", TestMark(id="test_suite.py::test_one", verdict=A, points=2)),
        grade("s2", TestMark(id="suite", verdict=Verdict.COMPILE_ERROR, points=0)),
    ]
    rates = rates_of_tests(assignment("suite"), grades)
    assert [(rate.id, rate.passed, rate.graded) for rate in rates] == [
        ("suite", 0, 1),
        ("test_suite.py::test_one", 1, 1),
    ]
