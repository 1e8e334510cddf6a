"""A training that continues from a checkpoint: its counters include what the checkpoint has done."""

from __future__ import annotations

from rlplatform.errors import InvalidRequest
from rlplatform.training.models import CheckpointInfo, StopCriteria, Training


def check_continues(stop: StopCriteria, parent: CheckpointInfo, trained: Training) -> None:
    """Refuse stop criteria that ``parent``, a checkpoint of ``trained``, has met: the training would end at once.

    The training time of a checkpoint is known for the newest one only: it is that of its training.

    :raises InvalidRequest: naming the field, what has been reached and what is accepted.
    """
    newest = trained.progress.iteration == parent.iteration
    reached = {
        "env_steps": (parent.env_steps, f"{parent.env_steps:,} steps"),
        "iterations": (parent.iteration, f"{parent.iteration:,} iterations"),
        "wall_time_s": (trained.progress.train_wall_s if newest else 0.0, f"{trained.progress.train_wall_s:.1f} s"),
    }
    for name, (done, words) in reached.items():
        wanted = getattr(stop, name)
        if wanted is not None and wanted <= done:
            raise InvalidRequest(
                f"stop.{name} must be more than the {words} that checkpoint {parent.id} has done, which count; "
                f"got {wanted:,}",
                field=f"stop.{name}",
            )
