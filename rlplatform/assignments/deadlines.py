"""Dates that hold for one member, and the penalty of a late submission."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime, Field, model_validator

from rlplatform.assignments.definitions import AssignmentRequest, AttemptsPolicy, LatePolicy
from rlplatform.json_models import FieldError, StrictModel, Text

_DAY_S = 86_400.0
DateState = Literal["upcoming", "open", "late", "closed"]


class Extension(StrictModel):
    """Later dates, and further attempts, for one member. It also holds for submissions that were made before."""

    due_at: AwareDatetime | None = None
    """Time until which the member is in time; null: as for all."""
    closes_at: AwareDatetime | None = None
    """Time from which the member's submissions are not accepted; null: as for all, and not before `due_at`."""
    extra_attempts: int = Field(default=0, ge=0, le=1000)
    """Attempts beyond the maximum."""
    reason: Text | None = Field(default=None, max_length=1000)
    """Reason, for staff; null: none."""

    @model_validator(mode="after")
    def _in_order(self) -> Extension:
        if self.due_at is not None and self.closes_at is not None and self.closes_at < self.due_at:
            raise FieldError("closes_at", f"{self.closes_at.isoformat()} is before due_at, {self.due_at.isoformat()}")
        return self


class Deadlines(NamedTuple):
    """Dates that hold for one member."""

    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None

    def state(self, now: datetime) -> DateState:
        """Return where ``now`` is among the dates. The deadline itself is still in time."""
        if self.opens_at is not None and now < self.opens_at:
            return "upcoming"
        if self.closes_at is not None and now > self.closes_at:
            return "closed"
        return "late" if self.due_at is not None and now > self.due_at else "open"


def deadlines_of(assignment: AssignmentRequest, extension: Extension | None) -> Deadlines:
    """Return the dates that hold for a member with ``extension``."""
    due_at, closes_at = assignment.due_at, assignment.closes_at
    if extension is not None:
        due_at = extension.due_at or due_at
        closes_at = extension.closes_at or closes_at
        if closes_at is not None and due_at is not None and closes_at < due_at:
            closes_at = due_at
    return Deadlines(assignment.opens_at, due_at, closes_at)


def attempts_of(assignment: AssignmentRequest, extension: Extension | None) -> AttemptsPolicy:
    """Return the limits on the attempts of a member with ``extension``."""
    policy = assignment.attempts
    if extension is None or policy.maximum is None:
        return policy
    return policy.model_copy(update={"maximum": policy.maximum + extension.extra_attempts})


def late_share(late: LatePolicy, due_at: datetime | None, submitted_at: datetime) -> float:
    """Return the share of the score that a submission loses because it is late, from 0 to 1."""
    if due_at is None:
        return 0.0
    late_s = (submitted_at - due_at).total_seconds() - late.grace_s
    return min(late.at_most, late.per_day * math.ceil(late_s / _DAY_S)) if late_s > 0 else 0.0
