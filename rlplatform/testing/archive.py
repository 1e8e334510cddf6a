"""Archive of events in memory: the public fake of the port ``EventArchive``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rlplatform.errors import StorageError
from rlplatform.runs.ports import EncodedEvent


class MemoryArchive:
    """The ``EventArchive`` port over a dictionary."""

    def __init__(self) -> None:
        self._lines: dict[str, list[EncodedEvent]] = {}

    def write(self, run_id: str, lines: Iterable[EncodedEvent]) -> int:
        given = list(lines)
        if [line.seq for line in given] != list(range(1, len(given) + 1)):
            raise StorageError(f"the events of {run_id} have gaps; they are not archived")
        self._lines[run_id] = given
        return len(given)

    def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent] | None:
        found = self._lines.get(run_id)
        return None if found is None else found[after : after + limit]

    def delete(self, run_id: str) -> None:
        self._lines.pop(run_id, None)

    def run_ids(self) -> Sequence[str]:
        return sorted(self._lines)
