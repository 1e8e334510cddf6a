"""Invariants of every stream, whatever died: checked on plain JSON by rules of its own, no code of the platform's.

:func:`read_sqlite` and :func:`read_redis` read the logs past the platform; what a client saw is compared with them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from redis import Redis

Event = Mapping[str, Any]
Log = Sequence[Event]

FINAL = frozenset(
    {f"training.{state}" for state in ("succeeded", "stopped", "failed")}
    | {f"evaluation.{state}" for state in ("finished", "cancelled", "failed")}
)
OF_A_TRAINER = frozenset(
    f"training.{what}"
    for what in (
        *("started", "recovered", "resumed", "succeeded"),
        *("iteration_completed", "progressed", "evaluated", "evaluation_cut_short", "checkpoint_saved"),
    )
)
MOST_ATTEMPTS = 3


class Told(NamedTuple):
    """Failures of a training, as its stream reports them."""

    interruptions: int
    redone_iterations: int
    iterations: int


def check_numbers(log: Log) -> None:
    """Every ``seq`` from 1 is there once, in order; no event is there twice under another number."""
    seqs = [event["seq"] for event in log]
    assert seqs == list(range(1, len(log) + 1)), f"seq is not 1..{len(log)}: {_around(seqs)}"
    assert len({event["id"] for event in log}) == len(log), "an event is there twice"
    assert len({event["stream"] for event in log}) <= 1, "events of several streams"


def check_end(log: Log) -> str:
    """Check that there is one final event, the last; return its type."""
    final = [event["type"] for event in log if event["type"] in FINAL]
    assert len(final) == 1, f"{len(final)} ends: {[event['type'] for event in log[-5:]]}"
    assert log[-1]["type"] == final[0], f"{log[-1]['type']} after {final[0]}"
    return str(final[0])


def check_training(log: Log, end: str | None = None, damaged: Sequence[str] = ()) -> Told:
    """Check one owner at a time, counters that go back only to a checkpoint, and events that say how far.

    :param end: how it must have ended (``succeeded``); None: it has not finished.
    :param damaged: the ids of checkpoints that cannot have been recovered from.
    """
    check_numbers(log)
    assert log[0]["type"] == "training.queued", f"begins with {log[0]['type']}"
    if end is not None:
        assert check_end(log) == f"training.{end}", f"ended with {log[-1]}"
    epoch, owned, iteration, steps = 0, False, 0, 0
    interruptions = redone = 0
    saved: dict[str, tuple[int, int]] = {}
    newest = (0, 0)
    for event in log:
        kind, where = event["type"], f"seq {event['seq']}"
        assert owned or kind not in OF_A_TRAINER, f"{where}: {kind} from an owner that was declared lost"
        match kind.removeprefix("training."):
            case "starting":
                assert event["epoch"] > epoch, f"{where}: epoch {event['epoch']} after {epoch}"
                epoch, owned = event["epoch"], True
            case "interrupted":
                owned, interruptions = False, interruptions + (not event["planned"])
            case "paused":  # by its owner, which leaves; or for it, where it has none
                owned = False
            case "resumed":
                back = (event["progress"]["iteration"], event["progress"]["env_steps"])
                assert back == (iteration, steps), f"{where}: resumed at {back}, paused at {(iteration, steps)}"
            case "recovered":
                back = (event["iteration"], event["env_steps"])
                if event["checkpoint_id"] is None:
                    assert back == (0, 0), f"{where}: from the beginning, yet at {back}"
                elif event["checkpoint_id"] in saved:
                    assert back == saved[event["checkpoint_id"]], f"{where}: not where the checkpoint is"
                else:  # committed, and its owner died before it could report it
                    assert back[0] >= newest[0], f"{where}: a checkpoint that the log does not know, of {back}"
                assert event["checkpoint_id"] not in damaged, f"{where}: from a damaged checkpoint"
                assert back >= newest or damaged, f"{where}: back to {back}, beyond the checkpoint at {newest}"
                assert back <= (iteration, steps), f"{where}: on to {back}, and nobody was told how it came there"
                assert event["redone_iterations"] == max(0, iteration - back[0]), f"{where}: says what is not so"
                assert event["redone_env_steps"] == max(0, steps - back[1]), f"{where}: says what is not so"
                redone += event["redone_iterations"]
                iteration, steps = back
            case "iteration_completed":
                assert event["iteration"] == iteration + 1, f"{where}: iteration {event['iteration']} after {iteration}"
                assert event["env_steps"] > steps, f"{where}: {event['env_steps']} steps after {steps}"
                iteration, steps = event["iteration"], event["env_steps"]
            case "checkpoint_saved":
                found = event["checkpoint"]
                newest = saved[found["id"]] = (found["iteration"], found["env_steps"])
                assert newest == (iteration, steps), f"{where}: a checkpoint of {newest} at {(iteration, steps)}"
            case "succeeded" | "stopped" | "failed":
                assert event["progress"]["iteration"] == iteration, f"{where}: ends elsewhere than it was"
    return Told(interruptions, redone, iteration)


def check_evaluation(log: Log, verdict: str | None = "accepted") -> int:
    """Evaluated at most three times and recorded once, every test in it; how many attempts there were.

    :param verdict: None: it may have been cancelled, or have failed.
    """
    check_numbers(log)
    assert log[0]["type"] == "evaluation.queued", f"begins with {log[0]['type']}"
    end, attempt, tests = check_end(log), 0, 0
    running = False
    for event in log:
        where = f"seq {event['seq']}"
        match event["type"].removeprefix("evaluation."):
            case "started":
                assert event["attempt"] == attempt + 1, f"{where}: attempt {event['attempt']} after {attempt}"
                attempt, running, tests = event["attempt"], True, 0
            case "test_finished":
                assert running, f"{where}: a result of an attempt that was declared lost"
                assert event["attempt"] == attempt, f"{where}: a result of attempt {event['attempt']}"
                tests += 1
            case "retried":
                attempt, running = event["attempt"], False
            case "finished":
                assert running, f"{where}: finished by nobody"
                assert tests == len(event["tests"]) == log[0]["tests"], f"{where}: {tests} of {log[0]['tests']} tests"
                assert verdict in (None, event["verdict"]), f"{where}: {event['verdict']}: {event['message']}"
    assert attempt <= MOST_ATTEMPTS, f"evaluated {attempt} times"
    assert verdict is None or end == "evaluation.finished", f"{end}: {log[-1].get('reason')}"
    return attempt


def check_client(seen: Log, log: Log) -> None:
    """Check that a client that followed from the beginning saw the whole log, each event once and unchanged."""
    check_numbers(seen)
    assert len(seen) == len(log), f"saw {len(seen)} of {len(log)} events"
    for got, kept in zip(seen, log, strict=True):
        assert got == kept, f"saw another event {kept['seq']}: {got} for {kept}"


def check_all(logs: Mapping[str, Log], *, open_trainings: bool = False) -> None:
    """Every stream of a platform whose evaluations have all ended."""
    for stream, log in logs.items():
        try:
            if stream.startswith("evaluations/"):
                check_evaluation(log, verdict=None)
            else:
                check_training(log)
                assert open_trainings or log[-1]["type"] in FINAL, f"ends with {log[-1]['type']}"
        except AssertionError as error:
            raise AssertionError(f"{stream}: {error}") from None


def read_sqlite(path: Path) -> dict[str, Log]:
    """The logs in a database, by stream, also while the platform writes there; its records are checked against them."""
    logs: dict[str, list[Event]] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        rows = connection.execute(
            "SELECT run_id, seq, event_id, type, data FROM events ORDER BY run_id, seq"
        ).fetchall()
        records = connection.execute("SELECT id, state, record FROM runs").fetchall()
    for _, seq, event_id, kind, data in rows:
        event = json.loads(data)
        assert (event["seq"], event["id"], event["type"]) == (seq, event_id, kind), f"row and event differ: {data}"
        logs.setdefault(event["stream"], []).append(event)
    for run_id, state, record in records:
        document = json.loads(record)
        (log,) = (log for stream, log in logs.items() if stream.endswith(f"/{run_id}"))
        assert document["seq"] == log[-1]["seq"], f"the record of {run_id} is not the newest"
        if (last := log[-1]["type"]) in FINAL:
            assert state == last.partition(".")[2], f"{run_id} is {state} after {last}"
    return dict(logs)


def read_redis(url: str, namespace: str = "rlp") -> dict[str, Log]:
    """The logs in a Redis, by stream."""
    logs: dict[str, Log] = {}
    with Redis.from_url(url, decode_responses=True) as redis:
        for key in redis.scan_iter(f"{{{namespace}}}:events:*", count=1000):
            entries = redis.xrange(key)
            log = [json.loads(fields["data"]) for _, fields in entries]
            assert [f"{event['seq']}-0" for event in log] == [position for position, _ in entries]
            logs[log[0]["stream"]] = log
    return logs


def _around(seqs: Sequence[int]) -> str:
    """Return the numbers around the first that is wrong."""
    for index, seq in enumerate(seqs):
        if seq != index + 1:
            return f"…{list(seqs[max(0, index - 2) : index + 3])}…"
    return "…"
