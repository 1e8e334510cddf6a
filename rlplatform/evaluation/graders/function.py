"""A function of the program is called with JSON values and returns one; it is compared here, never in the sandbox."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from rlplatform import patterns
from rlplatform.evaluation.checkers.base import Answer, Checker, Finding, SecondSandbox
from rlplatform.evaluation.checkers.quoting import large_integer
from rlplatform.evaluation.graders.base import Grader, TestAttempt, TestFields
from rlplatform.evaluation.graders.output_files import OutputTest, check_files
from rlplatform.json_models import MAX_INT_BITS, FieldError, Json, JsonList, JsonObject
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Call, Execution, Limits, Outcome


class FunctionTest(OutputTest):
    """A test of ``function``."""

    args: JsonList | None = None
    """Positional arguments of the call (function)."""
    kwargs: JsonObject | None = None
    """Keyword arguments of the call (function)."""
    expected: Json = None
    """Value that the function must return (function); required there, null for no value."""


class FunctionGrader(Grader):
    """The function ``entry`` of the program is called with JSON values and must return one."""

    test_model: ClassVar[type[TestFields]] = FunctionTest

    kind: Literal["function"] = "function"
    """Selects this grader."""
    entry: str = Field(default="solve", pattern=patterns.FUNCTION)
    """Name of the function to call."""

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:  # noqa: ARG002
        for index, test in enumerate(tests):
            if "expected" not in test.model_fields_set:
                raise FieldError(f"tests.{index}.expected", "is missing; give null if nothing is to be returned")

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> FunctionAttempt:
        assert isinstance(test, FunctionTest)
        return FunctionAttempt(test, self.entry, checker, limits)


class FunctionAttempt(TestAttempt):
    """Attempt at a test of ``function``."""

    needs_value = True

    def __init__(self, test: FunctionTest, entry: str, checker: Checker, limits: Limits) -> None:
        call = Call(entry, list(test.args or []), dict(test.kwargs or {}))
        super().__init__(Execution(limits, call=call, collect=test.output_paths))
        self._expected = test.expected
        self._checker, self._test = checker, test

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:
        """Check the value, and files; a program gets call, expectation and value as JSON."""
        test = self._test
        given = json.dumps({"args": test.args or [], "kwargs": test.kwargs or {}}).encode()
        if self._checker.runs_program:
            assert outcome.returned is not None
            answer = Answer(given, json.dumps(self._expected).encode(), outcome.returned, test.points)
            found = self._checker.check_answer(answer, sandbox)
        else:
            found = super().check(outcome, sandbox)
        if found.score == 0:
            return found
        files = check_files(test.expect_files, outcome, given, test.points, self._checker, sandbox)
        return files if files.score < found.score else found

    def mismatch(self, outcome: Outcome) -> str | None:
        assert outcome.returned is not None
        return self._checker.compare_value(self._expected, values.decode(outcome.returned))

    def value(self, outcome: Outcome) -> Any:
        """The returned value; NaN and infinities as text, since JSON has none."""
        return None if outcome.returned is None else showable(values.decode(outcome.returned))


def showable(value: Any) -> Any:
    """``value`` with text in place of the floats that JSON does not have and the integers that its parsers refuse."""
    if type(value) is int and value.bit_length() > MAX_INT_BITS:
        return large_integer(value)
    if type(value) is float and not math.isfinite(value):
        return repr(value)
    if type(value) is list:
        return [showable(item) for item in value]
    if type(value) is dict:
        return {key: showable(item) for key, item in value.items()}
    return value
