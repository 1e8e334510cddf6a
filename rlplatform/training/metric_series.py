"""Metrics of a training over time."""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.errors import UnknownName
from rlplatform.json_models import StrictModel
from rlplatform.runs.ports import EncodedEvent, EventLog
from rlplatform.training.events import TrainingEvaluated, TrainingIterationCompleted, TrainingRecovered
from rlplatform.training.record import TrainingRun


class MetricSeries(StrictModel):
    """Metrics over time: columns of equal length, one row for each iteration that is kept. Iterations repeated after a
    recovery are there once."""

    training_id: str
    """Id of the training."""
    simulated: bool
    """True if the simulated engine runs it, which trains nothing."""
    stride: int
    """Every `stride`-th iteration is kept, and the last."""
    iteration: list[int]
    """Iterations."""
    env_steps: list[int]
    """Environment steps at each iteration."""
    train_wall_s: list[float]
    """Time spent on training at each iteration, in seconds."""
    metrics: dict[str, list[float | None]]
    """Values of each metric; null if an iteration has no such metric."""


_PAGE = 1000


class _Thinned:
    """Every ``stride``-th of the added events, at most ``2 * size`` of them."""

    def __init__(self, size: int) -> None:
        self.stride = 1
        self._size = size
        self._kept: list[tuple[int, EncodedEvent]] = []
        self._last: tuple[int, EncodedEvent] | None = None
        self._count = 0

    def add(self, event: EncodedEvent) -> None:
        self._last = self._count, event
        if self._count % self.stride == 0:
            self._kept.append(self._last)
            if len(self._kept) > 2 * self._size:
                self._double()
        self._count += 1

    def forget_after(self, iteration: int) -> None:
        """Drop the iterations after ``iteration``, which a recovery repeats."""
        while self._kept and _parse(self._kept[-1][1]).iteration > iteration:
            self._kept.pop()
        self._last = self._kept[-1] if self._kept else None
        self._count = self._last[0] + 1 if self._last else 0

    def events(self) -> list[EncodedEvent]:
        while len(self._kept) >= self._size:
            self._double()
        kept = self._kept
        if self._last is not None and (not kept or kept[-1][0] != self._last[0]):
            kept = [*kept, self._last]
        return [event for _, event in kept]

    def _double(self) -> None:
        self.stride *= 2
        self._kept = [entry for entry in self._kept if entry[0] % self.stride == 0]


async def read_series(log: EventLog, run: TrainingRun, names: Sequence[str] | None, max_points: int) -> MetricSeries:
    """Read the series of the metrics ``names`` (None: of all metrics), thinned to at most ``max_points`` points.

    Raises:
        UnknownName: the training has metrics, but none of that name.
    """
    thinned, _ = await _read(log, run.stream, max_points)
    points = list(map(_parse, thinned.events()))
    known = {name: None for point in points for name in point.metrics}
    for name in names or ():
        if points and name not in known:
            raise UnknownName("metric", name[:80], known, field="names")
    return MetricSeries(
        training_id=run.id,
        simulated=run.document.simulated,
        stride=thinned.stride,
        iteration=[point.iteration for point in points],
        env_steps=[point.env_steps for point in points],
        train_wall_s=[point.train_wall_s for point in points],
        metrics={name: [point.metrics.get(name) for point in points] for name in (known if names is None else names)},
    )


async def read_points(log: EventLog, stream: str, max_points: int) -> tuple[list[EncodedEvent], list[EncodedEvent]]:
    """Return the events of at most ``max_points`` iterations, and those of all policy evaluations.

    What a recovery repeats is there once.
    """
    thinned, evaluated = await _read(log, stream, max_points)
    return thinned.events(), evaluated


async def _read(log: EventLog, stream: str, max_points: int) -> tuple[_Thinned, list[EncodedEvent]]:
    thinned = _Thinned(max_points)
    evaluated: list[EncodedEvent] = []
    after = 0
    while page := await log.read(stream, after=after, limit=_PAGE):
        for event in page:
            if event.type == "training.iteration_completed":
                thinned.add(event)
            elif event.type == "training.evaluated":
                evaluated.append(event)
            elif event.type == "training.recovered":
                iteration = TrainingRecovered.model_validate_json(event.data).iteration
                thinned.forget_after(iteration)
                while evaluated and TrainingEvaluated.model_validate_json(evaluated[-1].data).iteration > iteration:
                    evaluated.pop()
        after = page[-1].seq
    return thinned, evaluated


def _parse(event: EncodedEvent) -> TrainingIterationCompleted:
    return TrainingIterationCompleted.model_validate_json(event.data)
