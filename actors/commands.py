"""Command handling that evaluations and trainings share.

A command waits until the supervisor has restored its predecessor's runs. Once started, it runs to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from rlplatform.access.principals import Principal
from rlplatform.clock import Clock
from rlplatform.errors import ServiceError, Unavailable
from rlplatform.retries import with_timeout
from rlplatform.runs.events import Event
from rlplatform.runs.ports import Idempotency
from rlplatform.runs.records import Run
from rlplatform.store import Store

R = TypeVar("R", bound=Run)
T = TypeVar("T")


class CommandHandler:
    """Base of the command handlers. The supervisor inherits from all of them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._restored = asyncio.Event()
        self._draining = False
        self._stale = False
        self._commands: set[asyncio.Task[Any]] = set()

    async def _open(self) -> None:
        if self._draining:
            raise Unavailable("the platform is shutting down")
        if not self._restored.is_set():
            try:
                await with_timeout(self._clock, 10, self._restored.wait())
            except TimeoutError:
                raise Unavailable("the platform is starting") from None

    async def _uncancellable(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work`` to its end. Ray cancels a call when its request is gone; a command is never left half done."""
        task = asyncio.get_running_loop().create_task(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return await asyncio.shield(task)

    async def _create(self, run: R, first: Event, idempotency: Idempotency | None) -> tuple[R, bool]:
        try:
            stored, created = await self._store.create(run, first, idempotency=idempotency)
        except (ServiceError, asyncio.CancelledError):
            self._mark_stale()  # the run may have been stored
            raise
        assert isinstance(stored, type(run))
        return stored, created

    def _mark_stale(self) -> None:
        """Make the next round look for runs that may exist only in the store."""
        self._stale = True

    async def _owned(self, run_id: str, principal: Principal) -> Run:
        run = await self._store.get(run_id)
        principal.require_visible(run.tenant, run.created_by, run.kind)
        return run
