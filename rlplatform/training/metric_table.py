"""One table of several trainings: a row for each iteration, as CSV or Parquet.

Columns are those of the training (``training_id``, ``name``, ``env``, ``seed``, ``labels``), of the iteration, and the
metrics of all trainings, with the evaluation of the policy (``eval/…``) in the row of its iteration. What a recovery
repeats is there once. The log is read twice, so that no training has to fit into memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic_core import from_json

from rlplatform.runs.events import stream_of
from rlplatform.runs.ports import EncodedEvent
from rlplatform.training.models import Training

TableFormat = Literal["csv", "parquet"]
ReadStream = Callable[[str, int, int], Sequence[EncodedEvent]]
"""Returns events of a stream after a sequence number, at most the given number of them; blocking."""

PAGE = 1000
_TEXT = ("training_id", "name", "env", "labels", "time")
_WHOLE = ("seed", "iteration", "env_steps", "episodes")
COLUMNS = ("training_id", "name", "env", "seed", "labels", "time", "iteration", "env_steps", "episodes", "train_wall_s")
_ROWS = ("training.iteration_completed", "training.evaluated")
_BATCH = 5000


class _Outline(NamedTuple):
    """Names of a training's metrics, and its recoveries as pairs of sequence number and iteration."""

    names: Mapping[str, None]
    recoveries: Sequence[tuple[int, int]]
    last: int


class _Writer(Protocol):
    def write(self, rows: Sequence[Mapping[str, Any]]) -> None: ...

    def close(self) -> None: ...


def write_table(path: Path, form: TableFormat, trainings: Sequence[Training], read: ReadStream) -> Path:
    """Write the table of ``trainings``, in their order, to the new file ``path``; return the path."""
    outlines = [_outline(training, read) for training in trainings]
    columns = [*COLUMNS, *sorted({name for outline in outlines for name in outline.names})]
    writer: _Writer = _Csv(path, columns) if form == "csv" else _Parquet(path, columns)
    try:
        batch: list[Mapping[str, Any]] = []
        for training, outline in zip(trainings, outlines, strict=True):
            for row in _rows(training, outline, read):
                batch.append(row)
                if len(batch) >= _BATCH:
                    writer.write(batch)
                    batch = []
        writer.write(batch)
    finally:
        writer.close()
    return path


def _outline(training: Training, read: ReadStream) -> _Outline:
    names: dict[str, None] = {}
    recoveries = []
    last = 0
    for event in _events(training, read, training.seq):
        last = event.seq
        if event.type in _ROWS:
            names |= dict.fromkeys(_values(event.type, from_json(event.data)))
        elif event.type == "training.recovered":
            recoveries.append((event.seq, int(from_json(event.data)["iteration"])))
    return _Outline(names, recoveries, last)


def _rows(training: Training, outline: _Outline, read: ReadStream) -> Iterator[dict[str, Any]]:
    about = {
        "training_id": training.id,
        "name": training.name,
        "env": training.request.env,
        "seed": training.request.seed,
        "labels": json.dumps(training.labels, sort_keys=True) if training.labels else None,
    }
    row: dict[str, Any] | None = None
    for event in _events(training, read, outline.last):
        if event.type not in _ROWS:
            continue
        found = from_json(event.data)
        if any(seq > event.seq and found["iteration"] > iteration for seq, iteration in outline.recoveries):
            continue
        if event.type == "training.iteration_completed":
            if row is not None:
                yield row
            row = about | {name: found[name] for name in COLUMNS if name in found}
        if row is not None and row["iteration"] == found["iteration"]:
            row |= _values(event.type, found)
    if row is not None:
        yield row


def _values(kind: str, event: Mapping[str, Any]) -> dict[str, float]:
    if kind == "training.evaluated":
        return {f"eval/{name}": float(value) for name, value in event["report"].items()}
    return {name: float(value) for name, value in event["metrics"].items()}


def _events(training: Training, read: ReadStream, last: int) -> Iterator[EncodedEvent]:
    stream, after = stream_of(training.id), 0
    while after < last and (page := read(stream, after, PAGE)):
        yield from (event for event in page if event.seq <= last)
        after = page[-1].seq


class _Csv:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._rows = csv.DictWriter(self._file, columns)
        self._rows.writeheader()

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows.writerows({name: _as_text(value) for name, value in row.items()} for row in rows)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        import pyarrow as pa  # not at start-up
        from pyarrow import parquet

        def kind(name: str) -> Any:
            return pa.string() if name in _TEXT else pa.int64() if name in _WHOLE else pa.float64()

        self._schema = pa.schema([(name, kind(name)) for name in columns])
        self._table = pa.Table
        self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        whole = [{name: row.get(name) for name in self._schema.names} for row in rows]
        self._writer.write_table(self._table.from_pylist(whole, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _as_text(value: Any) -> Any:
    """Return a cell of CSV that a spreadsheet does not take for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
