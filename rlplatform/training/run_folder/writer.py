"""Write a run folder in the formats of RL-Zoo, Tune and TensorBoard from a training's event stream.

``config.yml`` and ``manifest.json`` are written when the training has started. Each iteration and evaluation adds a row
to ``progress.csv``, a line to ``result.json``, and TensorBoard scalars over environment steps. Each episode adds a row
to ``monitor.csv``. Kept checkpoints are copied. Rows after the checkpoint of a recovery are dropped and written again.
The folder is a copy: the event log is the record.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from rlplatform.errors import CheckpointError, NotFound
from rlplatform.runs.events import Event
from rlplatform.training.events import (
    TrainingCheckpointSaved,
    TrainingEvaluated,
    TrainingIterationCompleted,
    TrainingRecovered,
    TrainingStarted,
)
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.run_folder.monitor_file import Episode, MonitorFile
from rlplatform.training.run_folder.tensorboard import EventFile

_FIXED = ("iteration", "env_steps", "episodes", "train_wall_s")


class RunFolder:
    """Takes the events of a training in order, and writes them on :meth:`flush`.

    Events start with the first one; if an earlier writer of the same folder was lost, with ``training.recovered``.
    """

    def __init__(self, path: Path, checkpoints: CheckpointStore | None = None) -> None:
        """Open the folder. With ``checkpoints``, the kept ones are copied to ``checkpoints/ITERATION_ID/``."""
        self.path = path
        self._checkpoints = checkpoints
        self._results, self._table = path / "result.json", path / "progress.csv"
        path.mkdir(parents=True, exist_ok=True)
        self._board: EventFile | None = None
        self._monitor = MonitorFile(path)
        self._pending: list[dict[str, Any]] = []
        self._last: dict[str, Any] | None = None
        self._marks = (0, 0)  # offsets in the two files at which their last row begins
        self._columns: list[str] = list(_FIXED)
        self._table_is_old = False
        self.iteration = 0
        for row in self._rows():
            self._know(row)
            self.iteration = row["iteration"]

    def write(self, event: Event, episodes: Sequence[Episode] = ()) -> None:
        """Take one event, and the episodes that ended in its iteration.

        Events that the folder does not record are skipped.
        """
        match event:
            case TrainingStarted():
                self._start(event)
            case TrainingIterationCompleted():
                metrics = {name: event.metrics[name] for name in sorted(event.metrics)}
                self._take({name: getattr(event, name) for name in _FIXED} | metrics)
                self._open_board(event).scalars(metrics, event.env_steps, event.time.timestamp())
                self._monitor.add(episodes, event.iteration, event.time.timestamp())
            case TrainingEvaluated():
                report = {f"eval/{name}": value for name, value in event.report.model_dump().items()}
                self._merge(event.iteration, report)
                self._open_board(event).scalars(report, event.env_steps, event.time.timestamp())
            case TrainingRecovered():
                self._roll_back(event)
            case TrainingCheckpointSaved():
                self._copy_checkpoint(event.checkpoint)

    def flush(self) -> None:
        """Write everything taken so far to the files."""
        if self._pending:
            *rows, last = self._pending
            with self._results.open("ab") as file:
                file.writelines(_line(row) for row in rows)
                results = file.tell()
                file.write(_line(last))
            self._pending = []
            table = 0
            if self._table_is_old or not self._table.exists():
                table = self._rewrite_table()
            else:
                with self._table.open("a", newline="") as text:
                    writer = csv.DictWriter(text, self._columns)
                    writer.writerows(rows)
                    table = text.tell()
                    writer.writerow(last)
            self._marks = results, table
        self._monitor.flush()
        if self._board:
            self._board.flush()

    def close(self) -> None:
        """Flush and close. Idempotent."""
        self.flush()
        if self._board:
            self._board.close()
            self._board = None

    def clear(self) -> None:
        """Delete all rows and scalars, and start again."""
        self._pending, self._last, self._columns, self._table_is_old = [], None, list(_FIXED), False
        self.iteration = 0
        if self._board:
            self._board.close()
            self._board = None
        self._monitor.clear()
        for path in (self._results, self._table, *self.path.glob("events.out.tfevents.*")):
            path.unlink(missing_ok=True)

    def _start(self, event: TrainingStarted) -> None:
        (self.path / "manifest.json").write_text(json.dumps(event.manifest, indent=2) + "\n")
        engine = event.manifest.get("engine")
        request = event.manifest.get("request")
        config = (request if isinstance(request, dict) else {}) | {
            "hyperparameters": engine.get("hyperparameters", {}) if isinstance(engine, dict) else {}
        }
        (self.path / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
        self._monitor.begin(str(config.get("env", "")), event.time.timestamp())

    def _take(self, row: dict[str, Any]) -> None:
        self._know(row)
        self._last, self.iteration = row, row["iteration"]
        self._pending.append(row)

    def _merge(self, iteration: int, report: dict[str, Any]) -> None:
        """Add an evaluation to the row of its iteration."""
        if self._last is None or self._last["iteration"] != iteration:
            return
        self._know(report)
        self._last |= report
        if not self._pending:
            for path, mark in zip((self._results, self._table), self._marks, strict=True):
                os.truncate(path, mark)
            self._pending = [self._last]

    def _know(self, row: dict[str, Any]) -> None:
        """Add a column for every key of ``row``."""
        new = [name for name in row if name not in self._columns]
        self._columns += new
        self._table_is_old = self._table_is_old or bool(new)

    def _rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows in the file, without a last line that is incomplete."""
        if not self._results.exists():
            return
        with self._results.open() as file:
            for line in file:
                try:
                    yield json.loads(line)
                except ValueError:
                    return

    def _roll_back(self, event: TrainingRecovered) -> None:
        """Drop the rows after ``event.iteration``. The last remaining row may still receive an evaluation."""
        self.close()
        self._monitor.roll_back(event.iteration)
        rows = [row for row in self._rows() if row["iteration"] <= event.iteration]
        self._last = rows.pop() if rows else None
        self.iteration = self._last["iteration"] if self._last else 0
        self._pending = [self._last] if self._last else []
        part = self._results.with_suffix(".part")
        part.write_bytes(b"".join(map(_line, rows)))
        part.replace(self._results)
        self._rewrite_table()
        self._open_board(event).restart(event.env_steps + 1, event.time.timestamp())

    def _rewrite_table(self) -> int:
        """Write ``progress.csv`` again from ``result.json``; return the offset at which its last row begins."""
        part, begins = self._table.with_suffix(".part"), 0
        with part.open("w", newline="") as text:
            writer = csv.DictWriter(text, self._columns)
            writer.writeheader()
            for row in self._rows():
                begins = text.tell()
                writer.writerow(row)
        part.replace(self._table)
        self._table_is_old = False
        return begins

    def _open_board(self, event: Event) -> EventFile:
        if self._board is None:
            self._board = EventFile(self.path, event.time.timestamp())
        return self._board

    def _copy_checkpoint(self, info: CheckpointInfo) -> None:
        """Copy the new checkpoint, and delete copies of those that the store no longer keeps."""
        if self._checkpoints is None:
            return
        folder = self.path / "checkpoints"
        target, part = folder / f"{info.iteration:06d}_{info.id}", folder / "part"
        if not target.exists():
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            with suppress(NotFound, CheckpointError):
                self._checkpoints.fetch(info.training_id, info.id, part)
                part.replace(target)
        kept = {kept.id for kept in self._checkpoints.list(info.training_id)}
        for copy in folder.iterdir():
            if copy.name.partition("_")[2] not in kept:
                shutil.rmtree(copy)


def _line(row: dict[str, Any]) -> bytes:
    return json.dumps(row).encode() + b"\n"
