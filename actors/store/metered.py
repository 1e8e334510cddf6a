"""Client of the store that counts the events it appends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from actors.store.client import StoreClient
from rlplatform.runs.events import Event
from rlplatform.runs.ports import EncodedEvent
from rlplatform.telemetry.metrics import Telemetry


class MeteredStore(StoreClient):
    """Store that measures the events appended through it."""

    def __init__(self, call: Callable[..., Any], telemetry: Telemetry, *, shared: bool = True) -> None:
        super().__init__(call, shared=shared)
        self._telemetry = telemetry

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        lines = await super().append(stream, events, epoch=epoch)
        self._telemetry.events(events)
        return lines
