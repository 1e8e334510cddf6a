"""Copies the log of one training into a sink, and remembers how far it has come."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rlplatform.errors import InvalidRequest
from rlplatform.json_models import StrictModel
from rlplatform.runs.events import Event
from rlplatform.training.events import TrainingEvaluated, TrainingIterationCompleted
from rlplatform.training.models import Training

COMMIT_EVENTS = 200
"""Events after which a follower stores its position."""
COMMIT_S = 5.0
"""Seconds after which it does so, so that a running training can be watched in the other tool."""


class Point(NamedTuple):
    """Values of metrics at one step."""

    step: int
    """Environment steps."""
    time: float
    """POSIX time in seconds."""
    values: Mapping[str, float]


class Sink(Protocol):
    """Output for one training."""

    def open(self, training: Training, state: Mapping[str, Any] | None) -> None:
        """Begin, or continue after what was committed with ``state``; whatever came later must not be there twice."""

    def log(self, point: Point) -> None:
        """Take one point. Steps never fall."""

    def commit(self) -> Mapping[str, Any] | None:
        """Make all points durable; return what :meth:`open` needs to continue, or None if only :meth:`close` can."""

    def close(self, training: Training) -> Mapping[str, Any]:
        """Make all points durable, and close; return what :meth:`open` needs to continue."""


class Cursor(StrictModel):
    """Position of a follower in the log of a training."""

    training_id: str
    seq: int = 0
    iteration: int = 0
    evaluated: int = 0
    sink: dict[str, Any] | None = None

    @classmethod
    def load(cls, path: Path, training_id: str) -> Cursor:
        """Return the stored position, or the beginning.

        Raises:
            InvalidRequest: the file cannot be read.
        """
        if not path.exists():
            return cls(training_id=training_id)
        try:
            return cls.model_validate(json.loads(path.read_bytes()))
        except ValueError as error:
            raise InvalidRequest(f"{path} is not a position of `rlp export`: {error}", field="--output") from None

    def save(self, path: Path) -> None:
        """Store the position; a crash leaves the old or the new one."""
        part = path.with_suffix(".part")
        with part.open("w") as file:
            file.write(self.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


class Follower:
    """Copies events into a sink. What a recovery repeats is copied once: a resumed training repeats it exactly."""

    def __init__(
        self,
        training: Training,
        sink: Sink,
        cursor_path: Path,
        *,
        commit_events: int = COMMIT_EVENTS,
        commit_s: float = COMMIT_S,
    ) -> None:
        self._training, self._sink, self._path = training, sink, cursor_path
        self._commit_events, self._commit_s = commit_events, commit_s
        self.cursor = Cursor.load(cursor_path, training.id)
        sink.open(training, self.cursor.sink)

    def copy(self, events: Iterable[Event]) -> None:
        """Copy ``events``, which begin after the cursor."""
        taken, committed = 0, time.monotonic()
        for event in events:
            self._take(event)
            taken += 1
            if taken < self._commit_events and time.monotonic() - committed < self._commit_s:
                continue
            if (state := self._sink.commit()) is not None:
                self._save(state)
            taken, committed = 0, time.monotonic()

    def close(self, training: Training) -> None:
        """Store the position and close the sink; ``training`` is its newest document."""
        self._save(self._sink.close(training))

    def _take(self, event: Event) -> None:
        cursor = self.cursor
        changes: dict[str, Any] = {"seq": event.seq}
        if isinstance(event, TrainingIterationCompleted) and event.iteration > cursor.iteration:
            self._sink.log(Point(event.env_steps, event.time.timestamp(), event.metrics))
            changes["iteration"] = event.iteration
        elif isinstance(event, TrainingEvaluated) and event.iteration > cursor.evaluated:
            report = {f"eval/{name}": float(value) for name, value in event.report.model_dump().items()}
            self._sink.log(Point(event.env_steps, event.time.timestamp(), report))
            changes["evaluated"] = event.iteration
        self.cursor = cursor.model_copy(update=changes)

    def _save(self, state: Mapping[str, Any]) -> None:
        self.cursor = self.cursor.model_copy(update={"sink": dict(state)})
        self.cursor.save(self._path)


def settings_of(training: Training) -> dict[str, Any]:
    """Return the settings of a training by dotted name, with its effective hyperparameters."""
    engine = (training.manifest or {}).get("engine")
    effective = engine.get("hyperparameters") if isinstance(engine, dict) else None
    request = training.request
    settings: dict[str, Any] = {
        "env": request.env,
        "algorithm": request.algorithm,
        "engine": request.engine,
        "seed": request.seed,
        "preset": request.preset,
        **(effective or request.hyperparameters),
        **{f"env_config.{name}": value for name, value in request.env_config.items()},
    }
    return {name: value for name, value in settings.items() if value is not None}
