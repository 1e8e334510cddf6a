"""Order in which a fair queue will serve."""

from __future__ import annotations

from copy import deepcopy

from rlplatform.scheduling.fair_queue import FairQueue


def in_order(queue: FairQueue) -> list[str]:
    """All that waits, in the order in which it will be served if nothing else comes."""
    return [item for _, item in iter(deepcopy(queue).pop, None)]
