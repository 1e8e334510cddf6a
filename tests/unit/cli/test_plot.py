"""Curves drawn with characters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlplatform.cli.plot import Series, compact, draw

NUMBER = st.floats(-1e12, 1e12, allow_subnormal=False) | st.sampled_from([math.nan, math.inf, 0.0, 1e-9])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NUMBER, NUMBER), max_size=30), st.integers(30, 200), st.integers(4, 40))
def test_a_plot_fits_its_width_whatever_the_values(points: list[tuple[float, float]], width: int, height: int) -> None:
    curve = Series("one", [x for x, _ in points], [y for _, y in points])
    lines = draw([curve], width=width, height=height, title="return", axis="s", coloured=False)
    assert all(len(line.plain) <= width for line in lines)
    assert len(lines) in (1, height + 3)


def test_a_rising_curve_begins_below_and_ends_above() -> None:
    curve = Series("one", [0, 1, 2], [0, 1, 2])
    rows = [line.plain for line in draw([curve], width=40, height=5, title="t", axis="steps", coloured=False)[1:6]]
    assert len(rows[0].rstrip()) > len(rows[-1].rstrip())
    assert [row.split()[0] for row in (rows[0], rows[-1])] == ["2.1", "-0.1"]


def test_curves_without_colours_have_letters() -> None:
    curves = [Series("a", [0, 1], [0, 0]), Series("b", [0, 1], [1, 1]), Series("none", [], [])]
    lines = [line.plain for line in draw(curves, width=40, height=4, title="t", axis="s", coloured=False)]
    assert "BBB" in lines[1]
    assert "AAA" in lines[4]
    assert [line.split() for line in lines[-3:]] == [["A", "a"], ["B", "b"], ["C", "none"]]


def test_without_a_value_the_plot_says_so() -> None:
    (line,) = draw([Series("a", [1.0], [math.nan])], width=40, height=4, title="loss", axis="s", coloured=True)
    assert line.plain == "loss: no values yet"


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "0.5"), (9999, "9999"), (12_345, "12.35k"), (2.5e6, "2.5M"), (-3e9, "-3G")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert compact(value) == text
