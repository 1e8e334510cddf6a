"""A request that comes again: what its Idempotency-Key has made already stands, whatever else there is to say."""

from __future__ import annotations

from typing import TypeVar

from rlplatform.errors import PlatformError
from rlplatform.ports import Idempotency, RunStore
from rlplatform.runs import EvaluationRun, PolicyRecord, TrainingRun

R = TypeVar("R", EvaluationRun, TrainingRun, PolicyRecord)


async def replayed(
    store: RunStore, made: type[R], idempotency: Idempotency | None, refusal: PlatformError
) -> tuple[R, bool]:
    """What the key has made, and that it is not new.

    :raises PlatformError: ``refusal``, where it has made nothing.
    """
    stored = await store.recall(idempotency) if idempotency is not None else None
    if not isinstance(stored, made):
        raise refusal
    return stored, False
