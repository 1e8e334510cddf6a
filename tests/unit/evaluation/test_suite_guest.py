"""Values and calls between a suite and a submission: both sides in one process, over pipes."""

from __future__ import annotations

import builtins
import io
import os
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rlplatform.evaluation.suites.guest import gradescope, proxies, pytest_runner, server, wire
from rlplatform.evaluation.suites.guest.connection import Connection, RemoteBaseException, SubmissionEnded

SUBMISSION = '''
"""A submission."""
import enum

LIMIT = 7
TABLE = {"a": (1, 2), 3: {4}}

class Empty(Exception):
    def __init__(self, where):
        super().__init__(f"empty: {where}")
        self.where = where

class Color(enum.Enum):
    RED = 1

class Stack:
    def __init__(self, *items):
        self.items = list(items)
    def pop(self):
        if not self.items:
            raise Empty("top")
        return self.items.pop()
    def __len__(self):
        return len(self.items)
    def __iter__(self):
        return iter(self.items)
    def __eq__(self, other):
        return isinstance(other, Stack) and self.items == other.items
    def __add__(self, other):
        return Stack(*self.items, *other.items)
    def __repr__(self):
        return f"Stack{tuple(self.items)}"
    __hash__ = None

class Always:
    def __eq__(self, other): return True
    def __lt__(self, other): return True
    def __contains__(self, item): return True
    def __iter__(self): return iter(())
    __hash__ = object.__hash__

class Four(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__

def add(a, b): return a + b
def fail(): return 1 // 0
def interrupt(): raise KeyboardInterrupt("now")
def leave(): raise SystemExit(3)
def sort(items): items.sort()
def fill(array): array[:] = 1
def each(function, items): return [function(item) for item in items]
def count(n):
    for number in range(n):
        yield number
def greet(): print("hello", input("who? "))
def red(): return Color.RED
def always(): return Always()
def four(): return Four(5)
def same(value): return value
def deep():
    found = []
    for _ in range(1000):
        found = [found]
    return found
def helper(): return 1
def uses_helper(): return helper() + 1
'''


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The submission as its suite imports it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(builtins, "input", builtins.input)
    module = ModuleType("main")
    exec(SUBMISSION, module.__dict__)
    requests, answers = os.pipe(), os.pipe()
    theirs_reader, theirs_writer = os.fdopen(requests[0], "rb"), os.fdopen(answers[1], "wb")
    theirs = server.Server(theirs_reader, theirs_writer)
    reader, writer = os.fdopen(answers[0], "rb"), os.fdopen(requests[1], "wb")
    given, shown = sys.stdin, sys.stdout
    asked = builtins.input
    theirs.load(lambda: {"main": module})
    sys.stdin, sys.stdout, builtins.input = given, shown, asked
    module.__dict__["print"] = lambda *words: theirs._printed.write(" ".join(map(str, words)) + "\n")
    module.__dict__["input"] = theirs._input
    thread = threading.Thread(target=theirs.serve, daemon=True)
    thread.start()
    assert wire.load(reader.readline()) == {"ready": True}
    yield proxies.RemoteModule(Connection(reader, writer), "main")
    writer.close()
    thread.join(10)
    for stream in (reader, theirs_reader, theirs_writer):
        stream.close()


def there_and_back(value: Any) -> Any:
    def refuse(*found: Any) -> Any:
        raise AssertionError(found)

    line = wire.dump({"value": wire.encode(value, refuse)})
    return wire.decode(wire.load(line)["value"], refuse)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**5000),
        0.1,
        float("inf"),
        1 + 2j,
        "ü\n",
        b"\0\xff",
        bytearray(b"x"),
        [1, [2]],
        (1, (2,)),
        {"a": 1, 2: (3,), None: []},
        {1, 2},
        frozenset({1}),
        range(1, 9, 2),
        Decimal("1.10"),
        Fraction(1, 3),
    ],
)
def test_plain_values_cross_with_their_types(value: Any) -> None:
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array([], np.int32),
        np.array(True),
        np.array(["ab"]),
        np.float32(1.5),
        np.int8(3),
    ],
)
def test_numpy_arrays_and_scalars_cross_with_type_and_shape(array: Any) -> None:
    found = there_and_back(array)
    assert (type(found), found.dtype, found.shape) == (type(array), array.dtype, array.shape)
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"a": 1, "b": 2},
        {"int": "xyz"},
        {"int": 5},
        {"float": "1"},
        {"tuple": 3},
        {"dict": [[[1], 2]]},
        {"dict": [1]},
        {"bytes": "%"},
        {"array": ["|O", [1], ""]},
        {"array": ["<f8", [1 << 40], ""]},
        {"array": ["<f8", [-1], ""]},
        {"scalar": ["<f8", ""]},
        {"decimal": "x"},
        {"fraction": [1, 0]},
        {"range": [1, 2, 0]},
        {"complex": []},
    ],
)
def test_what_no_value_is_encoded_to_is_refused(tree: Any) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(tree, lambda tag, content: None)


def test_functions_and_constants_of_the_submission(main: Any) -> None:
    assert main.add(2, b=3) == 5
    assert np.array_equal(main.add(np.ones(2), np.ones(2)), [2, 2])
    assert (7, {"a": (1, 2), 3: {4}}) == (main.LIMIT, main.TABLE)
    assert main.add.__name__ == "add"


def test_exceptions_of_the_submission_can_be_expected(main: Any) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        main.fail()
    assert "return 1 // 0" in getattr(caught.value, proxies.TRACE) or "fail" in getattr(caught.value, proxies.TRACE)
    with pytest.raises(main.Empty, match="empty: top") as empty:
        main.Stack().pop()
    assert empty.value.where == "top"
    with pytest.raises(SystemExit):
        main.leave()


def test_submission_cannot_interrupt_the_suite(main: Any) -> None:
    with pytest.raises(RemoteBaseException) as caught:
        main.interrupt()
    assert not isinstance(caught.value, KeyboardInterrupt | Exception)


def test_objects_of_the_submission(main: Any) -> None:
    stack = main.Stack(1, 2)
    assert isinstance(stack, main.Stack)
    assert not isinstance(main.always(), main.Stack)
    assert len(stack) == 2
    assert list(stack) == [1, 2]
    assert stack.items == [1, 2]
    assert stack == main.Stack(1, 2)
    assert stack != main.Stack(1)
    assert stack + main.Stack(3) == main.Stack(1, 2, 3)
    assert repr(stack) == "Stack(1, 2)"
    assert main.red() == main.Color.RED
    assert list(main.count(3)) == [0, 1, 2]
    with pytest.raises(AttributeError):
        stack.no_such_thing()


def test_an_object_cannot_claim_to_be_what_is_expected(main: Any) -> None:
    found = main.always()
    assert found != 4
    assert 4 not in found
    with pytest.raises(TypeError):
        assert found < 4
    with pytest.raises(TypeError):
        abs(found - 4)
    assert main.four() == 5
    assert type(main.four()) is int


def test_arguments_are_changed_as_the_submission_changes_them(main: Any) -> None:
    items, array = [3, 1, 2], np.zeros(2)
    main.sort(items)
    main.fill(array)
    assert items == [1, 2, 3]
    assert array.tolist() == [1, 1]


def test_functions_of_the_suite_can_be_passed(main: Any) -> None:
    assert main.each(lambda item: main.add(item, 1), [1, 2]) == [2, 3]
    with pytest.raises(ValueError, match="not 1"):
        main.each(lambda item: (_ for _ in ()).throw(ValueError(f"not {item}")), [1])
    with pytest.raises(TypeError, match="isolation 'shared'"):
        main.same(object())


def test_prints_and_input_go_through_the_suite(
    main: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "input", lambda prompt: "Ada")
    main.greet()
    assert capsys.readouterr().out == "hello Ada\n"


def test_parts_of_the_submission_can_be_replaced(main: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "helper", lambda: 41)
        assert main.uses_helper() == 42
    assert main.uses_helper() == 2


def test_values_nested_too_deep_are_an_error_of_the_submission(main: Any) -> None:
    with pytest.raises(ValueError, match="nested deeper") as caught:
        main.deep()
    assert hasattr(caught.value, proxies.TRACE)


def test_missing_names_fail_where_they_are_used(main: Any) -> None:
    names: dict[str, Any] = {}
    sys.modules["main_of_test"] = main
    try:
        exec("from main_of_test import nothing", names)
    finally:
        del sys.modules["main_of_test"]
    with pytest.raises(AttributeError, match="main defines no 'nothing'"):
        names["nothing"](1)
    assert not hasattr(main, "nothing")


def test_star_import_binds_public_names_but_takes_none_from_the_suite(main: Any) -> None:
    main.sorted = lambda _: "forged"
    names: dict[str, Any] = {"add": "the suite's own"}
    sys.modules["main_of_test"] = main
    try:
        exec("from main_of_test import *", names)
    finally:
        del sys.modules["main_of_test"]
    assert names["add"] == "the suite's own"
    assert names["LIMIT"] == 7
    assert len(names["Stack"](1, 2)) == 2
    assert not {"sorted", "enum", "_hidden"} & set(names), "neither a built-in function, nor a module"


def test_decorators_of_gradescope_set_weight_and_visibility(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in gradescope._NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    gradescope.install()
    names: dict[str, Any] = {}
    exec("from gradescope_utils.autograder_utils.decorators import *", names)
    for name in gradescope._NAMES:
        monkeypatch.delitem(sys.modules, name)

    def decorated(**marks: Any) -> dict[str, Any]:
        def test() -> None: ...

        for name, value in marks.items():
            names[name](value)(test)
        item = SimpleNamespace(nodeid="t", function=test, get_closest_marker=lambda _: None)
        return pytest_runner._described(item)  # type: ignore[arg-type]

    assert decorated(weight=3, visibility="visible", number="1.2") == {"node": "t", "weight": 3, "hidden": False}
    assert decorated(visibility="after_due_date")["hidden"]
    assert decorated(hide_errors="no")["hidden"]
    with pytest.raises(NotImplementedError, match="give each part a test of its own"):
        names["partial_credit"](2)


def test_an_ended_submission_is_no_exception_that_a_test_could_expect(main: Any) -> None:
    connection = main.__dict__["_connection"]
    connection._reader = io.BytesIO(wire.dump({"ended": True}))
    with pytest.raises(SubmissionEnded) as caught:
        main.add(1, 2)
    assert not isinstance(caught.value, Exception)
