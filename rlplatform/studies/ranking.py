"""Ranks of trials by an interval over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from rlplatform.studies.models import Interval, Trial, TrialState

_T_975 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % quantile of Student's t, by degrees of freedom from 1."""


def interval(returns: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of the mean of ``returns``, one a seed; None for fewer than two."""
    if len(returns) < 2:
        return None
    mean = statistics.fmean(returns)
    t = _T_975[min(len(returns) - 1, len(_T_975)) - 1]
    half = t * statistics.stdev(returns) / math.sqrt(len(returns))
    return Interval(low=mean - half, high=mean + half)


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return ``trials`` with their ranks: 1 plus the number of completed trials that are better beyond doubt."""
    bounds = {
        trial.number: (trial.interval.low, trial.interval.high) if trial.interval else (trial.value, trial.value)
        for trial in trials
        if trial.state is TrialState.COMPLETED and trial.value is not None
    }
    ranks = {
        number: 1 + sum(other_low > high for other_low, _ in bounds.values()) for number, (_, high) in bounds.items()
    }
    return [trial.model_copy(update={"rank": ranks.get(trial.number)}) for trial in trials]


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the completed trial with the highest value; None if none has completed."""
    known = [trial for trial in trials if trial.state is TrialState.COMPLETED and trial.value is not None]
    return max(known, key=lambda trial: (trial.value, -trial.number), default=None)


def in_order(trials: Sequence[Trial]) -> list[Trial]:
    """Return ``trials`` as a table shows them: completed ones by rank and value, then the others by value."""
    worst = -math.inf
    return sorted(
        trials,
        key=lambda trial: (
            trial.rank if trial.rank is not None else math.inf,
            -(trial.value if trial.value is not None else worst),
            trial.number,
        ),
    )
