"""A function of the program is called with JSON values and returns one; it is compared here, never in the sandbox."""

from __future__ import annotations

import math
from typing import Any

from rlplatform.evaluation.checkers import compare_value, large_integer
from rlplatform.evaluation.models import Checker, TestCase
from rlplatform.json_models import MAX_INT_BITS
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Call, Execution, Limits, Outcome


class FunctionAttempt:
    """An attempt at a test of the ``function`` grader."""

    needs_value = True
    interactor = None
    fault = None

    def __init__(self, test: TestCase, entry: str, checker: Checker, limits: Limits) -> None:
        self.execution = Execution(limits, call=Call(entry, list(test.args or []), dict(test.kwargs or {})))
        self._expected = test.expected
        self._checker = checker

    def mismatch(self, outcome: Outcome) -> str | None:
        assert outcome.returned is not None
        return compare_value(self._checker, self._expected, values.decode(outcome.returned))

    def value(self, outcome: Outcome) -> Any:
        """The returned value; NaN and infinities as text, since JSON has none."""
        return None if outcome.returned is None else showable(values.decode(outcome.returned))

    def close(self) -> None:
        pass


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
