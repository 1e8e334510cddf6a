"""Ranks of trials by intervals over seeds."""

from __future__ import annotations

import math
import statistics
from datetime import UTC, datetime

import pytest
from scipy import stats

from rlplatform.studies.models import Interval, Trial, TrialState
from rlplatform.studies.ranking import best, in_order, interval, ranked

AT = datetime(2026, 1, 1, tzinfo=UTC)


def trial(number: int, value: float | None, half: float | None = None, state: str = "completed") -> Trial:
    known = Interval(low=value - half, high=value + half) if value is not None and half is not None else None
    return Trial(number=number, state=state, hyperparameters={}, value=value, interval=known, started_at=AT)


@pytest.mark.parametrize("count", [2, 3, 5, 12, 31])
def test_interval_is_the_one_of_students_t(count: int) -> None:
    returns = [float(17 * place % 7) for place in range(count)]
    found = interval(returns)
    assert found is not None
    spread = statistics.stdev(returns) / math.sqrt(count)
    low, high = stats.t.interval(0.95, count - 1, loc=statistics.fmean(returns), scale=spread)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-2)


def test_one_seed_has_no_interval() -> None:
    assert interval([1.0]) is None
    assert interval([]) is None


def test_rank_counts_the_trials_that_are_better_beyond_doubt() -> None:
    trials = [trial(0, 10, 1), trial(1, 11.5, 1), trial(2, 30, 2), trial(3, 5), trial(4, 99, state="pruned")]
    assert [each.rank for each in ranked(trials)] == [2, 2, 1, 4, None]
    top = best(trials)
    assert top is not None
    assert top.number == 2


def test_table_has_completed_trials_first_and_those_without_a_value_last() -> None:
    trials = ranked([trial(0, 10), trial(1, None, state="failed"), trial(2, 30), trial(3, 20, state="pruned")])
    assert [each.number for each in in_order(trials)] == [2, 0, 3, 1]
    assert best([trial(1, None, state=TrialState.FAILED)]) is None
