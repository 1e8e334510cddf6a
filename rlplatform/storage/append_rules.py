"""Rules that all stores share: which events a run accepts, and how runs and events are encoded. Pure functions.

A run is kept in three parts: its request, written once; the results of its tests; and its record, which is small,
because lists read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import NamedTuple

from rlplatform.errors import Conflict, Fenced, IdempotencyMismatch, InvalidRequest, NotFound
from rlplatform.ids import created_at
from rlplatform.run_kinds import parse_run, parse_summary
from rlplatform.runs.annotations import Annotations
from rlplatform.runs.events import Event, run_of, stream_of
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary, StoredRun

IDEMPOTENCY_LIFE = timedelta(hours=24)
USAGE_LIFE = timedelta(days=62)
STANDING = date.min
"""The day of usage that no midnight resets, and that is kept for ever."""


def from_stored(stored: StoredRun, epoch: int) -> Run:
    """Put the parts of a stored run together again."""
    request = f',"request":{stored.request}' if stored.request is not None else ""
    tests = f',"tests":{stored.tests}' if stored.tests is not None else ""
    run = parse_run(f'{stored.record[:-2]}{tests}}},"epoch":{epoch}{request}}}')
    return run.annotated(Annotations.model_validate_json(stored.annotations))


def summary_of(record: str, annotations: str) -> RunSummary:
    """Return the summary of a stored run."""
    return parse_summary(record).annotated(Annotations.model_validate_json(annotations))


def run_id_of(stream: str) -> str:
    """Return the id of the run that ``stream`` belongs to.

    Raises:
        NotFound: no run can have such a stream.
    """
    run_id = run_of(stream)
    try:
        if stream_of(run_id) == stream:
            return run_id
    except (InvalidRequest, KeyError):
        pass
    raise no_such_stream(stream)


def no_such_run(run_id: str) -> NotFound:
    return NotFound(f"no such run: {run_id[:64]}")


def no_such_stream(stream: str) -> NotFound:
    return NotFound(f"no such stream: {stream[:96]}")


def news_for_index(new: Sequence[Event]) -> bool:
    """Return True if the events ``new`` may change what lists sort by: telemetry does not count."""
    return not all(event.telemetry for event in new)


def check_limit(limit: int) -> None:
    """Check that ``limit`` is positive.

    Raises:
        InvalidRequest: it is not.
    """
    if limit < 1:
        raise InvalidRequest(f"limit must be at least 1, not {limit}", field="limit")


def check_over(run: Run) -> None:
    """Check that ``run`` has finished and so can be removed.

    Raises:
        Conflict: it has not.
    """
    if not run.final:
        raise Conflict(f"{run.id} is {run.state}: only what is over can be removed", state=run.state)


def check_trim(run: Run, archived: int) -> None:
    """Check that ``run`` has finished, and that the archive has all of its events.

    Raises:
        Conflict: it has not, or the archive has another number of events.
    """
    check_over(run)
    if archived != run.seq:
        raise Conflict(f"{run.id} has {run.seq} events, and {archived} of them are archived", state=run.state)


def check_epoch(run_id: str, newest: int, epoch: int | None) -> None:
    """Check that ``epoch``, if given, is the run's newest: the fencing token of its owner.

    Raises:
        Fenced: it is not.
    """
    if epoch is not None and epoch != newest:
        raise Fenced(
            f"epoch {epoch} of {run_id} is not its newest, {newest}: another owner has taken over; stop writing"
        )


def check_replay(key: Idempotency, stored_sha256: str) -> None:
    """Check that a repeated idempotency key comes with the same body.

    Raises:
        IdempotencyMismatch: it came with another body before.
    """
    if key.body_sha256 != stored_sha256:
        sent = key.key.rpartition(" ")[2]
        raise IdempotencyMismatch(f"Idempotency-Key {sent!r} was used with another body within the last 24 hours")


def open_stream(run: Run, first: Event) -> tuple[Run, EncodedEvent]:
    """Return a new run after its first event.

    Raises:
        InvalidRequest: the run is not new, or the event is another stream's.
    """
    if run.seq or run.epoch:
        raise InvalidRequest(f"{run.id} is not new: seq {run.seq}, epoch {run.epoch}", field="run")
    run, (encoded,) = append_events(run, [first])
    return run, encoded


def append_events(run: Run, new: Sequence[Event]) -> tuple[Run, list[EncodedEvent]]:
    """Return ``run`` after the events ``new``, and these events encoded with their numbers.

    Raises:
        Conflict: the run is in a final state before the last of them.
        InvalidRequest: one of them does not belong to this run.
    """
    encoded = []
    for index, event in enumerate(new):
        kind = event.type
        if event.stream != run.stream or kind.partition(".")[0] != run.kind:
            raise InvalidRequest(
                f"{kind} of stream {event.stream!r} does not go into {run.stream!r}",
                field=f"events.{index}",
            )
        if run.final:
            raise Conflict(f"{run.id} is {run.state}: nothing may follow, not even {kind}", state=run.state)
        event = event.model_copy(update={"seq": run.seq + 1})
        data = event.model_dump_json()
        run = run.apply(event, len(data))
        encoded.append(EncodedEvent(event.seq, kind, data))
    return run, encoded


WRITTEN = "events"
"""The counter that is no use of the platform's computers: it is told by ``written``, not by ``used``."""


class Charge(NamedTuple):
    """Usage of a run on one UTC day."""

    day: date
    counter: str
    amount: float


def opening_charges(run: Run, first: Event) -> list[Charge]:
    """Return the charges of a new run, after its first event: it counts as one of ``evaluations``, ``trainings`` …"""
    day = first.time.astimezone(UTC).date()
    return [
        Charge(day, run.stream.partition("/")[0], 1),
        Charge(day, WRITTEN, 1),
        Charge(STANDING, "stored_bytes", run.stored_bytes),
    ]


def charges(before: Run, after: Run, new: Sequence[Event]) -> list[Charge]:
    """Return the charges of the appended events ``new``, on the day of the last of them.

    Each kind of run says what it costs (:meth:`Run.charge`). ``events``: all that were appended. ``stored_bytes``, on
    no day: their size.

    Args:
        before: the run before the events.
        after: the run after them.
    """
    if not new:
        return []
    counter, amount = after.charge(before)
    day = new[-1].time.astimezone(UTC).date()
    return [
        *([Charge(day, counter, amount)] if amount > 0 else []),
        Charge(day, WRITTEN, len(new)),
        Charge(STANDING, "stored_bytes", after.stored_bytes - before.stored_bytes),
    ]


def removal_charge(run: Run) -> Charge:
    """Return the charge of a run that is removed: its bytes are free again."""
    return Charge(STANDING, "stored_bytes", -run.stored_bytes)


def finished_at(run: Run) -> float:
    """Return when ``run`` finished, in seconds since 1970; for a kind that does not record it, when it was created."""
    return run.facts.finished_at or created_at(run.id).timestamp()


def final_event(new: Sequence[Event]) -> Event | None:
    """Return the final event among ``new``, which is the last; None if there is none."""
    return new[-1] if new and new[-1].final else None


def distinct(given: Sequence[Event]) -> list[Event]:
    """Return ``given`` without repeated ids: the first of each stays."""
    found: dict[str, Event] = {}
    for event in given:
        found.setdefault(event.id, event)
    return list(found.values())
