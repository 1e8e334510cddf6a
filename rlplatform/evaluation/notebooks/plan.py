"""Order of a notebook's cells and of the test cells between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rlplatform.evaluation.suites.guest.notebook_file import CodeCell


class Step(NamedTuple):
    """A cell of the notebook, by its number, or a test, by its index in the request."""

    kind: str
    number: int

    def command(self) -> dict[str, int]:
        """Return the step as the suite takes it."""
        return {self.kind: self.number}


def make_plan(cells: Sequence[CodeCell], tests: Sequence[Any]) -> list[Step]:
    """Return all cells, each followed by the tests that stand after it; tests without a place come last.

    A cell that nbgrader marks as one of tests gives its place to the test of its name. Tests without a cell of their
    own are not in the plan.
    """
    steps: list[Step] = []
    left = {index: test for index, test in enumerate(tests) if test.cell is not None}
    for cell in cells:
        here = [index for index, test in left.items() if test.after in cell.names]
        if not (here and cell.is_test):
            steps.append(Step("cell", cell.number))
        for index in here:
            steps.append(Step("test", index))
            del left[index]
    return [*steps, *(Step("test", index) for index in left)]
