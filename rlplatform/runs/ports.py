"""Ports of runs: the store of their records, and the log of their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, Unpack

from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.events import Event
from rlplatform.runs.index import RunQuery
from rlplatform.runs.records import Run, RunSummary


class EncodedEvent(NamedTuple):
    """Event as the log holds it: encoded once, when appended. ``data`` is one line of JSON, ``seq`` included."""

    seq: int
    type: str
    data: str


class Idempotency(NamedTuple):
    """Idempotency-Key of a client, with the hash of the body it came with."""

    tenant: str
    key: str
    body_sha256: str


class RunStore(Protocol):
    """Records of runs, as folded from their events."""

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        """Store a new run with its first event (seq 1); return the stored run, and True if it is new.

        With an idempotency key seen in the last 24 hours, or the same first event again, the stored run is returned
        unchanged.

        Raises:
            IdempotencyMismatch: the key came with another body before.
            Conflict: another run of this id exists.
        """

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        """Return the run that this idempotency key made in the last 24 hours; None if there is none.

        Raises:
            IdempotencyMismatch: the key came with another body.
        """

    async def get(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFound: there is none.
        """

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        """Return runs of a kind (``evaluation``, ``training`` or ``policy``), in the order of the query."""

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        """Return the summaries of the runs of :meth:`find`, without reading their requests and results."""

    async def annotations(self, run_id: str) -> Annotations:
        """Return name, labels and notes of a run, and read nothing else.

        Raises:
            NotFound: there is no such run.
        """

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        """Change name, labels and notes of a run, finished or not; return them.

        Raises:
            NotFound: there is no such run.
            InvalidRequest: the run would have too many labels.
        """

    async def remove(self, run_id: str) -> None:
        """Delete a finished run and its events. Its usage stays counted. Idempotent.

        Raises:
            Conflict: it has not finished.
        """

    async def acquire(self, run_id: str) -> int:
        """Take ownership: return the run's new epoch, higher than all before it.

        Raises:
            NotFound: there is no such run.
        """


class EventLog(Protocol):
    """Streams of events: append-only, gapless ``seq`` from 1."""

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        """Append in order and apply to the stream's run, all or nothing. An event id already in the stream is skipped.

        Args:
            epoch: the writer's fencing token; None for the supervisor, which is never fenced.

        Returns:
            One line for each given event, in order; for a skipped one, the line that the log has.

        Raises:
            Fenced: ``epoch`` is not the run's newest.
            Conflict: the run is in a final state: nothing may follow.
            NotFound: there is no such run.
        """

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        """Return events with ``seq > after``, in order.

        Raises:
            NotFound: there is no such stream.
        """

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        """Read many streams at once as :meth:`read` does; wait up to ``wait_s`` seconds until one of them has
        something.

        The result has only streams with events; it is empty after ``wait_s``.

        Raises:
            NotFound: one of them does not exist.
        """

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        """Return the ids of runs that finished before a time and whose events are not in the archive, oldest first."""

    async def trim(self, run_id: str, *, archived: int) -> None:
        """Drop the events of a finished run, all ``archived`` of which the archive holds. Idempotent.

        A store that does not read the archive raises :class:`~rlplatform.runs.archive.EventsArchived` afterwards, where
        one of these events would be needed.

        Raises:
            NotFound: there is no such run.
            Conflict: it has not finished, or has another number of events.
        """
