from __future__ import annotations

import json
import math
import random
import re
import tracemalloc

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rlplatform.evaluation.checkers.builtin import (
    ExactChecker,
    FloatsChecker,
    LinesChecker,
    TokensChecker,
    UnorderedChecker,
)
from rlplatform.evaluation.checkers.quoting import show

EXACT, TOKENS, LINES, FLOATS, UNORDERED = (
    ExactChecker(),
    TokensChecker(),
    LinesChecker(),
    FloatsChecker(abs_tol=1e-9, rel_tol=1e-6),
    UnorderedChecker(),
)
ALL = [EXACT, TOKENS, LINES, FLOATS, UNORDERED]

text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text
json_values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(text, inner), max_leaves=6)


def right(checker: object, expected: str, actual: str | bytes) -> bool:
    data = actual if isinstance(actual, bytes) else actual.encode()
    return checker.compare_output(expected, data) is None


# -- output


@pytest.mark.parametrize("checker", ALL, ids=lambda c: c.kind)
@given(output=text)
def test_an_output_is_what_itself_asks_for(checker: object, output: str) -> None:
    assert right(checker, output, output)


@given(expected=text, actual=st.binary())
def test_exact_means_every_byte(expected: str, actual: bytes) -> None:
    assert right(EXACT, expected, actual) == (expected.encode() == actual)


@pytest.mark.parametrize("actual", ["1 2\n3\n", "1  2 3", "\n1\t2\r\n3", "1\v2\f3"])
def test_tokens_do_not_see_white_space(actual: str) -> None:
    assert right(TOKENS, "1 2\n3\n", actual)


@pytest.mark.parametrize("checker", ALL, ids=lambda c: c.kind)
@pytest.mark.parametrize("other", "\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\x1c\x1d\x1e\x1f\x85\u200b\ufeff")
def test_white_space_is_that_of_ascii_alone(checker: object, other: str) -> None:
    assert not right(checker, "a b\n", f"a{other}b\n")
    assert not right(checker, "a\nb\n", f"a{other}b\n")
    assert not right(checker, "a b", f"a b{other}")
    assert right(checker, f"a{other}b", f"a{other}b")
    assert "a\\" in (checker.compare_output("a b", f"a{other}b".encode()) or "") or checker is EXACT


def test_large_integers_are_compared_and_described() -> None:
    large = 7**20_000
    assert TOKENS.compare_value(large, large) is None
    assert TOKENS.compare_value(1, large) == f"the value: expected 1, got <an integer of {large.bit_length()} bits>"
    assert UNORDERED.compare_value([large, -0.0, {"a": large}], [{"a": large}, large, 0.0]) is None
    assert UNORDERED.compare_value([large], [-large]) is not None
    assert UNORDERED.compare_value([{"int": f"{large:x}"}], [large]) is not None
    assert FLOATS.compare_value(1.0, large) is not None


@given(words=st.lists(st.text("ab01", min_size=1), max_size=6), other=st.lists(st.text("ab01", min_size=1), max_size=6))
def test_tokens_are_the_same_words_in_the_same_order(words: list[str], other: list[str]) -> None:
    assert right(TOKENS, " ".join(words), "\n".join(other)) == (words == other)


@pytest.mark.parametrize(
    ("actual", "good"),
    [
        ("a b\nc\n", True),
        ("a b  \r\nc\n\n\n", True),
        ("a b\nc", True),
        ("a  b\nc", False),
        ("a b\n\nc", False),
        ("", False),
    ],
)
def test_lines_keep_what_is_within_a_line(actual: str, good: bool) -> None:
    assert right(LINES, "a b\nc\n", actual) is good


@given(lines=st.lists(st.text("ab ", min_size=1).map(str.rstrip).filter(bool)), seed=st.integers())
def test_unordered_takes_any_order_but_not_other_counts(lines: list[str], seed: int) -> None:
    shuffled = random.Random(seed).sample(lines, len(lines))
    assert right(UNORDERED, "\n".join(lines), "\n\n".join(shuffled))
    assert not right(UNORDERED, "\n".join(lines), "\n".join([*shuffled, "extra"]))
    assert not lines or not right(UNORDERED, "\n".join(lines), "\n".join(shuffled[1:]))


@pytest.mark.parametrize(
    ("expected", "actual", "good"),
    [
        ("0.333333", "0.3333332", True),
        ("1", "1.0", True),
        ("1", "1e0", True),
        ("1", "1.1", False),
        ("1000000", "1000000.5", True),
        ("x 1", "x 1.0000001", True),
        ("x", "y", False),
        ("nan", "NaN", True),
        ("nan", "0", False),
        ("0", "nan", False),
        ("inf", "Infinity", True),
        ("inf", "-inf", False),
        ("inf", "1e308", False),
        ("1e999", "inf", False),
        ("1e999", "1e999", True),
        ("1e999", "1e998", False),
        ("1_0", "10", False),
        ("0x10", "16", False),
        ("1", "١", False),
        ("1", "True", False),
        ("9" * 500, "9" * 500, True),
        ("9" * 500, "9" * 499 + "8", False),
        ("1 2", "1", False),
        ("1", "1 2", False),
    ],
)
def test_floats(expected: str, actual: str, good: bool) -> None:
    assert right(FLOATS, expected, actual) is good


@given(expected=st.floats(allow_nan=False, allow_infinity=False), actual=st.floats())
def test_floats_keep_to_the_tolerance(expected: float, actual: float) -> None:
    within = abs(expected - actual) <= max(1e-9, 1e-6 * abs(expected))
    assert right(FLOATS, repr(expected), repr(actual)) == within
    assert (FLOATS.compare_value(expected, actual) is None) == within


@pytest.mark.parametrize("checker", ALL, ids=lambda c: c.kind)
def test_what_is_not_utf8_matches_nothing(checker: object) -> None:
    for expected in ("\ufffd", "?", "", "\udc80".encode("utf-8", "replace").decode()):
        assert not right(checker, expected, b"\x80")


@pytest.mark.parametrize("checker", ALL, ids=lambda c: c.kind)
@given(expected=text, actual=st.binary())
def test_reasons_are_short(checker: object, expected: str, actual: bytes) -> None:
    reason = checker.compare_output(expected * 100, actual * 100)
    assert reason is None or 0 < len(reason) < 1000


def plain(checker: object, expected: str, actual: str) -> bool:
    """Compare as the checkers of output do, in the simplest way and at any cost."""

    def lines(text: str) -> list[str]:
        found = [line.rstrip(" \t\n\r\v\f") for line in text.split("\n")]
        while found and not found[-1]:
            found.pop()
        return found

    if checker is EXACT:
        return expected == actual
    if checker is LINES:
        return lines(expected) == lines(actual)
    if checker is UNORDERED:
        return sorted(filter(None, lines(expected))) == sorted(filter(None, lines(actual)))
    return re.findall(r"[^ \t\n\r\v\f]+", expected) == re.findall(r"[^ \t\n\r\v\f]+", actual)


@pytest.mark.parametrize("checker", [EXACT, TOKENS, LINES, UNORDERED], ids=lambda c: c.kind)
@given(expected=st.text("ab \n\t\x1c"), actual=st.text("ab \n\t\x1c"))
def test_outputs_are_compared_as_plainly_as_could_be(checker: object, expected: str, actual: str) -> None:
    assert right(checker, expected, actual) is plain(checker, expected, actual)


@pytest.mark.parametrize("checker", [EXACT, TOKENS, LINES, FLOATS], ids=lambda c: c.kind)
@pytest.mark.parametrize("flood", [b"\n", b"ab ", b"ab\n", b" "])
def test_a_flood_is_not_the_answer_and_not_taken_apart(checker: object, flood: bytes) -> None:
    output = b"1 2\n" + flood * (1 << 18)
    tracemalloc.start()
    try:
        reason = checker.compare_output("1 2\n", output)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (reason is None) is (checker is not EXACT and not flood.strip())
    assert peak < 6 * len(output)


def test_reasons_say_where() -> None:
    assert TOKENS.compare_output("1 2 3", b"1 2 4") == "word 3: expected '3', got '4'"
    assert TOKENS.compare_output("1 2", b"1") == "word 2: expected '2', got the end of the output"
    assert LINES.compare_output("a", b"a\nb") == "line 2: expected the end of the output, got 'b'"
    assert EXACT.compare_output("a\n", b"a") == "expected 2 bytes, got 1"
    assert EXACT.compare_output("abc", b"abd") == "byte 3: expected b'c', got b'd'"
    assert UNORDERED.compare_output("a\nb", b"b\nc") == (
        "1 expected line(s) missing, such as 'a'; 1 line(s) not expected, such as 'c'"
    )
    assert EXACT.compare_output("a" * 5000 + "b", b"a" * 5000 + b"cc") == "byte 5001: expected b'b', got b'cc'"
    assert UNORDERED.compare_output("a\nb", b"a\n" * 9000) == "expected 2 line(s), got 9000"
    assert UNORDERED.compare_value([1], [1] * 9000) == "expected 1 item(s), got 9000"
    assert EXACT.compare_value({"a": [1, 2]}, {"a": [1, 2.0]}) == (
        "the value['a'][1]: expected 2, got 2.0 (int, not float)"
    )
    assert EXACT.compare_value({"a": 1}, {}) == "the value: the key 'a' is missing"
    assert EXACT.compare_value({}, {"a": 1}) == "the value: the key 'a' is not expected"
    assert EXACT.compare_value([1], [1, 2]) == "the value: expected 1 items, got 2"


@pytest.mark.parametrize(
    ("tolerance", "expected", "actual", "good"),
    [
        (0, 2**53, 2**53 + 1, False),
        (1, 2**53, 2**53 + 1, True),
        (1, 2**60, 2**60 + 2, False),
        (0, 10**300, 10**300 + 1, False),
        (0, 2**53, float(2**53), True),
    ],
)
def test_floats_compare_whole_numbers_exactly(tolerance: float, expected: int, actual: int | float, good: bool) -> None:
    checker = FloatsChecker(abs_tol=tolerance, rel_tol=0)
    assert right(checker, str(expected), f"{actual}") is good
    assert (checker.compare_value(expected, actual) is None) is good


# -- values


@pytest.mark.parametrize("checker", ALL, ids=lambda c: c.kind)
@given(value=json_values)
def test_a_value_is_itself(checker: object, value: object) -> None:
    assert checker.compare_value(value, json.loads(json.dumps(value))) is None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [(1, True), (True, 1), (0, False), (1, 1.0), (1.0, 1), ("1", 1), (None, 0), (None, False), ([], {}), ([], None)],
)
@pytest.mark.parametrize("checker", [EXACT, TOKENS, LINES, UNORDERED], ids=lambda c: c.kind)
def test_types_matter(checker: object, expected: object, actual: object) -> None:
    for wrap in (lambda x: x, lambda x: [x], lambda x: {"k": [x]}):
        assert checker.compare_value(wrap(expected), wrap(actual)) is not None


@given(one=json_values, other=json_values)
def test_strict_equality_is_that_of_json(one: object, other: object) -> None:
    def canonical(value: object) -> str:
        return json.dumps(value, sort_keys=True).replace("-0.0", "0.0")

    assume("-0.0" not in json.dumps([one, other]))
    assert (EXACT.compare_value(one, other) is None) == (canonical(one) == canonical(other))


def test_floats_take_numbers_at_any_depth_but_no_booleans() -> None:
    assert FLOATS.compare_value({"a": [1, 2.0, "x"]}, {"a": [1.0000001, 2, "x"]}) is None
    assert FLOATS.compare_value([1], [True]) is not None
    assert FLOATS.compare_value([True], [1]) is not None
    assert FLOATS.compare_value(["1"], ["1.0"]) is not None
    assert FLOATS.compare_value(10**400, 10**400 + 1) is not None
    assert FLOATS.compare_value(10**400, 10**400) is None
    assert FLOATS.compare_value(1.0, 10**400) is not None


def test_nan_and_the_infinities() -> None:
    for checker in ALL:
        assert checker.compare_value(math.nan, float("nan")) is None
        assert checker.compare_value([math.nan], [float("nan")]) is None
        assert checker.compare_value(1.0, math.nan) is not None
        assert checker.compare_value(math.nan, 1.0) is not None
        assert checker.compare_value(math.inf, math.inf) is None
        assert checker.compare_value(math.inf, -math.inf) is not None
        assert checker.compare_value([0.0], [-0.0]) is None
    assert FloatsChecker(abs_tol=1e300).compare_value(1.0, math.nan) is not None
    assert FloatsChecker(abs_tol=1e300).compare_value(1.0, math.inf) is not None


@given(items=st.lists(json_values), seed=st.integers())
def test_unordered_items(items: list[object], seed: int) -> None:
    shuffled = random.Random(seed).sample(items, len(items))
    assert UNORDERED.compare_value(items, shuffled) is None
    assert UNORDERED.compare_value(items, [*shuffled, "one more"]) is not None
    assert not items or UNORDERED.compare_value(items, shuffled[1:]) is not None


def test_unordered_is_for_the_outermost_list_alone() -> None:
    assert UNORDERED.compare_value([[1, 2]], [[2, 1]]) is not None
    assert UNORDERED.compare_value({"a": [1, 2]}, {"a": [2, 1]}) is not None
    assert UNORDERED.compare_value([{"a": 1, "b": 2}], [{"b": 2, "a": 1}]) is None


@given(value=json_values)
def test_shown_values_are_short(value: object) -> None:
    assert len(show(value)) <= 161
    assert show(10**6000) == "<an integer of 19932 bits>"


def test_case_counts_unless_it_is_ignored() -> None:
    assert not right(TOKENS, "YES 1.50", "yes 1.50")
    assert right(TokensChecker(ignore_case=True), "YES Straße", "yes straße\n")
    assert not right(TokensChecker(ignore_case=True), "É", "é"), "only letters of the English alphabet"
    tolerant = FloatsChecker(abs_tol=0.1, ignore_case=True)
    assert right(tolerant, "YES 1.50", "yes 1.55")
    assert not right(tolerant, "YES 1.50", "no 1.55")


@pytest.mark.parametrize(
    ("actual", "good"),
    [("1  2 \n\n3\n", True), ("\n1 2\n3", True), ("1 2 3", False), ("1\n2 3", False), ("1 2\n3\n4", False)],
)
def test_lines_may_be_spaced_in_any_way_if_asked(actual: str, good: bool) -> None:
    assert right(LinesChecker(ignore_spacing=True), "1 2\n3\n", actual) == good
    assert not right(LINES, "1 2\n3\n", "1  2\n3\n")
