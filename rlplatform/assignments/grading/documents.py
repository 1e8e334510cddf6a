"""Documents of results: grades, leaderboards and regrades."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from rlplatform.assignments.work import TestMark
from rlplatform.evaluation.models import Verdict
from rlplatform.json_models import StrictModel


class Grade(StrictModel):
    """Grade of one member at an assignment."""

    member_id: str
    """Id of the member."""
    external_id: str
    """Id of the person in the course's own lists."""
    name: str
    """Name of the person."""
    email: str
    """Email address of the person."""
    section: str
    """Part of the course."""
    submissions: int
    """Number of submissions."""
    submission_id: str | None = None
    """Id of the submission that counts; null: none."""
    submitted_at: datetime | None = None
    """Time of that submission; null: none."""
    verdict: Verdict | None = None
    """Verdict of that submission; null: none."""
    score: float | None = None
    """Its points before penalty and adjustment; null: none."""
    late_share: float = 0.0
    """Share of the score that is lost because it is late, from 0 to 1."""
    adjustment: float = 0.0
    """Points that staff have added."""
    points: float | None = None
    """The grade: points with penalty and adjustment; null: nothing is graded."""
    max_points: float
    """Points of a submission that passes everything."""
    tests: list[TestMark] = Field(default_factory=list)
    """Verdicts and points of the tests of that submission."""


class TestRate(StrictModel):
    """Share of the members with a graded submission that passed a test."""

    __test__ = False

    id: str
    """Id of the test."""
    points: float
    """Points of the test; of a test of a suite, the most that were earned."""
    hidden: bool
    """True if learners see its verdict and points only."""
    passed: int
    """Number of members whose counted submission passed it."""
    graded: int
    """Number of members with a graded submission."""


class Grades(StrictModel):
    """Grades of an assignment: one row for each learner of the course."""

    assignment: str
    """Name of the assignment."""
    version: int
    """Newest version."""
    max_points: float
    """Points of a submission that passes everything."""
    regrade: str | None = None
    """Id of the regrade whose results hold; null: none."""
    items: list[Grade]
    """The grades, by external id."""
    tests: list[TestRate]
    """The tests, and those of suites, with how many passed them."""


class LeaderboardRow(StrictModel):
    """One row of a leaderboard."""

    rank: int
    """Rank; equal values have the same one."""
    name: str
    """Name or pseudonym of the member."""
    me: bool = False
    """True for the row of the caller."""
    value: float
    """Value that ranks."""
    low: float | None = None
    """Lower end of its interval; null: none."""
    high: float | None = None
    """Upper end of its interval; null: none."""
    submitted_at: datetime
    """Time of the submission that counts."""


class Leaderboard(StrictModel):
    """Ranking of the members of a course."""

    assignment: str
    """Name of the assignment."""
    frozen_at: datetime | None = None
    """Time as of which the ranking is shown; null: it is the present one."""
    items: list[LeaderboardRow]
    """The rows, best first."""


class RegradeRequest(StrictModel):
    """Judge all submissions again."""

    version: int | None = Field(default=None, ge=1)
    """Version to judge by; null: the newest."""
    dry_run: bool = True
    """True: list who gains and who loses, and change no grade until it is committed. False: commit at the end."""


class Regrade(StrictModel):
    """Regrade of an assignment."""

    id: str
    """Id of the regrade: `regr_…`. Its events are in the stream `assignments/regr_…`."""
    state: Literal["running", "ready", "committed", "discarded"]
    """`ready`: everything is judged, and it can be committed."""
    assignment_id: str
    """Id of the assignment."""
    assignment: str
    """Name of the assignment."""
    version: int
    """Version that it judges by."""
    dry_run: bool
    """True if it waits to be committed."""
    total: int
    """Number of submissions to judge."""
    done: int = 0
    """Number of submissions judged so far."""
    created_at: datetime
    """Time of the request."""
    created_by: str
    """Id of the principal that asked for it."""
    finished_at: datetime | None = None
    """Time when everything was judged; null: not yet."""


class RegradeChange(StrictModel):
    """Member whose grade a regrade changes."""

    member_id: str
    """Id of the member."""
    external_id: str
    """Id of the person in the course's own lists."""
    name: str
    """Name of the person."""
    before: float | None = None
    """Points of the grade that holds without it; null: none."""
    after: float | None = None
    """Points of the grade with it; null: none."""


class RegradeReport(Regrade):
    """Regrade with the members whose grades it changes."""

    changes: list[RegradeChange] = Field(default_factory=list)
    """Members who gain or lose, greatest loss first; empty until it is ready."""
    gained: int = 0
    """Number of members who gain."""
    lost: int = 0
    """Number of members who lose."""


class RegradeList(StrictModel):
    """Regrades of an assignment, newest first."""

    items: list[Regrade]
    """The regrades."""
