"""Calls that compare trainings."""

from __future__ import annotations

from typing import Any, Unpack

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, reads
from rlplatform.client.filters import RunFilters, params_of
from rlplatform.comparison.models import RETURN, Axis, Comparison


class ComparisonCalls(AsyncTransport):
    """Compare trainings."""

    async def compare(
        self,
        *training_ids: str,
        metric: str = RETURN,
        x: Axis = "env_steps",
        max_points: int = 500,
        **filters: Unpack[RunFilters],
    ) -> Comparison:
        """Compare trainings by a metric, grouped by everything but the seed.

        Args:
            training_ids: trainings to compare; without any, those that ``filters`` find.
            metric: name of the metric.
            x: axis: environment steps, or seconds of training.
            max_points: largest number of points of each curve.
            filters: see :class:`~rlplatform.client.filters.RunFilters`; ``sort`` is not accepted.

        Raises:
            InvalidRequest: neither trainings nor filters are given, or both.
            NotFound: there is no such training.
        """
        chosen: dict[str, Any] = {"run": ",".join(training_ids)} if training_ids else {}
        params = {**params_of(filters), **chosen, "metric": metric, "x": x, "max_points": max_points}
        return await self._send(Call("GET", "/v1/compare", reads(Comparison), params, wait_s=30.0))
