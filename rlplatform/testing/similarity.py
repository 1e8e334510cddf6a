"""A comparer of programs in this process: equal programs are alike, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from rlplatform.assignments.similarity.models import Passage
from rlplatform.assignments.similarity.ports import ComparedProgram, Comparison, Program, ProgramPair
from rlplatform.errors import Unavailable


class EqualProgramsComparer:
    """Implements the ``ProgramComparer`` port for tests.

    Args:
        failure: None, or why nothing can be compared.
    """

    def __init__(self, failure: str | None = None) -> None:
        self.failure = failure
        self.given: dict[str, str] = {}

    async def compare(self, programs: Sequence[Program], given: Program, min_similarity: float) -> Comparison:  # noqa: ARG002
        if self.failure is not None:
            raise Unavailable(self.failure)
        self.given = dict(given.files)
        pairs = [
            ProgramPair(_whole(one), _whole(other))
            for one, other in combinations(programs, 2)
            if one.files == other.files
        ]
        return Comparison(pairs, [])


def _whole(program: Program) -> ComparedProgram:
    passages = [
        Passage(path=path, first_line=1, last_line=text.count("\n") + 1) for path, text in program.files.items()
    ]
    return ComparedProgram(program.id, 1.0, passages)
