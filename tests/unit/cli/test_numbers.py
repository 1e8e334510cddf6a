from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.cli.numbers import counted, interval, measure, plus_minus


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (500.0, "500.0"),
        (484.94, "484.9"),
        (-1234.56, "-1234.6"),
        (5.0, "5.0"),
        (1.254, "1.25"),
        (0.0163, "0.0163"),
        (-0.01, "-0.01"),
        (0.00001234, "1.23e-05"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_a_measured_number_is_short_and_never_rounded_to_nothing(value: float, text: str) -> None:
    assert measure(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_measured_number_keeps_three_digits(value: float) -> None:
    assert math.isclose(float(measure(value)), value, rel_tol=0.0051)


def test_an_error_has_no_more_decimals_than_a_larger_mean() -> None:
    assert plus_minus(200.5, 0.7071) == "200.5 ± 0.7"
    assert plus_minus(0.016, 0.00512) == "0.016 ± 0.0051"
    assert plus_minus(0.0, 0.0163) == "0.0 ± 0.0163"
    assert interval(62.31, 9.4567, 111.6) == "62.3 [9.5, 111.6]"


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1 line"), (1.0, "1 line"), (0, "0 lines"), (2.5, "2.5 lines"), (1_048_576, "1,048,576 lines")],
)
def test_a_number_is_written_with_its_noun(number: float, said: str) -> None:
    assert counted(number, "line") == said
