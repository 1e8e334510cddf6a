"""Attempts: how many are used, whether another is allowed now, and when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rlplatform.assignments.definitions import AttemptsPolicy, TokenBucket
from rlplatform.errors import NoAttempt
from rlplatform.json_models import StrictModel


class AttemptsState(StrictModel):
    """Attempts of a member at an assignment."""

    used: int
    """Attempts used so far."""
    maximum: int | None = None
    """Largest number of attempts; null: no limit."""
    left: int | None = None
    """Attempts left of the maximum; null: no limit."""
    next_at: datetime | None = None
    """Time of the next possible attempt; null: none is left, or it is possible now."""
    allowed: bool
    """True if an attempt is possible now."""

    def require(self) -> None:
        """Check that an attempt is possible now.

        Raises:
            NoAttempt: none is.
        """
        if self.allowed:
            return
        if self.next_at is None:
            raise NoAttempt(f"all {self.maximum} attempts are used", used=self.used, maximum=self.maximum, next_at=None)
        at = self.next_at.isoformat(timespec="seconds")
        raise NoAttempt(f"the next attempt is possible at {at}", used=self.used, maximum=self.maximum, next_at=at)


def attempts_state(policy: AttemptsPolicy, spent: Sequence[datetime], now: datetime) -> AttemptsState:
    """Return the state of a member's attempts.

    Args:
        policy: limits that hold for the member.
        spent: times of the attempts that count, oldest first.
        now: current time.
    """
    left = None if policy.maximum is None else max(0, policy.maximum - len(spent))
    state = AttemptsState(used=len(spent), maximum=policy.maximum, left=left, allowed=False)
    if left == 0:
        return state
    next_at = max([_after_cool_down(policy, spent, now), _refilled(policy.bucket, spent, now)])
    if next_at <= now:
        return state.model_copy(update={"allowed": True})
    return state.model_copy(update={"next_at": next_at})


def _after_cool_down(policy: AttemptsPolicy, spent: Sequence[datetime], now: datetime) -> datetime:
    return spent[-1] + timedelta(seconds=policy.cool_down_s) if spent else now


def _refilled(bucket: TokenBucket | None, spent: Sequence[datetime], now: datetime) -> datetime:
    """Return the time at which the bucket has a token: ``now``, or later."""
    if bucket is None or not spent:
        return now
    tokens, before = float(bucket.capacity), spent[0]
    for at in spent:
        tokens = min(bucket.capacity, tokens + max(0.0, (at - before).total_seconds()) / bucket.refill_s) - 1
        before = max(before, at)
    waited_s = max(0.0, (now - before).total_seconds())
    lacking_s = (1 - tokens) * bucket.refill_s - waited_s
    return now if lacking_s <= 1e-6 else now + timedelta(seconds=lacking_s)
