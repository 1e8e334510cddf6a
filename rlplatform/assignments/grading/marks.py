"""Marks: the result of a submission, taken from its evaluation. Pure functions."""

from __future__ import annotations

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.work import Marks, Measure, TestMark
from rlplatform.evaluation.models import TestResult, Verdict
from rlplatform.evaluation.record import EvaluationRun


def failure(evaluation: EvaluationRun) -> str | None:
    """Return the reason why an ended evaluation is no result; None if it is one."""
    document = evaluation.document
    if document.state == "failed":
        return document.message or "the platform failed"
    if document.state == "cancelled":
        return f"the evaluation was cancelled: {document.message}"
    if broken := [test for test in document.tests if test.verdict is Verdict.INTERNAL_ERROR]:
        return f"the platform failed on test {broken[0].id!r}"
    return None


def marks_of(evaluation: EvaluationRun, definition: AssignmentRequest) -> Marks:
    """Return the result of a finished evaluation."""
    document = evaluation.document
    assert document.verdict is not None
    return Marks(
        verdict=document.verdict,
        score=document.score or 0.0,
        max_score=document.max_score,
        tests=[
            TestMark(id=test.id, verdict=test.verdict, points=test.points, hidden=test.hidden)
            for test in document.tests
        ],
        measure=_measure(document.tests, definition),
    )


def no_marks(definition: AssignmentRequest) -> Marks:
    """Return the result of a submission that a version cannot judge: no points."""
    skipped = [
        TestMark(id=test.id, verdict=Verdict.SKIPPED, points=0.0, hidden=test.hidden) for test in definition.tests
    ]
    most = sum(test.points for test in definition.tests)
    return Marks(verdict=Verdict.SKIPPED, score=0.0, max_score=most, tests=skipped)


def _measure(tests: list[TestResult], definition: AssignmentRequest) -> Measure | None:
    policy = definition.leaderboard
    if policy is None or policy.test is None:
        return None
    value = next((test.value for test in tests if test.id == policy.test), None)
    numbers = {name: _number(value, name) for name in (policy.value, policy.low, policy.high) if name is not None}
    if (ranked := numbers.get(policy.value)) is None:
        return None
    return Measure(value=ranked, low=numbers.get(policy.low or ""), high=numbers.get(policy.high or ""))


def _number(value: object, name: str) -> float | None:
    """Return the number at the dotted ``name`` in ``value``; None if there is none."""
    for part in name.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
