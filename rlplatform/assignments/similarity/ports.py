"""Port of the comparison of programs, and the values that cross it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rlplatform.assignments.similarity.models import Passage


class Program(NamedTuple):
    """Source code of one submission: texts by path, the entry first."""

    id: str
    files: Mapping[str, str]

    @property
    def text(self) -> str:
        """All files, one after the other."""
        return "\n".join(self.files.values())


class ComparedProgram(NamedTuple):
    """One program of a pair: the share of it that is in the other one, and where."""

    id: str
    share: float
    passages: list[Passage]


class ProgramPair(NamedTuple):
    """Two programs that are alike."""

    a: ComparedProgram
    b: ComparedProgram


class Comparison(NamedTuple):
    """Pairs that are alike, most similar first, and the ids of programs that are too short to compare."""

    pairs: Sequence[ProgramPair]
    too_short: Sequence[str]


class ProgramComparer(Protocol):
    """Compares programs as text, in bounded time and memory."""

    async def compare(self, programs: Sequence[Program], given: Program, min_similarity: float) -> Comparison:
        """Return the pairs that are alike; code of ``given`` does not count.

        Raises:
            Unavailable: it took too long, too much memory, or cannot be done here.
        """
