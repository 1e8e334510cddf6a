"""Base of all checkers: a subclass is what a client sends, and how it compares."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar

from rlplatform.evaluation.checkers.strict_values import compare_strictly
from rlplatform.json_models import StrictModel

BLOCK = 1 << 18


class Checker(StrictModel):
    """Compares an output, or a returned value, with what is expected.

    Every method returns the reason why the answer is wrong, which quotes both; None if the answer is right.
    """

    kind: str
    """Selects this checker."""

    max_output_kib: ClassVar[int | None] = None
    """Largest output that this checker takes, in KiB; None: any."""

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
