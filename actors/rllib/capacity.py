"""Check that there is room for env runners and learners. RLlib itself would wait for it without end or message."""

from __future__ import annotations

import time

import ray
from ray.util import get_current_placement_group

from rlplatform.errors import CapacityExhausted
from rlplatform.training.models import Resources

PATIENCE_S = 10.0
"""Seconds to wait for CPUs that exist but are not free yet, because their actors have just ended."""


def check_capacity(resources: Resources, patience_s: float = PATIENCE_S) -> None:
    """Check that there is room for all actors of a training.

    In a placement group there must be a bundle for the trainer and each actor; elsewhere, one free CPU for each actor.

    Raises:
        CapacityExhausted: there is not enough room.
    """
    actors = resources.num_env_runners + resources.num_learners
    if not actors:
        return
    wanted = f"{resources.num_env_runners} env runners and {resources.num_learners} learners"
    group = get_current_placement_group()
    if group is not None:
        have = len(group.bundle_specs)
        if have < 1 + actors:
            raise CapacityExhausted(
                f"the trainer, {wanted} need {1 + actors} bundles; the placement group has {have}", field="resources"
            )
        return
    there_are = ray.cluster_resources().get("CPU", 0.0)
    deadline = time.monotonic() + patience_s
    while (free := ray.available_resources().get("CPU", 0.0)) < actors:
        if there_are < actors or time.monotonic() > deadline:
            raise CapacityExhausted(
                f"{wanted} need {actors} free CPUs; of {there_are:g}, {free:g} are free", field="resources"
            )
        time.sleep(0.2)
