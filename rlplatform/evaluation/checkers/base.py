"""Base of all checkers: a subclass is what a client sends, and how it compares."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple, Protocol

from rlplatform.evaluation.checkers.strict_values import compare_strictly
from rlplatform.json_models import StrictModel
from rlplatform.sandbox.models import Execution, Limits, Outcome, Program

BLOCK = 1 << 16


class Finding(NamedTuple):
    """Result of a check: the share of the test's points, from 0 to 1, and what to tell the learner.

    An answer is right with all of the points.
    """

    score: float
    message: str | None = None

    @classmethod
    def of(cls, reason: str | None) -> Finding:
        """Return the finding for the reason why an answer is wrong; None if it is right."""
        return cls(1.0 if reason is None else 0.0, reason)


class CheckerFailed(Exception):
    """The checker gave no answer: its own fault, never the submission's."""


class SecondSandbox(Protocol):
    """Runs programs of the checker, never in the submission's sandbox."""

    def run(self, program: Program, limits: Limits, execution: Execution) -> Outcome:
        """Run ``program`` once; close the outcome after use.

        Raises:
            SandboxFault: the sandbox failed, also when it was tried again.
        """


class Answer(NamedTuple):
    """An answer to check: input, expectation (None: none was given), output, and points of the test."""

    given: bytes | Path
    expected: bytes | Path | None
    actual: bytes | BinaryIO
    points: float


class Checker(StrictModel):
    """Compares an output, or a returned value, with what is expected.

    The methods ``compare_…`` return the reason why the answer is wrong, which quotes both; None if it is right.
    """

    kind: str
    """Selects this checker."""

    max_output_kib: ClassVar[int | None] = None
    """Largest output that this checker takes, in KiB; None: any."""
    runs_program: ClassVar[bool] = False
    """True if the checker runs code of the client's, on whole answers, through :meth:`check_answer`."""

    @property
    def wall_time_s(self) -> float:
        """Longest time that one check takes, in seconds."""
        return 0.0

    def public(self) -> dict[str, Any]:
        """Return the checker as learners read it back."""
        return self.model_dump(mode="json")

    def check_answer(self, answer: Answer, sandbox: SecondSandbox) -> Finding:  # noqa: ARG002
        """Check the output of a program; one without expectation is right.

        Raises:
            CheckerFailed: the checker gave no answer.
        """
        if answer.expected is None:
            return Finding(1.0)
        if isinstance(answer.expected, bytes) and isinstance(answer.actual, bytes):
            return Finding.of(self.compare_output(answer.expected, answer.actual))
        actual = io.BytesIO(answer.actual) if isinstance(answer.actual, bytes) else answer.actual
        expected = answer.expected
        with expected.open("rb") if isinstance(expected, Path) else io.BytesIO(expected) as wanted:
            return Finding.of(self.compare_streams(wanted, actual))

    def compare_output(self, expected: str | bytes, actual: bytes) -> str | None:
        """Compare outputs in memory."""
        raise NotImplementedError

    def compare_streams(self, expected: BinaryIO, actual: BinaryIO, block: int = BLOCK) -> str | None:  # noqa: ARG002
        """Compare outputs from the beginnings of two files, ``block`` bytes at a time where the checker can."""
        expected.seek(0)
        actual.seek(0)
        return self.compare_output(expected.read(), actual.read())

    def compare_value(self, expected: Any, actual: Any) -> str | None:
        """Compare values that ``rlplatform.sandbox.guest.values`` carries: strictly, unless a checker says otherwise.
        The reason says where they differ."""
        return compare_strictly(expected, actual)
