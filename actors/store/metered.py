"""Client of the store that counts and logs the events it appends."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from actors.store.client import StoreClient
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run
from rlplatform.telemetry import log_context
from rlplatform.telemetry.metrics import Telemetry

log = logging.getLogger(__name__)


class MeteredStore(StoreClient):
    """Store that measures and logs the events appended through it."""

    def __init__(self, call: Callable[..., Any], telemetry: Telemetry, *, shared: bool = True) -> None:
        super().__init__(call, shared=shared)
        self._telemetry = telemetry

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        stored, new = await super().create(run, first, idempotency=idempotency)
        if new:
            log_context.remember(stored.id)
            _note(first, stored.tenant)
        return stored, new

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        lines = await super().append(stream, events, epoch=epoch)
        self._telemetry.events(events)
        for event in events:
            if not event.telemetry:
                _note(event)
        return lines


def _note(event: Event, tenant: str = "") -> None:
    """Log the type of an event; what it holds is in the run's stream."""
    ids = {"run": event.stream.rpartition("/")[2]} | ({"tenant": tenant} if tenant else {})
    log.info("%s", event.type, extra=ids)
