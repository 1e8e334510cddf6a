"""Number of nodes with sandboxes that an autoscaler is asked for, by the evaluations that wait and run."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ray.autoscaler.sdk import request_resources

from actors.options import SANDBOX_RESOURCE
from rlplatform.clock import Clock

SHRINK_S = 300.0
"""Seconds for which fewer nodes must suffice before one is given back: starting one takes minutes."""


class SandboxNodes:
    """Asks the autoscaler for nodes with sandboxes: at least one, and at most as many as it can bring.

    Args:
        limits: Largest size of the whole cluster, by resource. Without sandboxes in it, nothing is asked for.
        slots: Evaluations that a node runs at a time.
        request: Asks the autoscaler to keep nodes for these bundles.
    """

    def __init__(
        self,
        limits: Mapping[str, float],
        slots: int,
        clock: Clock,
        request: Callable[..., None] = request_resources,
    ) -> None:
        self._most = math.floor(limits.get(SANDBOX_RESOURCE, 0))
        self._slots = slots
        self._clock = clock
        self._request = request
        self._asked = 0
        self._enough_since = 0.0

    @property
    def scales(self) -> bool:
        """True if an autoscaler brings nodes with sandboxes."""
        return self._most > 0

    @property
    def target(self) -> int | None:
        """Number of nodes that should have evaluators; None: all that there are."""
        return self._asked or None

    def want(self, evaluations: int) -> None:
        """Ask for enough nodes for so many evaluations at a time. Blocks."""
        if not self.scales:
            return
        wanted = min(self._most, max(1, math.ceil(evaluations / self._slots)))
        now = self._clock.monotonic()
        if wanted >= self._asked:
            self._enough_since = now
        if wanted > self._asked or (wanted < self._asked and now - self._enough_since >= SHRINK_S):
            self._request(bundles=[{SANDBOX_RESOURCE: 1.0}] * wanted)
            self._asked, self._enough_since = wanted, now
