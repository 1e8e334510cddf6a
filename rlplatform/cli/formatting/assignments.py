"""Assignments in words. Pure: returns text, prints nothing."""

from __future__ import annotations

from datetime import datetime

from rlplatform.assignments.grading.documents import Grades, Leaderboard, RegradeReport
from rlplatform.assignments.models import AssignmentCard, AssignmentView, MyStatus
from rlplatform.assignments.similarity.models import ComparedSubmission, SimilarityReport
from rlplatform.assignments.submissions.documents import SubmissionDetail, SubmissionInfo
from rlplatform.cli.numbers import counted
from rlplatform.evaluation.models import Verdict


def card_row(card: AssignmentCard) -> dict[str, str]:
    """An assignment as a row of a table."""
    mine = card.mine
    return {
        "NAME": card.name,
        "TITLE": card.title,
        "VERSION": str(card.version),
        "DUE": moment(mine.due_at if mine is not None else card.due_at),
        "POINTS": points(mine.points if mine is not None else None, card.max_points),
        "ATTEMPTS": attempts(mine) if mine is not None else "",
    }


def view(assignment: AssignmentView) -> str:
    """An assignment as text: a line a fact."""
    mine = assignment.mine
    facts = [
        ("name", f"{assignment.name} (version {assignment.version})"),
        ("title", assignment.title),
        ("points", f"{assignment.max_points:g}, the {assignment.counts} submission counts"),
        ("due", moment(mine.due_at if mine is not None else assignment.due_at) or "no date"),
        ("closes", moment(mine.closes_at if mine is not None else assignment.closes_at)),
        ("attempts", attempts(mine) if mine is not None else ""),
        ("files", ", ".join(assignment.required_files)),
        ("tests", str(assignment.tests)),
    ]
    return "\n".join(f"{name:9} {text}" for name, text in facts if text)


def attempts(mine: MyStatus) -> str:
    """Attempts used and left, and when the next one is there."""
    state = mine.attempts
    told = f"{state.used} used" if state.left is None else f"{state.used} used, {state.left} left"
    return told if state.next_at is None else f"{told}, next {moment(state.next_at)}"


def submission_row(submission: SubmissionInfo) -> dict[str, str]:
    """A submission as a row of a table."""
    return {
        "ID": submission.id,
        "MEMBER": submission.member or "",
        "NO": str(submission.number),
        "SUBMITTED": moment(submission.submitted_at),
        "VERDICT": submission.verdict.value if submission.verdict is not None else submission.state,
        "POINTS": points(submission.points, submission.max_points),
        "LATE": f"-{submission.late_share:.0%}" if submission.late_share else "",
        "COUNTS": "yes" if submission.counts else "",
    }


def result(submission: SubmissionDetail) -> str:
    """Return the result of a submission: its points, and the messages of visible tests."""
    lines = []
    for test in submission.results:
        if test.verdict is not Verdict.ACCEPTED and test.message:
            lines.append(f"{test.id}: {test.message}")
    late = f", {submission.late_share:.0%} off because it is late" if submission.late_share else ""
    if submission.state == "failed":
        lines.append(f"not judged: {submission.message}. The attempt does not count")
    else:
        lines.append(f"{points(submission.points, submission.max_points)} points{late}")
    return "\n".join(lines)


def grade_rows(grades: Grades) -> list[dict[str, str]]:
    """Grades as rows of a table."""
    return [
        {
            "EXTERNAL ID": row.external_id,
            "NAME": row.name,
            "POINTS": points(row.points, row.max_points),
            "VERDICT": row.verdict.value if row.verdict is not None else "",
            "LATE": f"-{row.late_share:.0%}" if row.late_share else "",
            "ADJUSTED": f"{row.adjustment:+g}" if row.adjustment else "",
            "SUBMISSIONS": str(row.submissions),
        }
        for row in grades.items
    ]


def leaderboard_rows(board: Leaderboard) -> list[dict[str, str]]:
    """A leaderboard as rows of a table."""
    rows = []
    for row in board.items:
        interval = f" [{row.low:g}, {row.high:g}]" if row.low is not None and row.high is not None else ""
        rows.append(
            {
                "RANK": str(row.rank),
                "NAME": f"{row.name} (you)" if row.me else row.name,
                "VALUE": f"{row.value:g}{interval}",
            }
        )
    return rows


def regrade(report: RegradeReport) -> str:
    """A regrade in one line."""
    changed = f"{report.gained} gain, {report.lost} lose"
    return f"{report.id}: {report.state}, version {report.version}, {report.done} of {report.total} judged; {changed}"


def change_rows(report: RegradeReport) -> list[dict[str, str]]:
    """Return the grades that a regrade changes, as rows of a table."""
    return [
        {
            "EXTERNAL ID": change.external_id,
            "NAME": change.name,
            "BEFORE": number(change.before),
            "AFTER": number(change.after),
        }
        for change in report.changes
    ]


def points(earned: float | None, most: float) -> str:
    """Points of those that can be earned."""
    return f"{number(earned)} of {most:g}"


def number(value: float | None) -> str:
    """A number, or a dash."""
    return "-" if value is None else f"{value:g}"


def similarity(report: SimilarityReport) -> str:
    """A comparison in one line."""
    pairs = counted(len(report.pairs), "pair")
    compared = f"{report.compared} submissions compared at {moment(report.finished_at)}"
    return f"{compared}; {pairs} with at least {report.min_similarity:.0%}"


def pair_rows(report: SimilarityReport) -> list[dict[str, str]]:
    """Rows of a table of pairs: the members, the share of each in the other, and where the longest passages are."""
    return [
        {
            "ALIKE": f"{pair.similarity:.0%}",
            "EARLIER": _person(pair.a),
            "OF IT": f"{pair.a.share:.0%}",
            "LATER": _person(pair.b),
            "OF IT ": f"{pair.b.share:.0%}",
            "LINES OF THE LATER": _lines(pair.b),
        }
        for pair in report.pairs
    ]


def _person(one: ComparedSubmission) -> str:
    return f"{one.external_id} {one.name}".strip()


def _lines(one: ComparedSubmission) -> str:
    longest = sorted(one.passages, key=lambda passage: passage.first_line - passage.last_line)[:2]
    return ", ".join(f"{passage.path}:{passage.first_line}-{passage.last_line}" for passage in longest)


def moment(at: datetime | None) -> str:
    """A time in this machine's zone; empty for none."""
    return "" if at is None else f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
