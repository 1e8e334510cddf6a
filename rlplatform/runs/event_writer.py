"""Writer of events: appends them in order and in batches, and retries during short outages of the store."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from itertools import islice

from rlplatform.clock import Clock
from rlplatform.errors import PlatformError, ServiceError
from rlplatform.retries import retry
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EventLog

MAX_BATCH = 256


class EventWriter:
    """Appends the events of one owner of one stream, with its epoch.

    An append that fails because the store is unavailable is retried for ``patience_s`` seconds. Repeated event ids are
    skipped, so nothing is duplicated. A refused append, for example ``Fenced``, breaks the outbox: every later call
    raises its error.
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
        self._waiting: deque[Event] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._error: PlatformError | None = None

    def enqueue(self, event: Event) -> None:
        """Take ``event`` and append it in the background. Call it from the loop's own thread only.

        Raises:
            PlatformError: the outbox is broken.
        """
        if self._error:
            raise self._error
        self._waiting.append(event)
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run())

    async def write(self, event: Event) -> None:
        """Take ``event``. A lifecycle event is in the log on return; telemetry waits while the outbox is full.

        Raises:
            PlatformError: the outbox is broken.
        """
        self.enqueue(event)
        if not event.telemetry:
            await self.flush()
        while len(self._waiting) >= self._capacity and self._pump:
            await self._clock.sleep(0.01)

    async def flush(self) -> None:
        """Wait until every taken event is in the log.

        Raises:
            PlatformError: an event cannot be appended.
        """
        while self._pump:
            await asyncio.shield(self._pump)
        if self._error:
            raise self._error

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = list(islice(self._waiting, MAX_BATCH))
                append = partial(self._log.append, self._stream, batch, epoch=self._epoch)
                await retry(self._clock, append, self._patience_s)
                for _ in batch:
                    self._waiting.popleft()
        except Exception as error:
            self._error = error if isinstance(error, PlatformError) else ServiceError(f"the log failed: {error!r}")
            self._waiting.clear()
        finally:
            self._pump = None
