"""Interquartile means and bootstrap intervals agree with SciPy's, on which rliable is built."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from rlplatform.statistics import band_of, bootstrap, curve_of, interquartile_mean, significant


@pytest.mark.parametrize("runs", [1, 2, 3, 4, 5, 8, 11, 50])
def test_the_interquartile_mean_is_scipys_trimmed_mean(runs: int) -> None:
    values = np.random.default_rng(runs).normal(size=(runs, 7))
    assert np.allclose(interquartile_mean(values), scipy.stats.trim_mean(values, 0.25, axis=0))


@pytest.mark.parametrize("runs", [4, 10, 30])
def test_the_interval_is_scipys_percentile_bootstrap(runs: int) -> None:
    values = np.random.default_rng(1).gumbel(100, 30, size=(runs, 1))
    ours = bootstrap(values, resamples=20_000)
    theirs = scipy.stats.bootstrap(
        (values[:, 0],),
        lambda sample, axis: scipy.stats.trim_mean(sample, 0.25, axis=axis),
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours.low[0] == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high[0] == pytest.approx(theirs.high, abs=0.03 * width)


def test_the_same_runs_are_resampled_in_every_column_however_many_there_are() -> None:
    values = np.random.default_rng(2).normal(size=(6, 1))
    wide = bootstrap(np.repeat(values, 5000, axis=1))
    one = bootstrap(values)
    for ours, alone in zip(wide, one, strict=True):
        assert np.allclose(ours, alone[0])


def test_one_run_has_no_interval_but_its_value() -> None:
    found = bootstrap(np.array([[3.0, 4.0]]))
    assert [each.tolist() for each in found] == [[3.0, 4.0]] * 3


def test_a_curve_counts_only_where_it_has_been() -> None:
    short, long = curve_of([0, 10], [0.0, 10.0]), curve_of([0, 20], [0.0, 40.0])
    band = band_of([short, long], points=21)
    assert band.runs.tolist() == [2] * 11 + [1] * 10
    assert band.intervals.iqm[5] == pytest.approx((5 + 10) / 2)
    assert band.intervals.iqm[15] == pytest.approx(30)
    assert (band.intervals.low <= band.intervals.iqm).all()
    assert (band.intervals.high >= band.intervals.iqm).all()


def test_a_gap_between_two_curves_is_left_out_and_no_curve_gives_no_band() -> None:
    band = band_of([curve_of([0, 1], [1.0, 1.0]), curve_of([9, 10], [2.0, 2.0])], points=11)
    assert band.x.tolist() == [0, 1, 9, 10]
    assert band_of([curve_of([], [])], points=10).x.tolist() == []


def test_of_a_place_that_is_there_twice_the_last_value_counts() -> None:
    curve = curve_of([1, 2, 2, 3], [1.0, 5.0, 6.0, 7.0])
    assert (curve.x.tolist(), curve.y.tolist()) == ([1, 2, 3], [1, 6, 7])


@pytest.mark.parametrize(("summed", "shown"), [(sum([0.1] * 10), 1.0), (9.999999999999998, 10.0), (-1e-30, -1e-30)])
def test_a_sum_is_shown_without_the_error_of_adding(summed: float, shown: float) -> None:
    assert significant(summed) == shown
    assert significant(float("inf")) == float("inf")
