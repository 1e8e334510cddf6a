"""Rules that all stores share: which events a run accepts, and how runs and events are encoded. Pure functions.

A run is kept in three parts: its request, written once; the results of its tests; and its record, which is small,
because lists read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import NamedTuple

from pydantic import TypeAdapter

from rlplatform.errors import Conflict, Fenced, IdempotencyMismatch, InvalidRequest, NotFound
from rlplatform.evaluation.models import TestResult
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.run_kinds import FINAL_TYPES, parse_run
from rlplatform.runs.events import Event, run_of, stream_of
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run
from rlplatform.training.record import TrainingRun

IDEMPOTENCY_LIFE = timedelta(hours=24)
USAGE_LIFE = timedelta(days=62)
STANDING = date.min
"""The day of usage that no midnight resets, and that is kept for ever."""
_TESTS = TypeAdapter(list[TestResult])


class PackedRun(NamedTuple):
    """Run as text.

    ``request`` of an evaluation never changes. ``tests`` of its document may be large (None: the record holds them).
    ``record`` is the rest, except the epoch, and ends with the document.
    """

    request: str | None
    tests: str | None
    record: str


def pack(run: Run) -> PackedRun:
    """Take ``run`` apart."""
    if not isinstance(run, EvaluationRun):
        return PackedRun(None, None, run.model_dump_json(exclude={"epoch"}))
    tests = _TESTS.dump_json(run.document.tests).decode()
    record = run.model_dump_json(exclude={"request": True, "epoch": True, "document": {"tests"}})
    return PackedRun(run.request.model_dump_json(), tests, record)


def unpack(packed: PackedRun, epoch: int) -> Run:
    """Put the parts of :func:`pack` together again."""
    request = f',"request":{packed.request}' if packed.request is not None else ""
    tests = f',"tests":{packed.tests}' if packed.tests is not None else ""
    return parse_run(f'{packed.record[:-2]}{tests}}},"epoch":{epoch}{request}}}')


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
    run, (encoded,) = advance(run, [first])
    return run, encoded


def advance(run: Run, new: Sequence[Event]) -> tuple[Run, list[EncodedEvent]]:
    """Return ``run`` after the events ``new``, and these events encoded with their numbers.

    Raises:
        Conflict: the run is in a final state before the last of them.
        InvalidRequest: one of them does not belong to this run.
    """
    encoded = []
    for index, event in enumerate(new):
        kind = str(getattr(event, "type", ""))
        if event.stream != run.stream or kind.partition(".")[0] != run.kind:
            raise InvalidRequest(
                f"{kind or type(event).__name__} of stream {event.stream!r} does not go into {run.stream!r}",
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

    ``env_steps``: steps of training; steps that a recovery repeats count once. ``sandbox_cpu_s``: CPU seconds of the
    tests of a finished evaluation; for a cancelled one, the seconds from its start, because the rest was not measured.
    What failed by our fault costs nothing. ``events``: all that were appended. ``stored_bytes``, on no day: their size.

    Args:
        before: the run before the events.
        after: the run after them.
    """
    if not new:
        return []
    counter, amount = "", 0.0
    if isinstance(before, TrainingRun) and isinstance(after, TrainingRun):
        seen = max(before.charged_env_steps or 0, before.document.progress.env_steps)
        counter, amount = "env_steps", (after.charged_env_steps or 0) - seen
    elif isinstance(after, EvaluationRun) and after.final:
        counter, amount = "sandbox_cpu_s", _cpu_time_s(after)
    day = new[-1].time.astimezone(UTC).date()
    return [
        *([Charge(day, counter, amount)] if amount > 0 else []),
        Charge(day, WRITTEN, len(new)),
        Charge(STANDING, "stored_bytes", after.stored_bytes - before.stored_bytes),
    ]


def removal_charge(run: Run) -> Charge:
    """Return the charge of a run that is removed: its bytes are free again."""
    return Charge(STANDING, "stored_bytes", -run.stored_bytes)


def _cpu_time_s(run: EvaluationRun) -> float:
    document = run.document
    if document.state == "failed" or document.started_at is None:
        return 0.0
    measured = sum(test.cpu_time_s or 0.0 for test in document.tests)
    if document.state == "cancelled" and document.finished_at is not None:
        return max(measured, (document.finished_at - document.started_at).total_seconds())
    return measured


def final_event(new: Sequence[Event]) -> Event | None:
    """Return the final event among ``new``, which is the last; None if there is none."""
    return new[-1] if new and getattr(new[-1], "type", "") in FINAL_TYPES else None


def distinct(given: Sequence[Event]) -> list[Event]:
    """Return ``given`` without repeated ids: the first of each stays."""
    found: dict[str, Event] = {}
    for event in given:
        found.setdefault(event.id, event)
    return list(found.values())
