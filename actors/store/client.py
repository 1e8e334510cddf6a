"""Client of the store, for processes that do not own it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Unpack

from rlplatform.access.api_keys import ApiKey
from rlplatform.clock import Clock, SystemClock
from rlplatform.errors import Unavailable
from rlplatform.retries import Backoff
from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.events import Event
from rlplatform.runs.index import RunQuery
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary
from rlplatform.spans import span
from rlplatform.store import Document, OutboxEntry, Written

PATIENCE_S = 20.0


class StoreClient:
    """The ``Store`` port over ``StoreServer.call``, in this process or in its actor.

    Calls are retried during an outage: all are idempotent.
    """

    def __init__(self, call: Callable[..., Awaitable[Any]], clock: Clock | None = None, *, shared: bool = True) -> None:
        """Wrap ``call``. If the store is ``shared`` with other clients, :meth:`close` leaves it open."""
        self._hub = call
        self._shared = shared
        self._clock = clock or SystemClock()

    async def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "tail":  # waits for events
            return await self._persevere(name, *args, **kwargs)
        with span(f"store {name}"):
            return await self._persevere(name, *args, **kwargs)

    async def _persevere(self, name: str, *args: Any, **kwargs: Any) -> Any:
        deadline: float | None = None
        backoff = Backoff(self._clock, 0.1, 1.0)
        while True:
            try:
                return await self._hub(name, *args, **kwargs)
            except Unavailable:
                deadline = deadline or self._clock.monotonic() + PATIENCE_S
                if self._clock.monotonic() > deadline:
                    raise
            await backoff.wait()

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        stored, created = await self._call("create", run, first, idempotency=idempotency)
        return stored, created or stored.id == run.id  # ids are unique: an earlier attempt of this client has succeeded

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        return await self._call("find_by_idempotency_key", idempotency)

    async def get(self, run_id: str) -> Run:
        return await self._call("get", run_id)

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        return await self._call("find", kind, **query)

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        return await self._call("summaries", kind, **query)

    async def annotations(self, run_id: str) -> Annotations:
        return await self._call("annotations", run_id)

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        return await self._call("annotate", run_id, patch)

    async def remove(self, run_id: str) -> None:
        await self._call("remove", run_id)

    async def acquire(self, run_id: str) -> int:
        return await self._call("acquire", run_id)

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        return await self._call("append", stream, events, epoch=epoch)

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        return await self._call("read", stream, after=after, limit=limit)

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        return await self._call("tail", cursors, wait_s=wait_s, limit=limit)

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        return await self._call("list_unarchived", finished_before=finished_before, limit=limit)

    async def trim(self, run_id: str, *, archived: int) -> None:
        await self._call("trim", run_id, archived=archived)

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        return await self._call("used", tenant, day)

    async def written(self, tenant: str, day: date) -> Written:
        return Written(*await self._call("written", tenant, day))

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        return await self._call("read_outbox", after=after, limit=limit)

    async def acknowledge(self, position: int) -> None:
        await self._call("acknowledge", position)

    async def put_document(self, document: Document) -> None:
        await self._call("put_document", document)

    async def add_document(self, document: Document) -> Document:
        return await self._call("add_document", document)

    async def replace_document(self, document: Document, expected: Document) -> bool:
        return await self._call("replace_document", document, expected)

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        return await self._call("get_document", kind, document_id)

    async def list_documents(self, kind: str, **query: Any) -> Sequence[Document]:
        return await self._call("list_documents", kind, **query)

    async def delete_document(self, kind: str, document_id: str) -> None:
        await self._call("delete_document", kind, document_id)

    async def put_key(self, key: ApiKey) -> None:
        await self._call("put_key", key)

    async def get_key(self, key_id: str) -> ApiKey | None:
        return await self._call("get_key", key_id)

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        return await self._call("list_keys", tenant)

    async def close(self) -> None:
        if not self._shared:
            await self._hub("close")
