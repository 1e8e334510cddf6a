"""Whether there is room for env runners and learners. RLlib itself would wait for it without end, and say nothing."""

from __future__ import annotations

import ray
from ray.util import get_current_placement_group

from rlplatform.errors import CapacityExhausted
from rlplatform.training.models import Resources


def check_capacity(resources: Resources) -> None:
    """In a placement group: that it has a bundle for the trainer and each actor; else that so many CPUs are free.

    :raises CapacityExhausted: it has not.
    """
    actors = resources.num_env_runners + resources.num_learners
    if not actors:
        return
    group = get_current_placement_group()
    if group is not None:
        if len(group.bundle_specs) < 1 + actors:
            raise CapacityExhausted(
                f"the placement group has {len(group.bundle_specs)} bundles; the trainer, {resources.num_env_runners} "
                f"env runners and {resources.num_learners} learners need {1 + actors}",
                field="resources",
            )
        return
    free = ray.available_resources().get("CPU", 0.0)
    if free < actors:
        raise CapacityExhausted(
            f"{resources.num_env_runners} env runners and {resources.num_learners} learners need {actors} free CPUs; "
            f"there are {free:g}",
            field="resources",
        )
