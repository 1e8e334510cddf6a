"""The codec of values: what goes in comes out, and nothing else comes in."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlplatform.sandbox.guest import values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def identical(a: object, b: object) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(identical, a, b))  # type: ignore[arg-type]
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)  # type: ignore[call-overload, index]
    return repr(a) == repr(b)


@given(JSON)
def test_what_is_encoded_is_decoded(value: object) -> None:
    assert identical(values.decode(values.encode(value)), value)


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_infinities_cross(number: float) -> None:
    assert values.decode(values.encode([number])) == [number]


def test_nan_crosses_as_itself() -> None:
    assert math.isnan(values.decode(values.encode(math.nan)))


def test_tuples_become_lists() -> None:
    assert values.decode(values.encode((1, (2,)))) == [1, [2]]


@given(st.dictionaries(st.sampled_from(["$", "$$", "$float", "$x", "x"]), st.just("nan")))
def test_keys_that_look_reserved_are_data(value: dict[str, str]) -> None:
    assert values.decode(values.encode(value)) == value


class Sly(int):
    """Not an int."""


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({1, 2}, "set"),
        (b"x", "bytes"),
        (Sly(3), "Sly"),
        ([{"a": object()}], "object"),
        ({1: 2}, "keys must be str"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        (1 << 9000, "bits"),
        (1j, "complex"),
    ],
)
def test_what_may_not_cross_is_refused_with_the_reason(value: object, why: str) -> None:
    with pytest.raises(values.ValueRefused, match=why):
        values.encode(value)


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def test_the_depth_is_limited_on_both_sides() -> None:
    deepest = nested(values.MAX_DEPTH)
    assert values.decode(values.encode(deepest)) == deepest
    with pytest.raises(values.ValueRefused, match="deeper"):
        values.encode(nested(values.MAX_DEPTH + 1))
    with pytest.raises(values.ValueRefused, match="deeper"):
        values.decode(b"[" * (values.MAX_DEPTH + 1) + b"]" * (values.MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b'{"a":1,"a":2}',
        b"1e999",
        b"9" * 3000,
        b"[" * 10**5,
        b'"\\ud800"',
        b"\xff",
        b"01",
        b"1 2",
        b'{"$float":1}',
        b'{"$float":"1"}',
        b'{"$x":1}',
        b'{"$float":"nan","a":1}',
        b"{'a':1}",
        b'"\x01"',
    ],
)
def test_hostile_data_is_refused(data: bytes) -> None:
    with pytest.raises(values.ValueRefused):
        values.decode(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        value = values.decode(data)
    except values.ValueRefused:
        return
    again = values.decode(values.encode(value))
    assert identical(again, value)
