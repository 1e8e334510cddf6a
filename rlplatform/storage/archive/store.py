"""The store that reads the archive for events of finished runs that the database has dropped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Unpack

from rlplatform.access.api_keys import ApiKey
from rlplatform.errors import Conflict, NotFound, StorageError
from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.archive import EventArchive, EventsArchived
from rlplatform.runs.events import Event, run_of
from rlplatform.runs.index import RunQuery
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary
from rlplatform.storage import append_rules
from rlplatform.store import Document, OutboxEntry, Store, Written

_PAGE = 1000


class ArchivedStore:
    """The ``Store`` port over a database and the archive of its finished runs."""

    def __init__(self, store: Store, archive: EventArchive) -> None:
        self._store = store
        self._archive = archive

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        try:
            return await self._store.create(run, first, idempotency=idempotency)
        except EventsArchived as archived:
            (line,) = await self._archived(archived.stream, 0, 1)
            if json.loads(line.data)["id"] == first.id:
                return await self._store.get(run.id), False
            raise Conflict(f"{run.id} exists") from None

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        try:
            return await self._store.append(stream, events, epoch=epoch)
        except EventsArchived:
            known = await self._find(stream, {event.id for event in events})
            new = [event for event in append_rules.distinct(events) if event.id not in known]
            append_rules.append_events(await self._store.get(run_of(stream)), new)  # refuses all that is new
            return [known[event.id] for event in events]

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        try:
            return await self._store.read(stream, after=after, limit=limit)
        except EventsArchived:
            return await self._archived(stream, after, limit)

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        try:
            return await self._store.tail(cursors, wait_s=wait_s, limit=limit)
        except EventsArchived as archived:
            return {archived.stream: await self._archived(archived.stream, cursors[archived.stream], limit)}

    async def remove(self, run_id: str) -> None:
        try:
            append_rules.check_over(await self._store.get(run_id))
        except NotFound:
            return
        await asyncio.to_thread(self._archive.delete, run_id)  # first: an interrupted removal is repeated
        await self._store.remove(run_id)

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        return await self._store.find_by_idempotency_key(idempotency)

    async def get(self, run_id: str) -> Run:
        return await self._store.get(run_id)

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        return await self._store.find(kind, **query)

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        return await self._store.summaries(kind, **query)

    async def annotations(self, run_id: str) -> Annotations:
        return await self._store.annotations(run_id)

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        return await self._store.annotate(run_id, patch)

    async def acquire(self, run_id: str) -> int:
        return await self._store.acquire(run_id)

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        return await self._store.list_unarchived(finished_before=finished_before, limit=limit)

    async def trim(self, run_id: str, *, archived: int) -> None:
        await self._store.trim(run_id, archived=archived)

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        return await self._store.used(tenant, day)

    async def written(self, tenant: str, day: date) -> Written:
        return await self._store.written(tenant, day)

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        return await self._store.read_outbox(after=after, limit=limit)

    async def acknowledge(self, position: int) -> None:
        await self._store.acknowledge(position)

    async def put_document(self, document: Document) -> None:
        await self._store.put_document(document)

    async def add_document(self, document: Document) -> Document:
        return await self._store.add_document(document)

    async def replace_document(self, document: Document, expected: Document) -> bool:
        return await self._store.replace_document(document, expected)

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        return await self._store.get_document(kind, document_id)

    async def list_documents(self, kind: str, **query: Any) -> Sequence[Document]:
        return await self._store.list_documents(kind, **query)

    async def delete_document(self, kind: str, document_id: str) -> None:
        await self._store.delete_document(kind, document_id)

    async def put_key(self, key: ApiKey) -> None:
        await self._store.put_key(key)

    async def get_key(self, key_id: str) -> ApiKey | None:
        return await self._store.get_key(key_id)

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        return await self._store.list_keys(tenant)

    async def close(self) -> None:
        await self._store.close()

    async def _archived(self, stream: str, after: int, limit: int) -> Sequence[EncodedEvent]:
        run_id = run_of(stream)
        lines = await asyncio.to_thread(self._archive.read, run_id, after=max(0, after), limit=limit)
        if lines is None:
            await self._store.get(run_id)  # it may have been removed meanwhile
            raise StorageError(f"the events of {run_id} are missing in the archive; restore its file from a back-up")
        return lines

    async def _find(self, stream: str, event_ids: set[str]) -> dict[str, EncodedEvent]:
        """Return the archived events with these ids."""
        found: dict[str, EncodedEvent] = {}
        after = 0
        while len(found) < len(event_ids) and (lines := await self._archived(stream, after, _PAGE)):
            after = lines[-1].seq
            found |= {event_id: line for line in lines if (event_id := json.loads(line.data)["id"]) in event_ids}
        return found
