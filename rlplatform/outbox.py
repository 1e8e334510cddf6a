"""A writer's way into the log: events in order, in batches, past short outages of the store."""

from __future__ import annotations

import asyncio
import random
from collections import deque

from rlplatform.errors import PlatformError, StorageError, Unavailable
from rlplatform.events import EventBase
from rlplatform.ports import Clock, EventLog

MAX_BATCH = 256


class Outbox:
    """Appends the events of one owner of one stream, with its epoch.

    An append that fails for want of a store is tried again for ``patience_s`` seconds (an event id twice is one event,
    so nothing doubles). One that is refused, above all by a fence, breaks the outbox: every later call raises that.
    """

    def __init__(
        self, log: EventLog, stream: str, epoch: int, clock: Clock, *, patience_s: float = 60.0, capacity: int = 1024
    ) -> None:
        self._log = log
        self._stream = stream
        self._epoch = epoch
        self._clock = clock
        self._patience_s = patience_s
        self._capacity = capacity
        self._waiting: deque[EventBase] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._error: PlatformError | None = None

    def put(self, event: EventBase) -> None:
        """Take ``event``; it is appended in the background. From the loop's own thread only.

        :raises PlatformError: the outbox is broken.
        """
        if self._error:
            raise self._error
        self._waiting.append(event)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run())

    async def send(self, event: EventBase) -> None:
        """Take ``event``. A lifecycle event is in the log when this returns; telemetry waits while the box is full.

        :raises PlatformError: the outbox is broken.
        """
        self.put(event)
        if not event.telemetry:
            await self.flush()
        while len(self._waiting) >= self._capacity and self._pump:
            await self._clock.sleep(0.01)

    async def flush(self) -> None:
        """Until everything taken is in the log.

        :raises PlatformError: it cannot be.
        """
        while self._pump:
            await asyncio.shield(self._pump)
        if self._error:
            raise self._error

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = list(self._waiting)[:MAX_BATCH]
                await self._append(batch)
                for _ in batch:
                    self._waiting.popleft()
        except PlatformError as error:
            self._error = error
            self._waiting.clear()
        finally:
            self._pump = None

    async def _append(self, batch: list[EventBase]) -> None:
        deadline = self._clock.monotonic() + self._patience_s
        delay = 0.05
        while True:
            try:
                await self._log.append(self._stream, batch, epoch=self._epoch)
                return
            except (StorageError, Unavailable) as error:
                if not error.retryable or self._clock.monotonic() + delay > deadline:
                    raise
            await self._clock.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(2.0, delay * 2)
