"""The store in memory: the public fake, and ``memory://``. Everything ends with the process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Unpack

from rlplatform.access.api_keys import ApiKey
from rlplatform.clock import Clock, SystemClock
from rlplatform.errors import Conflict
from rlplatform.run_kinds import summarize
from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.archive import EventsArchived
from rlplatform.runs.events import Event
from rlplatform.runs.index import MemoryIndex, RunFilter, RunQuery
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary
from rlplatform.storage import append_rules
from rlplatform.storage.stream_notifier import StreamNotifier
from rlplatform.store import Document, OutboxEntry, Written


@dataclass
class _Entry:
    run: Run
    log: list[EncodedEvent]
    seq_of: dict[str, int] = field(default_factory=dict)
    archived: int = 0


class MemoryStore:
    """The ``Store`` port over dictionaries, for one event loop."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._entries: dict[str, _Entry] = {}
        self._index = MemoryIndex()
        self._idempotency: dict[tuple[str, str], tuple[Idempotency, str, datetime]] = {}
        self._keys: dict[str, ApiKey] = {}
        self._usage: defaultdict[tuple[str, date], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._finished: list[OutboxEntry] = []
        self._position = 0
        self._documents: dict[tuple[str, str], Document] = {}
        self._wakeups = StreamNotifier()

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        if idempotency is not None and (stored := await self.find_by_idempotency_key(idempotency)) is not None:
            return stored, False
        if (entry := self._entries.get(run.id)) is not None:
            if entry.archived:
                raise EventsArchived(run.stream)
            if entry.seq_of.get(first.id) == 1:
                return entry.run, False
            raise Conflict(f"{run.id} exists")
        run, encoded = append_rules.open_stream(run, first)
        self._entries[run.id] = _Entry(run, [encoded], {first.id: 1})
        self._index.put(run.index_entry)
        self._charge(run.tenant, append_rules.opening_charges(run, first))
        if idempotency is not None:
            expires = self._clock.now() + append_rules.IDEMPOTENCY_LIFE
            self._idempotency[idempotency.tenant, idempotency.key] = (idempotency, run.id, expires)
        return run, True

    def _charge(self, tenant: str, charges: Sequence[append_rules.Charge]) -> None:
        for charge in charges:
            self._usage[tenant, charge.day][charge.counter] += charge.amount

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        used = self._idempotency.get((idempotency.tenant, idempotency.key))
        if used is None or used[2] <= self._clock.now():
            return None
        append_rules.check_replay(idempotency, used[0].body_sha256)
        return self._entry(used[1]).run

    async def get(self, run_id: str) -> Run:
        return self._entry(run_id).run

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        return [self._entries[run_id].run for run_id in self._index.page(RunFilter(kind=kind, **query))]

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        return [summarize(run) for run in await self.find(kind, **query)]

    async def annotations(self, run_id: str) -> Annotations:
        return self._entry(run_id).run.annotations

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        entry = self._entry(run_id)
        entry.run = entry.run.annotated(patch.applied_to(entry.run.annotations))
        self._index.annotate(entry.run.index_entry)
        return entry.run.annotations

    async def remove(self, run_id: str) -> None:
        if (entry := self._entries.get(run_id)) is not None:
            append_rules.check_over(entry.run)
            del self._entries[run_id]
            self._index.remove(entry.run.index_entry)
            self._charge(entry.run.tenant, [append_rules.removal_charge(entry.run)])

    async def acquire(self, run_id: str) -> int:
        entry = self._entry(run_id)
        entry.run = entry.run.model_copy(update={"epoch": entry.run.epoch + 1})
        return entry.run.epoch

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        entry = self._entry(append_rules.run_id_of(stream))
        append_rules.check_epoch(entry.run.id, entry.run.epoch, epoch)
        if events and entry.archived:
            raise EventsArchived(stream)
        new = [event for event in append_rules.distinct(events) if event.id not in entry.seq_of]
        before = entry.run
        entry.run, encoded = append_rules.append_events(before, new)
        self._charge(before.tenant, append_rules.charges(before, entry.run, new))
        if append_rules.news_for_index(new):
            self._index.put(entry.run.index_entry)
        if (last := append_rules.final_event(new)) is not None:
            self._position += 1
            self._finished.append(OutboxEntry(self._position, before.tenant, before.id, last.id, encoded[-1].type))
        entry.log.extend(encoded)
        entry.seq_of.update((event.id, line.seq) for event, line in zip(new, encoded, strict=True))
        if encoded:
            self._wakeups.notify(stream)
        return [entry.log[entry.seq_of[event.id] - 1] for event in events]

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        append_rules.check_limit(limit)
        entry = self._entries.get(append_rules.run_id_of(stream))
        if entry is None:
            raise append_rules.no_such_stream(stream)
        after = max(0, after)
        if after < entry.archived:
            raise EventsArchived(stream)
        return entry.log[after : after + limit]

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        async def read_many(wanted: Mapping[str, int]) -> dict[str, Sequence[EncodedEvent]]:
            found = {stream: await self.read(stream, after=after, limit=limit) for stream, after in wanted.items()}
            return {stream: lines for stream, lines in found.items() if lines}

        return await self._wakeups.tail(self._clock, cursors, wait_s, read_many)

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        append_rules.check_limit(limit)
        runs = (entry.run for entry in self._entries.values() if entry.run.final and not entry.archived)
        found = sorted((append_rules.finished_at(run), run.id) for run in runs)
        return [run_id for at, run_id in found if at < finished_before.timestamp()][:limit]

    async def trim(self, run_id: str, *, archived: int) -> None:
        entry = self._entry(run_id)
        append_rules.check_trim(entry.run, archived)
        entry.log, entry.seq_of, entry.archived = [], {}, archived

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        none: dict[str, float] = {}
        found = self._usage.get((tenant, day), none)
        return {counter: amount for counter, amount in found.items() if counter != append_rules.WRITTEN}

    async def written(self, tenant: str, day: date) -> Written:
        none: dict[str, float] = {}
        events = self._usage.get((tenant, day), none).get(append_rules.WRITTEN, 0)
        stored = self._usage.get((tenant, append_rules.STANDING), none).get("stored_bytes", 0)
        return Written(int(events), int(stored))

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        append_rules.check_limit(limit)
        return [entry for entry in self._finished if entry.position > after][:limit]

    async def acknowledge(self, position: int) -> None:
        self._finished = [entry for entry in self._finished if entry.position > position]

    async def put_document(self, document: Document) -> None:
        self._documents[document.kind, document.id] = document

    async def add_document(self, document: Document) -> Document:
        return self._documents.setdefault((document.kind, document.id), document)

    async def replace_document(self, document: Document, expected: Document) -> bool:
        replaced = self._documents.get((document.kind, document.id)) in (document, expected)
        if replaced:
            await self.put_document(document)
        return replaced

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        return self._documents.get((kind, document_id))

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        append_rules.check_limit(limit)
        found = (
            document
            for _, document in sorted(self._documents.items(), reverse=True)
            if document.kind == kind
            and (owner is None or document.owner == owner)
            and (before is None or document.id < before)
        )
        return [document for document, _ in zip(found, range(limit), strict=False)]

    async def delete_document(self, kind: str, document_id: str) -> None:
        self._documents.pop((kind, document_id), None)

    async def put_key(self, key: ApiKey) -> None:
        known = self._keys.get(key.id)
        if known is None or known.revoked_at is None:
            self._keys[key.id] = key

    async def get_key(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        keys = sorted(self._keys.values(), key=lambda key: (key.created_at, key.id))
        return [key for key in keys if tenant is None or key.tenant == tenant]

    async def close(self) -> None:
        pass

    def _entry(self, run_id: str) -> _Entry:
        try:
            return self._entries[run_id]
        except KeyError:
            raise append_rules.no_such_run(run_id) from None
