"""When a training has reached its aim."""

from __future__ import annotations

from collections.abc import Mapping

from rlplatform.training.metrics import EPISODE_RETURN_MEAN
from rlplatform.training.models import Progress, StopCriteria

MIN_EPISODES = 20
"""Episodes that must have ended before ``episode_return_mean`` can stop a session: the mean of fewer is too noisy."""


def met(criteria: StopCriteria, progress: Progress, metrics: Mapping[str, float]) -> str | None:
    """Return the name of the first criterion met by ``progress`` and the newest ``metrics``; None if none is.

    ``wall_time_s`` counts only training, not pauses, evaluations or checkpoints.
    """
    mean = metrics.get(EPISODE_RETURN_MEAN) if progress.episodes >= MIN_EPISODES else None
    reached = {
        "env_steps": progress.env_steps,
        "episode_return_mean": mean,
        "iterations": progress.iteration,
        "wall_time_s": progress.train_wall_s,
    }
    for name, value in reached.items():
        wanted = getattr(criteria, name)
        if wanted is not None and value is not None and value >= wanted:
            return name
    return None
