"""Attempts, dates and penalties: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from rlplatform.assignments.attempts import attempts_state
from rlplatform.assignments.deadlines import Extension, attempts_of, deadlines_of, late_share
from rlplatform.assignments.definitions import AssignmentRequest, AttemptsPolicy, LatePolicy, TokenBucket, check_files
from rlplatform.errors import InvalidRequest, NoAttempt
from rlplatform.evaluation.sources import SourceFile

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
TESTS = [{"id": "t1", "stdin": "", "expected_stdout": "x"}]


def minutes_ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=each) for each in minutes]


def test_maximum_of_attempts_is_never_exceeded() -> None:
    policy = AttemptsPolicy(maximum=2)
    assert attempts_state(policy, [], NOW).left == 2
    assert attempts_state(policy, minutes_ago(1), NOW).allowed
    used_up = attempts_state(policy, minutes_ago(2, 1), NOW)
    assert (used_up.allowed, used_up.left, used_up.next_at) == (False, 0, None)
    with pytest.raises(NoAttempt, match="all 2 attempts are used"):
        used_up.require()


def test_cool_down_names_the_time_of_the_next_attempt() -> None:
    policy = AttemptsPolicy(cool_down_s=600)
    early = attempts_state(policy, minutes_ago(30, 4), NOW)
    assert (early.allowed, early.next_at) == (False, NOW + timedelta(minutes=6))
    with pytest.raises(NoAttempt, match="the next attempt is possible at 2030-01-31T12:06:00"):
        early.require()
    assert attempts_state(policy, minutes_ago(30, 10), NOW).allowed


def test_token_bucket_refills_with_time_and_holds_no_more_than_its_capacity() -> None:
    policy = AttemptsPolicy(bucket=TokenBucket(capacity=2, refill_s=3600))
    assert attempts_state(policy, minutes_ago(1), NOW).allowed
    empty = attempts_state(policy, minutes_ago(30, 10), NOW)
    assert (empty.allowed, empty.next_at) == (False, NOW + timedelta(minutes=30))
    assert attempts_state(policy, minutes_ago(60, 40), NOW).allowed
    long_ago = attempts_state(policy, [NOW - timedelta(days=9), *minutes_ago(2, 1)], NOW)
    assert not long_ago.allowed, "a week's rest saves up two attempts, not more"


def test_attempts_are_counted_although_a_clock_goes_backwards() -> None:
    policy = AttemptsPolicy(maximum=3, bucket=TokenBucket(capacity=1, refill_s=60))
    backwards = [NOW, NOW - timedelta(days=1)]
    assert not attempts_state(policy, backwards, NOW - timedelta(days=2)).allowed


def test_deadline_is_a_moment_in_every_time_zone() -> None:
    due = datetime(2030, 2, 1, 1, 0, tzinfo=timezone(timedelta(hours=13)))
    assignment = AssignmentRequest(title="x", tests=TESTS, due_at=due, closes_at=due + timedelta(days=1))
    dates = deadlines_of(assignment, None)
    assert dates.state(NOW) == "open"
    assert dates.state(NOW + timedelta(microseconds=1)) == "late"
    assert dates.state(NOW + timedelta(days=1)) == "late"
    assert dates.state(NOW + timedelta(days=1, microseconds=1)) == "closed"


def test_extension_moves_dates_and_adds_attempts() -> None:
    assignment = AssignmentRequest(
        title="x", tests=TESTS, due_at=NOW, closes_at=NOW, attempts=AttemptsPolicy(maximum=3)
    )
    later = Extension(due_at=NOW + timedelta(days=2), extra_attempts=1)
    assert deadlines_of(assignment, later) == (None, later.due_at, later.due_at)
    assert attempts_of(assignment, later).maximum == 4
    with pytest.raises(ValidationError, match="is before due_at"):
        Extension(due_at=NOW, closes_at=NOW - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("late_s", "share"), [(-1, 0), (0, 0), (300, 0), (301, 0.1), (86_700, 0.1), (86_701, 0.2), (9e6, 0.5)]
)
def test_each_day_that_has_begun_costs_a_share(late_s: float, share: float) -> None:
    policy = LatePolicy(per_day=0.1, at_most=0.5, grace_s=300)
    assert late_share(policy, NOW, NOW + timedelta(seconds=late_s)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"opens_at": NOW, "due_at": NOW - timedelta(days=1)}, "due_at"),
        ({"closes_at": NOW - timedelta(days=1), "opens_at": NOW}, "closes_at"),
        ({"due_at": datetime(2030, 1, 1)}, "due_at"),  # noqa: DTZ001
        ({"required_files": ["agent.py"]}, "required_files"),
        ({"provided": [{"path": "main.py", "content": ""}]}, "provided"),
        ({"provided": [{"path": "../main.py", "content": ""}]}, "provided.0.path"),
        ({"tests": [{"id": "t1", "args": [1], "expected": 1}]}, "tests.0.args"),
        ({"tests": [{"id": "t1", "stdin": "", "group": "g"}]}, "tests.0.group"),
        ({"leaderboard": {"test": "t9"}}, "leaderboard.test"),
    ],
)
def test_assignment_that_contradicts_itself_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        AssignmentRequest.model_validate({"title": "x", "tests": TESTS, **change})
    assert field in str(refused.value)


def test_submission_cannot_replace_files_of_the_assignment() -> None:
    assignment = AssignmentRequest.model_validate(
        {
            "title": "x",
            "tests": [{"id": "t1", "stdin": "", "files": [{"path": "seed.txt", "file": "file_" + "0" * 26}]}],
            "provided": [{"path": "helper.py", "content": "x = 1"}],
            "data": [{"path": "data/a.csv", "file": "file_" + "0" * 26}],
            "required_files": ["main.py", "agent.py"],
        }
    )
    files = [SourceFile(path="main.py", content=""), SourceFile(path="agent.py", content="")]
    check_files(assignment, files)
    for path in ("helper.py", "data/a.csv", "seed.txt", "/etc/passwd", "../x.py", "main.py"):
        with pytest.raises(InvalidRequest) as refused:
            check_files(assignment, [*files, SourceFile(path=path, content="")])
        assert refused.value.extra["field"] == "files.2.path", path
    with pytest.raises(InvalidRequest, match=r"'agent\.py' is missing"):
        check_files(assignment, files[:1])


def test_file_that_is_run_is_required_where_no_file_is_named() -> None:
    program = AssignmentRequest.model_validate({"title": "x", "tests": TESTS})
    assert program.required_files == ["main.py"]
    notebook = {"title": "x", "grader": {"kind": "notebook"}, "tests": [{"id": "t1"}]}
    assert AssignmentRequest.model_validate(notebook).required_files == ["main.ipynb"]
