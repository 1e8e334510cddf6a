"""Repeated requests: the run that an Idempotency-Key created is returned again, even if a new run would be refused."""

from __future__ import annotations

from typing import TypeVar

from rlplatform.errors import PlatformError
from rlplatform.runs.ports import Idempotency, RunStore
from rlplatform.runs.records import Run

R = TypeVar("R", bound=Run)


async def replay_or_raise(
    store: RunStore, made: type[R], idempotency: Idempotency | None, refusal: PlatformError
) -> tuple[R, bool]:
    """Return the run that the key has made, and False because it is not new.

    Raises:
        PlatformError: ``refusal``, if the key has made no run.
    """
    stored = await store.find_by_idempotency_key(idempotency) if idempotency is not None else None
    if not isinstance(stored, made):
        raise refusal
    return stored, False
