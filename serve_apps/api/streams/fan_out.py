"""Fan-out of event streams: one reader of the log for each (replica, stream), and any number of connections.

The reader tails its stream, and keeps the newest events as encoded chunks in a ring. A connection is a cursor on that
ring and holds nothing else, so that a slow one costs no memory. A cursor that starts before the ring replays the log in
full. A live cursor that falls behind skips telemetry; ``stream.gap`` reports that, and every lifecycle event arrives.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from rlplatform.clock import Clock
from rlplatform.errors import StorageError, UnknownName
from rlplatform.run_kinds import EVENT_TYPES, FINAL_TYPES, parse_event
from rlplatform.runs.events import Event, StreamGap
from rlplatform.runs.ports import EncodedEvent, EventLog

_TAIL_WAIT_S = 10.0
_PAGE = 200
_BATCH_BYTES = 64 * 1024
_REDACTED = frozenset(name for name, cls in EVENT_TYPES.items() if cls.public is not Event.public)
_GAP = str(StreamGap.model_fields["type"].default)
_TELEMETRY = frozenset(name for name, cls in EVENT_TYPES.items() if cls.telemetry)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event in the form that learners may see, encoded once for all connections.

    ``unredacted`` is the form for staff of an event with hidden tests; None if there is no difference.
    """

    seq: int
    type: str
    json: str
    sse: bytes
    unredacted: Chunk | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes in a ring."""
        return len(self.sse) + (len(self.unredacted.sse) if self.unredacted else 0)

    @property
    def final(self) -> bool:
        """True if it ends its stream."""
        return self.type in FINAL_TYPES


class Batch(tuple[Chunk, ...]):
    """Chunks that are sent together, in order: one object for all connections at the same position."""

    @cached_property
    def sse(self) -> bytes:
        """The chunks as server-sent events."""
        return b"".join(chunk.sse for chunk in self)

    @cached_property
    def unredacted(self) -> Batch:
        """The chunks as staff may see them."""
        if all(chunk.unredacted is None for chunk in self):
            return self
        return Batch(chunk.unredacted or chunk for chunk in self)

    def wanted(self, types: Collection[str]) -> Batch:
        """Return the chunks for a reader of these types; all chunks if ``types`` is empty."""
        return self if not types else Batch(chunk for chunk in self if wanted(chunk, types))


_NOTHING = Batch()


def wanted(chunk: Chunk, types: Collection[str]) -> bool:
    """True if a reader of these types (of all, if empty) receives ``chunk``. Readers of telemetry receive gaps."""
    if not types or chunk.type in types:
        return True
    return chunk.type == _GAP and not _TELEMETRY.isdisjoint(types)


def types_of(names: Iterable[str]) -> frozenset[str]:
    """Return the event types with these names.

    Raises:
        UnknownName: there is no such type.
    """
    found = frozenset(names)
    for name in sorted(found):
        if name not in EVENT_TYPES:
            raise UnknownName("event type", name[:80], EVENT_TYPES, field="types")
    return found


def encode(event: EncodedEvent) -> Chunk:
    """Return the chunk of a logged event, redacted if it contains hidden tests."""
    whole = _chunk(event.seq, event.type, event.data)
    if event.type not in _REDACTED:
        return whole
    stored = parse_event(event.data)
    shown = stored.public()
    return whole if shown is stored else _chunk(event.seq, event.type, shown.model_dump_json(), whole)


def _chunk(seq: int, kind: str, text: str, unredacted: Chunk | None = None) -> Chunk:
    return Chunk(seq, kind, text, f"id: {seq}\ndata: {text}\n\n".encode(), unredacted)


class StreamFanOut:
    """Ring of one stream. ``base`` is the sequence number before the ring's first chunk."""

    def __init__(self, log: EventLog, clock: Clock, stream: str, *, after: int, ring_bytes: int) -> None:
        self.stream = stream
        self.base = after
        self.readers = 0
        self.error: Exception | None = None
        self._log = log
        self._clock = clock
        self._ring: list[Chunk] = []
        self._ring_bytes = ring_bytes
        self._size = 0
        self._newest = (-1, _NOTHING)
        self._changed = asyncio.Event()

    def start(self) -> None:
        """Start tailing the stream, in an empty context: Ray would cancel its calls with the request that they
        belong to."""
        self._task = asyncio.create_task(self._run(), name=f"hub {self.stream}", context=Context())

    async def close(self) -> None:
        """Stop tailing the stream."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        """Tail the stream until its final event. A failure of the log reaches every cursor."""
        try:
            while not (self._ring and self._ring[-1].final):
                head = self.base + len(self._ring)
                events = (await self._log.tail({self.stream: head}, wait_s=_TAIL_WAIT_S, limit=_PAGE)).get(
                    self.stream, ()
                )
                if events:
                    self._append(encode(event) for event in events)
                    await self._clock.sleep(self._coalescing_s())
        except Exception as error:
            self.error = error
            self._notify()

    def after(self, seq: int) -> Batch:
        """Return the chunks after ``seq`` (at least ``base``), up to the size of a batch."""
        if seq == self.base + len(self._ring):
            return _NOTHING
        if self._newest[0] != seq:
            self._newest = seq, _batch(islice(self._ring, seq - self.base, None))
        return self._newest[1]

    async def read(self, seq: int) -> Batch:
        """Read the chunks after ``seq`` from the log, for a cursor before the ring."""
        events = await self._log.read(self.stream, after=seq, limit=_PAGE)
        if not events:
            raise StorageError(f"{self.stream} has lost its events from {seq + 1} to {self.base}")
        return _batch(encode(event) for event in events)

    async def changed(self) -> None:
        """Wait for new chunks.

        Raises:
            StorageError: the log cannot be read.
        """
        if self.error is not None:
            raise self.error
        await self._changed.wait()

    def gap(self, first: int, last: int) -> Chunk:
        """Return the event that reports skipped telemetry.

        It has the last skipped number, so that a resume continues there.
        """
        event = StreamGap(stream=self.stream, seq=last, time=self._clock.now(), first_seq=first, last_seq=last)
        return _chunk(last, event.type, event.model_dump_json())

    def _append(self, chunks: Iterable[Chunk]) -> None:
        """Drop old chunks first, then append: a cursor at the end of the ring receives all of ``chunks``, however
        many."""
        drop = 0
        while self._size > self._ring_bytes:
            self._size -= self._ring[drop].size
            drop += 1
        del self._ring[:drop]
        self.base += drop
        for chunk in chunks:
            self._ring.append(chunk)
            self._size += chunk.size
        self._newest = (-1, _NOTHING)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _coalescing_s(self) -> float:
        """Return the seconds for which events are gathered after some were sent: longer for a large audience."""
        return min(0.25, max(0.005, 0.0001 * self.readers))


class Cursor:
    """Position of one connection in a stream."""

    def __init__(self, hub: StreamFanOut, after: int) -> None:
        self.seq = after
        self.done = False
        self._hub = hub
        self._live = False

    async def next(self) -> Batch:
        """Wait for the next chunks. ``done`` is True after the final event. A cancelled call loses nothing.

        Raises:
            StorageError: the log cannot be read.
        """
        while True:
            if self.seq >= self._hub.base:
                self._live = True
                chunks = self._hub.after(self.seq)
                if not chunks:
                    await self._hub.changed()
                    continue
            else:
                chunks = await self._hub.read(self.seq)
                if self._live:
                    chunks = self._thinned(chunks)
            self.seq = chunks[-1].seq
            self.done = chunks[-1].final
            return chunks

    def _thinned(self, chunks: Batch) -> Batch:
        kept: list[Chunk] = []
        first = self.seq + 1
        for chunk in chunks:
            if chunk.type in _TELEMETRY:
                continue
            if chunk.seq > first:
                kept.append(self._hub.gap(first, chunk.seq - 1))
            kept.append(chunk)
            first = chunk.seq + 1
        if first <= chunks[-1].seq:
            kept.append(self._hub.gap(first, chunks[-1].seq))
        return Batch(kept)


class StreamFanOuts:
    """Fan-outs of one replica. One is created with the first cursor of its stream, and closed with the last."""

    def __init__(self, log: EventLog, clock: Clock, *, ring_bytes: int) -> None:
        self._log = log
        self._clock = clock
        self._ring_bytes = ring_bytes
        self._hubs: dict[str, StreamFanOut] = {}

    def __len__(self) -> int:
        return len(self._hubs)

    @asynccontextmanager
    async def open(self, stream: str, after: int) -> AsyncIterator[Cursor]:
        """Open a cursor after event ``after`` of ``stream``."""
        hub = self._hubs.get(stream)
        if hub is None or hub.error is not None:
            hub = self._hubs[stream] = StreamFanOut(
                self._log, self._clock, stream, after=after, ring_bytes=self._ring_bytes
            )
            hub.start()
        hub.readers += 1
        try:
            yield Cursor(hub, after)
        finally:
            hub.readers -= 1
            if not hub.readers:
                if self._hubs.get(stream) is hub:
                    del self._hubs[stream]
                await hub.close()


def _batch(chunks: Iterable[Chunk]) -> Batch:
    found: list[Chunk] = []
    size = 0
    for chunk in chunks:
        size += chunk.size
        if found and size > _BATCH_BYTES:
            break
        found.append(chunk)
    return Batch(found)
