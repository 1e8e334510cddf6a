"""TensorBoard: one event file for each training, in a folder of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlplatform.cli.exports.follower import Point
from rlplatform.training.models import Training
from rlplatform.training.run_folder.tensorboard import EventFile


class TensorBoardSink:
    """Writes scalars over environment steps. The state is the size of the file; bytes beyond it are cut off.

    The bytes of an event are always the same, so that a TensorBoard that reads the file meanwhile notices nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: EventFile

    def open(self, training: Training, state: Mapping[str, Any] | None) -> None:
        began = training.created_at.timestamp()
        path = self._folder / f"events.out.tfevents.{int(began):010d}.{training.id}"
        self._file = EventFile.at(path, int(state["size_bytes"]) if state else 0, began)

    def log(self, point: Point) -> None:
        self._file.scalars(point.values, point.step, point.time)

    def commit(self) -> Mapping[str, Any]:
        return {"size_bytes": self._file.sync()}

    def close(self, training: Training) -> Mapping[str, Any]:  # noqa: ARG002
        state = self.commit()
        self._file.close()
        return state
