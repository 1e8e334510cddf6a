"""The codec of values: what goes in comes out, and nothing else comes in."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict, defaultdict, namedtuple
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import Any, NoReturn

import numpy as np
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


def raising(*_: object) -> NoReturn:
    raise AssertionError("code of the submission runs")


_METHODS = (
    "__iter__ __len__ __eq__ __str__ __repr__ __getitem__ __int__ __index__ __float__ __bool__ __format__ "
    "__getattribute__ items keys values bit_length startswith isascii"
)
_OVERRIDES = {"__hash__": lambda _: 0} | dict.fromkeys(_METHODS.split(), raising)


def sly(base: type, *args: object) -> Any:
    """An instance of a subclass of ``base`` that overrides what an encoder might call."""
    return type("Sly", (base,), dict(_OVERRIDES))(*args)


class Colour(IntEnum):
    RED = 3


class Word(StrEnum):
    CAT = "cat"


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("make", "plain"),
    [
        (lambda: Counter("aab"), {"a": 2, "b": 1}),
        (lambda: defaultdict(list, a=[1]), {"a": [1]}),
        (lambda: OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (lambda: Point(1, Point(2, 3)), [1, [2, 3]]),
        (lambda: Colour.RED, 3),
        (lambda: Word.CAT, "cat"),
        (lambda: {Word.CAT: Colour.RED}, {"cat": 3}),
        (lambda: sly(int, 3), 3),
        (lambda: sly(float, 0.5), 0.5),
        (lambda: sly(float, math.inf), math.inf),
        (lambda: sly(str, "$x"), "$x"),
        (lambda: sly(list, [1, sly(list)]), [1, []]),
        (lambda: sly(tuple, (1, 2)), [1, 2]),
        (lambda: sly(dict, {"a": sly(int, 1)}), {"a": 1}),
        (lambda: {sly(str, "$float"): "nan"}, {"$float": "nan"}),
        (lambda: np.int64(3), 3),
        (lambda: np.float32(0.5), 0.5),
        (lambda: np.float64(0.5), 0.5),
        (lambda: np.bool_(True), True),
        (lambda: np.str_("a"), "a"),
        (lambda: np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (lambda: [np.array([0.5]), np.array(7)], [[0.5], 7]),
    ],
)
def test_a_subclass_arrives_as_the_plain_value_that_it_equals(make: Callable[[], object], plain: object) -> None:
    assert identical(values.decode(values.encode(make())), plain)


def test_two_keys_of_the_same_text_are_refused() -> None:
    class Key(str):
        __slots__ = ()
        __eq__ = object.__eq__
        __hash__ = object.__hash__

    with pytest.raises(values.ValueRefused, match="two dict keys"):
        values.encode({Key("a"): 1, Key("a"): 2})


@given(st.integers(-(1 << 5000), 1 << 5000) | st.just(1 << 2048) | st.just((1 << 2048) - 1) | st.just(-(1 << 2048)))
def test_integers_of_any_size_cross(number: int) -> None:
    assert values.decode(values.encode([number])) == [number]


def test_a_large_integer_crosses_in_linear_time() -> None:
    number = 7**350_000
    began = time.process_time()
    assert values.decode(values.encode(number)) == number
    assert time.process_time() - began < 0.2


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({1, 2}, "set"),
        (b"x", "bytes"),
        (frozenset(), "frozenset"),
        (np.complex64(1), "complex"),
        (np.datetime64("2020-01-01"), "datetime64"),
        (np.array([1j]), "complex"),
        (np.array([object()]), "object"),
        ([{"a": object()}], "object"),
        ({1: 2}, "keys must be str"),
        ("\ud800", "surrogate"),
        ({"\udfff": 1}, "surrogate"),
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
        b"9" * 700,
        b'{"$int":"ff"}',
        b'{"$int":"0' + b"f" * 600 + b'"}',
        b'{"$int":"0x' + b"f" * 600 + b'"}',
        b'{"$int":"F' + b"f" * 600 + b'"}',
        b'{"$int":"f_f' + b"f" * 600 + b'"}',
        b'{"$int":12345}',
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
