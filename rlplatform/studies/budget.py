"""Plan of environment steps: how long each training of a trial is, and how much of the budget is left."""

from __future__ import annotations

from collections.abc import Sequence

from rlplatform.studies.models import StudyRequest, Trial


def whole(env_steps: int, each: int | None) -> int:
    """Return the steps that a training with ``stop.env_steps`` takes: iterations of ``each`` steps are whole."""
    return env_steps if each is None else -(-env_steps // each) * each


def left(request: StudyRequest, used: int, running: Sequence[Trial]) -> int | None:
    """Return the budget that neither ended trials have ``used`` nor ``running`` ones may use; None: no budget."""
    if request.budget_env_steps is None:
        return None
    return request.budget_env_steps - used - sum(sum(trial.env_steps or ()) for trial in running)


def plan(request: StudyRequest, available: int | None, target: int | None, each: int | None) -> list[int] | None:
    """Return the environment steps of the next trial's trainings, one a seed; None: their own criteria end them.

    If ``available`` does not suffice for a whole trial, the rest is divided over the seeds in whole iterations, so
    that less than one iteration of the budget is left. An empty list: nothing can be started any more.

    Args:
        target: Environment steps of a whole training.
        each: Environment steps of one iteration; None: unknown, and taken as 1.
    """
    if target is None:
        return None
    seeds = len(request.seeds)
    full = [whole(target, each)] * seeds
    if available is None or sum(full) <= available:
        return full
    unit = each or 1
    iterations = available // unit
    if iterations <= 0:
        return []
    share, rest = divmod(iterations, seeds)
    return [(share + (place < rest)) * unit for place in range(seeds)]
