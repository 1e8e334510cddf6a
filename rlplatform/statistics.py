"""Interquartile means and bootstrap intervals, as rliable computes them for one task.

Source: Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice, NeurIPS 2021. The
interquartile mean is ``scipy.stats.trim_mean(scores, 0.25)``, the interval the 2.5 and 97.5 percentiles of it over
resampled runs. SciPy itself takes one resample at a time for a whole curve; this module takes all at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
_CHUNK = 4_000_000  # numbers that are resampled at once: 32 MB
_Floats = NDArray[np.float64]


class Intervals(NamedTuple):
    """Interquartile mean and 95 % interval of each column."""

    iqm: _Floats
    low: _Floats
    high: _Floats


def significant(value: float) -> float:
    """Return ``value`` with 12 significant digits: a sum of tenths is then 10, not 9.999999999999998."""
    return float(f"{value:.12g}")


def interquartile_mean(values: _Floats, axis: int = 0) -> _Floats:
    """Return the mean of the middle half of ``values`` along ``axis``: a quarter, rounded down, is cut at each end."""
    cut = values.shape[axis] // 4
    ordered = np.sort(values, axis=axis)
    middle = np.take(ordered, range(cut, values.shape[axis] - cut), axis=axis)
    return np.asarray(middle.mean(axis=axis))


def bootstrap(values: _Floats, resamples: int = RESAMPLES, seed: int = 0) -> Intervals:
    """Return interquartile means over runs and their 95 % bootstrap intervals.

    Args:
        values: ``[runs, columns]``; the same runs are resampled for all columns.
        resamples: Number of resamples.
        seed: Seed of the resampling: equal values give equal intervals.
    """
    runs, columns = values.shape
    iqm = interquartile_mean(values)
    if runs == 1:
        return Intervals(iqm, iqm, iqm)
    chosen = np.random.default_rng(seed).integers(runs, size=(resamples, runs))
    low, high = np.empty(columns), np.empty(columns)
    width = max(1, _CHUNK // (resamples * runs))
    for start in range(0, columns, width):
        part = slice(start, start + width)
        means = interquartile_mean(values[:, part][chosen], axis=1)
        low[part], high[part] = np.percentile(means, (2.5, 97.5), axis=0)
    return Intervals(iqm, low, high)


class Curve(NamedTuple):
    """Values of a metric over an axis, in order of ``x``."""

    x: _Floats
    y: _Floats


def curve_of(x: list[float], y: list[float]) -> Curve:
    """Return a curve without repeated places: the last value of each stays."""
    places, index = np.unique(np.asarray(x, np.float64)[::-1], return_index=True)
    return Curve(places, np.asarray(y, np.float64)[::-1][index])


class CurveBand(NamedTuple):
    """Interquartile mean of several curves, and how many of them reach each place."""

    x: _Floats
    intervals: Intervals
    runs: NDArray[np.int64]


def band_of(curves: list[Curve], points: int) -> CurveBand:
    """Return the interquartile mean of ``curves`` with intervals, at ``points`` places from the first to the last.

    Curves are interpolated linearly between their points. Where a curve has not begun or has ended, it is left out.
    """
    curves = [curve for curve in curves if len(curve.x)]
    empty: Any = np.empty(0)
    if not curves:
        return CurveBand(empty, Intervals(empty, empty, empty), np.empty(0, np.int64))
    x = np.linspace(min(curve.x[0] for curve in curves), max(curve.x[-1] for curve in curves), points)
    values = np.array([np.interp(x, curve.x, curve.y) for curve in curves])
    present = np.array([(x >= curve.x[0]) & (x <= curve.x[-1]) for curve in curves])
    reached = present.any(axis=0)
    x, values, present = x[reached], values[:, reached], present[:, reached]
    parts: Any = np.empty((3, len(x)))
    for mask in np.unique(present, axis=1).T:
        columns = (present == mask[:, None]).all(axis=0)
        parts[:, columns] = bootstrap(values[mask][:, columns])
    return CurveBand(x, Intervals(*parts), present.sum(axis=0))
