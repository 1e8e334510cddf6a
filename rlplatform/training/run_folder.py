"""A run folder, as users of RL-Zoo, Tune and TensorBoard know it, written from a training's event stream.

``config.yml`` and ``manifest.json`` when the training has started; a row in ``progress.csv``, a line in ``result.json``
and TensorBoard scalars over environment steps for each iteration and evaluation; a copy of each checkpoint kept.
What a recovery does again is written again: rows behind the checkpoint are dropped. Not a record: the event log is.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from tensorboardX import SummaryWriter

from rlplatform import events
from rlplatform.errors import CheckpointError, NotFound
from rlplatform.events import EventBase
from rlplatform.ports import CheckpointStore

_FIXED = ("iteration", "env_steps", "episodes", "train_wall_s")


class RunFolder:
    """Takes events in order, from the first one on, into a folder that is empty or does not exist."""

    def __init__(self, path: Path, checkpoints: CheckpointStore | None = None) -> None:
        """With ``checkpoints``, the kept ones are copied to ``checkpoints/ITERATION_ID/``."""
        self._path = path
        self._checkpoints = checkpoints
        path.mkdir(parents=True, exist_ok=True)
        self._rows: list[dict[str, Any]] = []
        self._columns: list[str] = list(_FIXED)
        self._board = SummaryWriter(str(path))

    def write(self, event: EventBase) -> None:
        """Take one event; those that say nothing for the folder are passed over."""
        match event:
            case events.TrainingStarted():
                self._start(event)
            case events.TrainingIterationCompleted():
                fixed = {name: getattr(event, name) for name in _FIXED}
                self._add(fixed | {name: event.metrics[name] for name in sorted(event.metrics)})
                self._scalars(event.metrics, event.env_steps)
            case events.TrainingEvaluated():
                report = {f"eval/{name}": value for name, value in event.report.model_dump().items()}
                self._merge(event.iteration, report)
                self._scalars(report, event.env_steps)
            case events.TrainingRecovered():
                self._roll_back(event)
            case events.TrainingCheckpointSaved():
                self._copy_checkpoints(event)

    def write_all(self, stream: Iterable[EventBase]) -> None:
        """Take all events of ``stream``, and close."""
        for event in stream:
            self.write(event)
        self.close()

    def close(self) -> None:
        """Flush. Idempotent."""
        self._board.close()

    def _start(self, event: events.TrainingStarted) -> None:
        (self._path / "manifest.json").write_text(json.dumps(event.manifest, indent=2) + "\n")
        engine = event.manifest.get("engine")
        request = event.manifest.get("request")
        config = (request if isinstance(request, dict) else {}) | {
            "hyperparameters": engine.get("hyperparameters", {}) if isinstance(engine, dict) else {}
        }
        (self._path / "config.yml").write_text(yaml.safe_dump(config, sort_keys=False))

    def _add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        with (self._path / "result.json").open("a") as file:
            file.write(json.dumps(row) + "\n")
        if any(name not in self._columns for name in row):
            self._columns += [name for name in row if name not in self._columns]
            self._rewrite_table()
            return
        path = self._path / "progress.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _merge(self, iteration: int, report: dict[str, Any]) -> None:
        """An evaluation belongs to its iteration's row."""
        if not self._rows or self._rows[-1]["iteration"] != iteration:
            return
        self._rows[-1] |= report
        self._columns += [name for name in report if name not in self._columns]
        self._rewrite()

    def _roll_back(self, event: events.TrainingRecovered) -> None:
        self._rows = [row for row in self._rows if row["iteration"] <= event.iteration]
        self._rewrite()
        self._board.close()
        self._board = SummaryWriter(str(self._path), purge_step=event.env_steps + 1)

    def _rewrite(self) -> None:
        (self._path / "result.json").write_text("".join(json.dumps(row) + "\n" for row in self._rows))
        self._rewrite_table()

    def _rewrite_table(self) -> None:
        with (self._path / "progress.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(self._rows)

    def _scalars(self, metrics: dict[str, Any], step: int) -> None:
        for name, value in metrics.items():
            self._board.add_scalar(name, value, step)

    def _copy_checkpoints(self, event: events.TrainingCheckpointSaved) -> None:
        """Copy the new one, and drop copies of those that the store no longer keeps."""
        if self._checkpoints is None:
            return
        info = event.checkpoint
        folder = self._path / "checkpoints"
        target = folder / f"{info.iteration:06d}_{info.id}"
        target.mkdir(parents=True, exist_ok=True)
        try:
            self._checkpoints.fetch(info.training_id, info.id, target)
        except (NotFound, CheckpointError):
            shutil.rmtree(target)
        kept = {kept.id for kept in self._checkpoints.list(info.training_id)}
        for copy in folder.iterdir():
            if copy.name.partition("_")[2] not in kept:
                shutil.rmtree(copy)
