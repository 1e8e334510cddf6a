"""A function of the program is called with JSON values and returns one; it is compared here, never in the sandbox."""

from __future__ import annotations

import math
from typing import Any

from rlplatform.evaluation.checkers import compare_value
from rlplatform.evaluation.models import Checker, FunctionGrader, TestCase
from rlplatform.sandbox.guest import values
from rlplatform.sandbox.models import Call, Execution, Limits, Outcome


class FunctionGrading:
    """The ``function`` grader."""

    needs_value = True

    def __init__(self, grader: FunctionGrader, checker: Checker, limits: Limits) -> None:
        self._entry = grader.entry
        self._checker = checker
        self._limits = limits

    def execution(self, test: TestCase) -> Execution:
        return Execution(self._limits, call=Call(self._entry, list(test.args or []), dict(test.kwargs or {})))

    def mismatch(self, test: TestCase, outcome: Outcome) -> str | None:
        assert outcome.returned is not None
        return compare_value(self._checker, test.expected, values.decode(outcome.returned))

    def value(self, outcome: Outcome) -> Any:
        """The returned value; NaN and infinities as text, since JSON has none."""
        return None if outcome.returned is None else _showable(values.decode(outcome.returned))


def _showable(value: Any) -> Any:
    if type(value) is float and not math.isfinite(value):
        return repr(value)
    if type(value) is list:
        return [_showable(item) for item in value]
    if type(value) is dict:
        return {key: _showable(item) for key, item in value.items()}
    return value
