"""Leaderboards: members ranked by their counted submissions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from rlplatform.assignments.definitions import AssignmentRequest
from rlplatform.assignments.grading.documents import LeaderboardRow
from rlplatform.assignments.grading.grades import Overlay, Scored, counted, scored_submissions, until
from rlplatform.assignments.models import AssignmentState
from rlplatform.assignments.people.models import Member
from rlplatform.assignments.work import Measure, Work

_ADJECTIVES = (
    *("amber", "brave", "bright", "calm", "clever", "coral", "curious", "eager", "fair", "gentle", "golden", "happy"),
    *("keen", "kind", "lively", "lucky", "mellow", "merry", "noble", "proud", "quick", "quiet", "silver", "steady"),
    *("sunny", "swift", "violet", "warm", "wild", "wise", "witty", "young"),
)
_ANIMALS = (
    *("badger", "beaver", "bison", "crane", "deer", "dolphin", "eagle", "falcon", "ferret", "finch", "fox", "hare"),
    *("hawk", "heron", "horse", "ibex", "koala", "lark", "lemur", "lynx", "marten", "moose", "otter", "owl"),
    *("panda", "raven", "robin", "seal", "stork", "swan", "tiger", "wolf"),
)


def pseudonym(assignment_id: str, member_id: str) -> str:
    """Return the made-up name of a member at an assignment, another one at each assignment."""
    digest = hashlib.sha256(f"{assignment_id} {member_id}".encode()).digest()
    adjective, animal = _ADJECTIVES[digest[0] % len(_ADJECTIVES)], _ANIMALS[digest[1] % len(_ANIMALS)]
    return f"{adjective} {animal} {int.from_bytes(digest[2:4]) % 1000:03d}"


def ranking(
    definition: AssignmentRequest,
    state: AssignmentState,
    members: Sequence[Member],
    works: Sequence[Work],
    overlay: Overlay,
    *,
    as_of: datetime | None = None,
    me: str | None = None,
    real_names: bool = False,
) -> list[LeaderboardRow]:
    """Return the rows of the leaderboard, best first. Equal values share a rank.

    Args:
        as_of: only submissions before this time are ranked; None: all.
        me: id of the caller as a member.
        real_names: True shows names also where the assignment has pseudonyms.
    """
    policy = definition.leaderboard
    assert policy is not None
    learners = {member.id: member for member in members if member.role == "learner" and member.state == "active"}
    ranked: list[tuple[Measure, Scored, Member]] = []
    for work in works:
        member = learners.get(work.member_id)
        best = _best(definition, state, until(work, as_of), overlay)
        if member is not None and best is not None:
            ranked.append((*best, member))
    ranked.sort(key=lambda row: (-row[0].value, row[1].submission.submitted_at))
    rows: list[LeaderboardRow] = []
    for index, (measure, scored, member) in enumerate(ranked):
        tied = rows and rows[-1].value == measure.value
        shown = member.name or member.external_id
        if policy.pseudonyms and not real_names:
            shown = pseudonym(state.id, member.id)
        rows.append(
            LeaderboardRow(
                rank=rows[-1].rank if tied else index + 1,
                name=shown,
                me=member.id == me,
                value=measure.value,
                low=measure.low,
                high=measure.high,
                submitted_at=scored.submission.submitted_at,
            )
        )
    return rows


def _best(
    definition: AssignmentRequest, state: AssignmentState, work: Work, overlay: Overlay
) -> tuple[Measure, Scored] | None:
    """Return the counted submission and its value. Lateness costs no rank: the value is what the tests say."""
    found = scored_submissions(definition, state, work, overlay)
    policy = definition.leaderboard
    assert policy is not None
    if policy.test is None:
        plain = [one._replace(points=one.score) for one in found]
        best = counted(definition, plain)
        return None if best is None else (Measure(value=round(best.score, 6)), best)
    measured = [one._replace(points=one.marks.measure.value) for one in found if one.marks.measure is not None]
    best = counted(definition, measured)
    if best is None or best.marks.measure is None:
        return None
    return best.marks.measure, best
