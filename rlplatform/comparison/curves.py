"""Curve of one metric of a training, read from its events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json

from rlplatform.comparison.models import Axis, EvaluatedPoint
from rlplatform.runs.events import stream_of
from rlplatform.runs.ports import EncodedEvent, EventLog
from rlplatform.training.metric_series import read_points


class RunCurve(NamedTuple):
    """Curve of a metric, the evaluations of the policy, and the names of all metrics."""

    x: list[float]
    y: list[float]
    evaluations: list[EvaluatedPoint]
    metrics: frozenset[str]


async def read_curve(log: EventLog, training_id: str, metric: str, axis: Axis, max_points: int) -> RunCurve:
    """Read the curve of ``metric`` over ``axis``, thinned to at most ``max_points`` points."""
    points, evaluated = await read_points(log, stream_of(training_id), max_points)
    return await asyncio.to_thread(_curve, points, evaluated, metric, axis)


def _curve(points: Sequence[EncodedEvent], evaluated: Sequence[EncodedEvent], metric: str, axis: Axis) -> RunCurve:
    x: list[float] = []
    y: list[float] = []
    names: set[str] = set()
    walls: dict[int, float] = {}
    for point in points:
        event: Any = from_json(point.data)
        walls[event["iteration"]] = event["train_wall_s"]
        names |= event["metrics"].keys()
        value = event["metrics"].get(metric)
        if value is not None:
            x.append(float(event[axis]))
            y.append(float(value))
    found = []
    for line in evaluated:
        event = from_json(line.data)
        place = event["env_steps"] if axis == "env_steps" else _before(walls, event["iteration"])
        report = event["report"]
        found.append(
            EvaluatedPoint(
                x=float(place),
                mean=report["episode_return_mean"],
                std=report["episode_return_std"],
                episodes=report["episodes"],
            )
        )
    return RunCurve(x, y, found, frozenset(names))


def _before(walls: dict[int, float], iteration: int) -> float:
    """Return the training time at the newest kept iteration up to ``iteration``."""
    return max((wall for number, wall in walls.items() if number <= iteration), default=0.0)
