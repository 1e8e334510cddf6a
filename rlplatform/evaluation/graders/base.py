"""Bases of all graders: what a client sends of a grader and of a test, and how a test is put to a program.

Expected values stay on this side of the sandbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from rlplatform import patterns
from rlplatform.evaluation.checkers.base import Checker, Finding, SecondSandbox
from rlplatform.evaluation.checkers.builtin import TokensChecker
from rlplatform.files.models import DataFile
from rlplatform.json_models import FieldError, StrictModel
from rlplatform.sandbox.models import Execution, Limits, Outcome, Program
from rlplatform.sandbox.ports import Interactor


class TestFields(StrictModel):
    """Fields that the tests of every grader have. A grader's subclass adds its own, each with None for "not given"."""

    __test__ = False
    model_config = ConfigDict(allow_inf_nan=True)  # Json itself refuses NaN, and names the value

    id: str = Field(min_length=1, max_length=64, pattern=patterns.LABEL)
    """Id of the test, unique in the request."""
    files: list[DataFile] = Field(default_factory=list, max_length=32, fail_fast=True)
    """Uploaded files that the program finds in this test alone, and can only read."""
    points: float = Field(default=1.0, ge=0, le=1e6, allow_inf_nan=False)
    """Points of an accepted test."""
    hidden: bool = False
    """True: learners see only the verdict and the points. Staff, whose key has the scope `read`, see everything."""
    group: str | None = Field(default=None, max_length=64)
    """Id of the group that this test belongs to; null: none."""


class TestAttempt:
    """One test, put to the program once."""

    __test__ = False

    needs_value: ClassVar[bool] = False
    """True: a program that ends without returning a value has failed."""
    wrong_already: str | None = None
    """Reason why the answer was wrong before the program ended; how it ended does not count then."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    @property
    def interactor(self) -> Interactor | None:
        """Partner of the program while it runs."""
        return None

    def mismatch(self, outcome: Outcome) -> str | None:
        """Return the reason why the answer of a program that ended well is wrong; None if it is right."""
        raise NotImplementedError

    def check(self, outcome: Outcome, sandbox: SecondSandbox) -> Finding:  # noqa: ARG002
        """Check the answer of a program that ended well; checkers that are programs run in ``sandbox``.

        Raises:
            CheckerFailed: the checker gave no answer.
        """
        return Finding.of(self.mismatch(outcome))

    def value(self, outcome: Outcome) -> Any:  # noqa: ARG002
        """Return the result to show, as a JSON value; None if there is none."""
        return None

    def close(self) -> None:
        """Free what the attempt holds. Idempotent."""


class Grader(StrictModel):
    """Puts tests to a program. A subclass has its configuration as fields, and the rules of its tests."""

    test_model: ClassVar[type[TestFields]]
    """Fields of the grader's tests."""

    kind: str
    """Selects this grader."""

    languages: ClassVar[tuple[str, ...] | None] = None
    """Languages that the grader can judge; None: all."""

    @property
    def environment(self) -> str | None:
        """Gymnasium environment that the grader needs on the host; None: none."""
        return None

    @classmethod
    def test_fields(cls) -> list[str]:
        """Return the names of the fields that only this grader's tests have."""
        return [name for name in cls.test_model.model_fields if name not in TestFields.model_fields]

    def check(self, tests: Sequence[TestFields], checker: Checker) -> None:
        """Check what the fields by themselves cannot say.

        Raises:
            FieldError: a test, or the checker, does not go with this grader.
        """

    def program(self, files: dict[str, bytes]) -> Program:
        """Return the program that runs ``files``: the submission's own file, and what goes in front of it."""
        (entry,) = files
        return Program(files, entry)

    def attempt(self, test: TestFields, checker: Checker, limits: Limits) -> TestAttempt:
        """Return an attempt at ``test``, which has the fields of ``test_model``."""
        raise NotImplementedError


def refuse_checker(checker: Checker) -> None:
    """Refuse a chosen checker that would have nothing to compare.

    Raises:
        FieldError: ``checker`` is not the default.
    """
    if checker != TokensChecker():
        raise FieldError("checker", f"no test has an output that {checker.kind!r} could check")
