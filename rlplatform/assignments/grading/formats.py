"""Grades in the formats of other systems: CSV, and the ``results.json`` of Gradescope."""

from __future__ import annotations

import csv
import io
from typing import Any

from rlplatform.assignments.grading.documents import Grade, Grades
from rlplatform.evaluation.models import Verdict

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS = (
    *("external_id", "name", "email", "section", "points", "max_points", "score", "late_share", "adjustment"),
    *("verdict", "submissions", "submitted_at", "submission_id"),
)


def to_csv(grades: Grades) -> str:
    """Return the grades as CSV: a row for each member, a column for the points of each test.

    Text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    tests = [test.id for test in grades.tests]
    writer.writerow([*_COLUMNS, *(f"test {test_id}" for test_id in tests)])
    for grade in grades.items:
        marks = {mark.id: mark.points for mark in grade.tests}
        row = [_cell(getattr(grade, column)) for column in _COLUMNS]
        writer.writerow([*row, *(marks.get(test_id, "") for test_id in tests)])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, Verdict):
        return value.value
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return value.isoformat() if hasattr(value, "isoformat") else value


def to_gradescope(grades: Grades) -> dict[str, Any]:
    """Return the ``results.json`` of each member with a grade, by external id."""
    hidden = {test.id: test.hidden for test in grades.tests}
    most = {test.id: test.points for test in grades.tests}
    return {grade.external_id: _results(grade, hidden, most) for grade in grades.items if grade.points is not None}


def _results(grade: Grade, hidden: dict[str, bool], most: dict[str, float]) -> dict[str, Any]:
    notes = []
    if grade.late_share:
        notes.append(f"Late: {grade.late_share:.0%} of the score is lost.")
    if grade.adjustment:
        notes.append(f"Adjusted by course staff: {grade.adjustment:+g} points.")
    return {
        "score": grade.points,
        "output": " ".join(notes),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": mark.id,
                "score": mark.points,
                "max_score": most.get(mark.id, mark.points),
                "status": "passed" if mark.verdict is Verdict.ACCEPTED else "failed",
                "output": mark.verdict.value,
                "visibility": "after_published" if hidden.get(mark.id, True) else "visible",
            }
            for mark in grade.tests
        ],
    }
