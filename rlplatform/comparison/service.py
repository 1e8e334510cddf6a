"""Comparison of trainings: reads their curves, and summarizes each group."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from rlplatform import statistics
from rlplatform.comparison.curves import RunCurve, read_curve
from rlplatform.comparison.grouping import compared_settings, grouped, title_of
from rlplatform.comparison.models import MAX_RUNS, Axis, Band, ComparedGroup, ComparedRun, Comparison, Estimate
from rlplatform.errors import UnknownName
from rlplatform.runs.ports import EventLog
from rlplatform.training.models import Training

_BAND_POINTS = 200
_CACHED_POINTS = 1_000_000


class ComparisonService:
    """Compares trainings. Curves of finished trainings are kept in memory, up to a number of points."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, str, Axis, int], RunCurve] = OrderedDict()
        self._size = 0

    async def compare(self, trainings: Sequence[Training], metric: str, axis: Axis, max_points: int) -> Comparison:
        """Compare ``trainings``, of which only the first ``MAX_RUNS`` are read, by ``metric`` over ``axis``.

        Args:
            trainings: Documents of trainings.
            metric: Name of a metric.
            axis: Environment steps, or seconds of training.
            max_points: Largest number of points of each run's curve.

        Raises:
            UnknownName: the trainings have metrics, but none of this name.
        """
        compared = trainings[:MAX_RUNS]
        curves = {each.id: await self._curve(each, metric, axis, max_points) for each in compared}
        metrics = sorted({name for curve in curves.values() for name in curve.metrics})
        if metrics and metric not in metrics:
            raise UnknownName("metric", metric[:80], metrics, field="metric")
        parts = grouped(compared)
        settings = compared_settings([settings for settings, _ in parts])
        groups = await asyncio.to_thread(
            lambda: [_group(title_of(given, settings), group, curves) for given, group in parts]
        )
        ranked = sorted(zip(groups, parts, strict=True), key=lambda pair: _rank(pair[0]))
        return Comparison(
            metric=metric,
            x=axis,
            metrics=metrics,
            groups=[group for group, _ in ranked],
            settings=compared_settings([given for _, (given, _) in ranked]),
            left_out=len(trainings) - len(compared),
        )

    async def _curve(self, training: Training, metric: str, axis: Axis, max_points: int) -> RunCurve:
        key = (training.id, metric, axis, max_points)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        curve = await read_curve(self._log, training.id, metric, axis, max_points)
        if training.state.final:
            self._kept[key] = curve
            self._size += len(curve.x)
            while self._size > _CACHED_POINTS:
                self._size -= len(self._kept.popitem(last=False)[1].x)
        return curve


def _rank(group: ComparedGroup) -> float:
    """Return the number to sort by: the best estimate first, groups without one last."""
    estimate = group.evaluation or group.final
    return -estimate.iqm if estimate is not None else float("inf")


def _group(title: str, trainings: Sequence[Training], curves: dict[str, RunCurve]) -> ComparedGroup:
    lines = [statistics.curve_of(curves[each.id].x, curves[each.id].y) for each in trainings]
    found = statistics.band_of(lines, _BAND_POINTS)
    band = Band(
        x=found.x.tolist(),
        iqm=found.intervals.iqm.tolist(),
        low=found.intervals.low.tolist(),
        high=found.intervals.high.tolist(),
        runs=found.runs.tolist(),
    )
    evaluated = [curves[each.id].evaluations[-1].mean for each in trainings if curves[each.id].evaluations]
    return ComparedGroup(
        title=title,
        runs=[_run(each, curves[each.id]) for each in trainings],
        band=band,
        final=_estimate([curves[each.id].y[-1] for each in trainings if curves[each.id].y]),
        best=_estimate([max(curves[each.id].y) for each in trainings if curves[each.id].y]),
        evaluation=_estimate(evaluated),
    )


def _estimate(values: Sequence[float]) -> Estimate | None:
    if not values:
        return None
    given = np.asarray(values, np.float64)
    iqm, low, high = (float(each[0]) for each in statistics.bootstrap(given[:, None]))
    return Estimate(iqm=iqm, low=low, high=high, mean=float(given.mean()), runs=len(values))


def _run(training: Training, curve: RunCurve) -> ComparedRun:
    return ComparedRun(
        id=training.id,
        name=training.name,
        seed=training.request.seed,
        state=training.state,
        env_steps=training.progress.env_steps,
        train_wall_s=training.progress.train_wall_s,
        x=curve.x,
        y=curve.y,
        evaluations=curve.evaluations,
    )
