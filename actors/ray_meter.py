"""Metrics for Prometheus: every recorded event, and the state of queues, trainings and pools.

Labels have a few fixed values, never an id or a tenant, because each value creates a permanent series. The names are
explained in ``cluster/observability/README.md``. An event that its writer appends twice, after an outage of the store,
counts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray.util import metrics

from rlplatform.telemetry.metrics import COUNTERS, GAUGES, HISTOGRAMS


class RayMeter:
    """Metrics of this process, which Ray's agent on the node exports. Made on first use."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        if amount > 0:
            self._metric(name, lambda: metrics.Counter(name, tag_keys=COUNTERS[name])).inc(amount, labels)

    def set(self, name: str, value: float, **labels: str) -> None:
        self._metric(name, lambda: metrics.Gauge(name, tag_keys=GAUGES[name])).set(value, labels)

    def observe(self, name: str, value: float) -> None:
        self._metric(name, lambda: metrics.Histogram(name, boundaries=HISTOGRAMS[name])).observe(value)

    def _metric(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]
