"""Port of the archive, which holds the events of finished runs after the store has dropped them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from rlplatform.runs.ports import EncodedEvent


class EventsArchived(Exception):
    """The store has dropped the events of ``stream``, which are in the archive. A store that reads the archive never
    raises it."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"the events of {stream} are in the archive")
        self.stream = stream


class EventArchive(Protocol):
    """Complete streams of finished runs. Blocking; thread-safe."""

    def write(self, run_id: str, lines: Iterable[EncodedEvent]) -> int:
        """Write all events of a run, in place of what is there, and read them back; return their number.

        Once it returns, a crash loses none of them. If it raises, the archive is unchanged, or complete.

        Raises:
            StorageError: it cannot be written, or is read back otherwise.
        """

    def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent] | None:
        """Return events with ``seq > after``, in order; None if the archive has none of this run.

        Raises:
            StorageError: it cannot be read.
        """

    def delete(self, run_id: str) -> None:
        """Delete the events of a run. Idempotent."""

    def run_ids(self) -> Sequence[str]:
        """Return the ids of all runs in the archive, in order."""
