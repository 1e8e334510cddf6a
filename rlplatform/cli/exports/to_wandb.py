"""Weights & Biases, offline: folders that ``wandb sync --append`` uploads."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlplatform.cli.exports.follower import Point, settings_of
from rlplatform.errors import Unavailable
from rlplatform.training.models import Training


class WandbSink:
    """Writes one offline folder for each call of ``rlp export`` that had something to write.

    W&B cannot continue an offline folder. A folder therefore counts only once it is complete, which the state notes;
    a folder that a killed follower left is deleted, and its points are written again.

    Raises:
        Unavailable: W&B is not installed.
    """

    def __init__(self, folder: Path, project: str) -> None:
        try:
            import wandb
        except ModuleNotFoundError:
            raise Unavailable("Weights & Biases is not installed here: pip install wandb") from None
        self._wandb: Any = wandb
        self._folder, self._project = folder, project
        self._finished: list[str] = []
        self._training: Training
        self._run: Any = None
        self._point: Point | None = None

    def open(self, training: Training, state: Mapping[str, Any] | None) -> None:
        self._training = training
        self._finished = list(state["folders"]) if state else []
        for left in self._folder.glob("part-*"):
            if left.name not in self._finished:
                shutil.rmtree(left)

    def log(self, point: Point) -> None:
        if self._run is None:
            self._run = self._begin()
        if self._point is not None and self._point.step == point.step:  # W&B drops a second row of a step
            point = point._replace(values={**self._point.values, **point.values})
        else:
            self._send()
        self._point = point

    def commit(self) -> None:
        return None

    def close(self, training: Training) -> Mapping[str, Any]:  # noqa: ARG002
        if self._run is not None:
            self._send()
            self._run.finish()
            self._finished.append(self._part.name)
        return {"folders": self._finished}

    def _send(self) -> None:
        if self._point is not None:
            self._run.log({**self._point.values, "_timestamp": self._point.time}, step=self._point.step)
            self._point = None

    def _begin(self) -> Any:
        training = self._training
        self._part.mkdir()
        return self._wandb.init(
            project=self._project,
            dir=str(self._part),
            id=training.id,
            name=training.name or training.id,
            notes=training.notes,
            tags=[f"{name}={value}"[:64] for name, value in training.labels.items()],
            config=settings_of(training),
            mode="offline",
            settings=self._wandb.Settings(silent=True, x_disable_stats=True, disable_code=True, disable_git=True),
        )

    @property
    def _part(self) -> Path:
        """Folder of this call."""
        return self._folder / f"part-{len(self._finished) + 1}"
