"""Rules that decide which checkpoints of a training are kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rlplatform.errors import CheckpointError, NotFound
from rlplatform.training.models import CheckpointInfo, CheckpointPlan
from rlplatform.training.ports import CheckpointStore


def best(checkpoints: Sequence[CheckpointInfo]) -> CheckpointInfo | None:
    """Return the checkpoint with the highest ``episode_return_mean``.

    The newest of equals; None if no checkpoint has a return.
    """
    scored = [
        (info.episode_return_mean, index)
        for index, info in enumerate(checkpoints)
        if info.episode_return_mean is not None
    ]
    return checkpoints[max(scored)[1]] if scored else None


def ranked(checkpoints: Sequence[CheckpointInfo]) -> list[CheckpointInfo]:
    """Return ``checkpoints`` with ``best`` True for the current best one only.

    A stored checkpoint says only whether it was the best when it was saved.
    """
    champion = best(checkpoints)
    return [info.model_copy(update={"best": info is champion}) for info in checkpoints]


def expendable(checkpoints: Sequence[CheckpointInfo], plan: CheckpointPlan) -> list[CheckpointInfo]:
    """Return the checkpoints (given oldest first) that ``plan`` does not keep."""
    kept = {info.id for info in checkpoints[-plan.keep_last :]}
    if plan.keep_best and (champion := best(checkpoints)) is not None:
        kept.add(champion.id)
    return [info for info in checkpoints if info.id not in kept]


def superseded(checkpoint: CheckpointInfo, store: CheckpointStore) -> bool:
    """True if a later checkpoint of its training verifies, so that no recovery needs this one.

    Reads that checkpoint in full.
    """
    listed = store.list(checkpoint.training_id)
    place = next((index for index, info in enumerate(listed) if info.id == checkpoint.id), len(listed))
    return any(_verifies(info, store) for info in reversed(listed[place + 1 :]))


def _verifies(checkpoint: CheckpointInfo, store: CheckpointStore) -> bool:
    with tempfile.TemporaryDirectory(prefix="rlp-verify-") as folder:
        try:
            store.fetch(checkpoint.training_id, checkpoint.id, Path(folder))
        except (CheckpointError, NotFound):
            return False
    return True
