"""The store on Redis, which a cluster shares. Any number of processes use it at once.

Appends are compare-and-append: the run is folded here and written by a script only if nothing was appended meanwhile.
All keys carry one hash tag, so that scripts stay atomic: the data of one platform lives on one Redis shard.
How much a crash of Redis may lose depends on its own ``appendfsync`` setting.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack
from urllib.parse import quote
from weakref import WeakValueDictionary

from redis.asyncio import Redis

from rlplatform.clock import Clock
from rlplatform.errors import Conflict, Fenced, InvalidRequest, NotFound, StorageError
from rlplatform.run_kinds import KINDS
from rlplatform.runs.annotations import Annotations, RunPatch
from rlplatform.runs.archive import EventsArchived
from rlplatform.runs.events import Event
from rlplatform.runs.index import RunFilter, RunQuery, sortable_name
from rlplatform.runs.ports import EncodedEvent, Idempotency
from rlplatform.runs.records import Run, RunSummary, StoredRun
from rlplatform.storage import append_rules
from rlplatform.storage.redis import index, scripts
from rlplatform.storage.redis.records import RedisRecords, as_storage_errors

SCHEMA = 5
"""2: usage, outbox, documents; 3: tests apart from records; 4: index; 5: archive. Older versions would leave gaps."""
WITH_INDEX = 4
"""First version with the index."""
UNARCHIVED = "unarchived"
"""Key of the finished runs whose events are not in the archive, by the time that they finished."""
RESTORING = "restoring"
"""Key that exists while a back-up is being restored."""
_PACKED = ("epoch", "request", "tests", "record", "annotations")
_CACHED_RUNS = 512
CLIENT_NAME = "rlplatform"
"""Name of the platform's connections in ``CLIENT LIST``."""
_TIMEOUT_S = 15.0
_USAGE_LIFE_S = int(append_rules.USAGE_LIFE.total_seconds())
_BLOCK_S = 5.0  # a longer wait is several of these: a dead connection is noticed, and a stream that was archived


class RedisStore(RedisRecords):
    """The ``Store`` port on Redis 6 or later. Open it with :meth:`open`; for one event loop."""

    def __init__(self, redis: Redis, clock: Clock, namespace: str) -> None:
        super().__init__(redis, namespace)
        self._clock = clock
        self._index = index.IndexKeys(self._key)
        self._create = redis.register_script(scripts.CREATE)
        self._append = redis.register_script(scripts.APPEND)
        self._remove = redis.register_script(scripts.REMOVE)
        self._trim = redis.register_script(scripts.TRIM)
        self._acquire = redis.register_script(scripts.ACQUIRE)
        self._annotate = redis.register_script(scripts.ANNOTATE)
        self._find = redis.register_script(scripts.FIND)
        self._runs: OrderedDict[str, Run] = OrderedDict()  # as this process last wrote them; another may have gone on
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @classmethod
    async def open(cls, url: str, clock: Clock, namespace: str) -> RedisStore:
        """Connect, and check that this Redis can be relied on.

        Raises:
            InvalidRequest: ``url`` cannot be read.
            StorageError: it does not answer, may evict our keys, or holds a newer version's data.
        """
        try:
            redis: Redis = Redis.from_url(
                url,
                protocol=2,
                decode_responses=True,
                socket_timeout=_TIMEOUT_S,
                socket_connect_timeout=5.0,
                max_connections=4096,
                client_name=CLIENT_NAME,
            )
        except ValueError as error:
            raise InvalidRequest(f"the Redis URL cannot be read: {error}", field="store.url") from None
        store = cls(redis, clock, namespace)
        try:
            await store._check()
        except BaseException:
            await store.close()
            raise
        return store

    async def create(self, run: Run, first: Event, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        new, line = append_rules.open_stream(run, first)
        packed = new.to_stored()
        key, once = "", ("", 0.0, 0.0, 0)
        if idempotency is not None:
            now = self._clock.now().timestamp()
            life_s = append_rules.IDEMPOTENCY_LIFE.total_seconds()
            key = _once(idempotency)
            once = (idempotency.body_sha256, now, now + life_s, int(life_s))
        counted, *_ = append_rules.opening_charges(new, first)
        with as_storage_errors():
            answer, *details = await self._create(
                keys=[
                    *self._keys(new.id),
                    self._key("idempotency", key),
                    self._usage_key(new.tenant, counted.day),
                    self._usage_key(new.tenant, append_rules.STANDING),
                    *self._index.of_run(new),
                ],
                args=[
                    *(new.id, new.kind, new.tenant, new.state, *_fields(packed)),
                    *(first.id, line.type, line.data),
                    *once,
                    *(counted.counter, _USAGE_LIFE_S, new.stored_bytes),
                    *(packed.annotations, self._index.fields(new.kind)),
                    *index.fields(new),
                ],
            )
        match answer:
            case "USED":
                assert idempotency is not None
                append_rules.check_replay(idempotency, details[0])
                return await self.get(details[1]), False
            case "AGAIN":
                return await self.get(new.id), False
            case "ARCHIVED":
                raise EventsArchived(new.stream)
            case "EXISTS":
                raise Conflict(f"{new.id} exists")
        return new, True

    async def find_by_idempotency_key(self, idempotency: Idempotency) -> Run | None:
        with as_storage_errors():
            body, run_id, expires = await self._redis.hmget(
                self._key("idempotency", _once(idempotency)), "body", "run", "expires"
            )
        if body is None or float(expires) <= self._clock.now().timestamp():
            return None
        append_rules.check_replay(idempotency, body)
        return await self.get(run_id)

    async def get(self, run_id: str) -> Run:
        with as_storage_errors():
            fields = await self._redis.hmget(self._key("run", run_id), *_PACKED)
        return _unpack(run_id, fields)

    async def find(self, kind: str, **query: Unpack[RunQuery]) -> list[Run]:
        return [_unpack("", row) for row in await self._rows(kind, _PACKED, **query)]

    async def summaries(self, kind: str, **query: Unpack[RunQuery]) -> list[RunSummary]:
        return [append_rules.summary_of(*row) for row in await self._rows(kind, ("record", "annotations"), **query)]

    async def annotations(self, run_id: str) -> Annotations:
        with as_storage_errors():
            found = await self._redis.hget(self._key("run", run_id), "annotations")
        if found is None:
            raise append_rules.no_such_run(run_id)
        return Annotations.model_validate_json(found)

    async def annotate(self, run_id: str, patch: RunPatch) -> Annotations:
        while True:
            run = await self.get(run_id)
            after = run.annotated(patch.applied_to(run.annotations))
            labels = self._index.of_labels(run)
            with as_storage_errors():
                answer = await self._annotate(
                    keys=[self._key("run", run_id), *labels, *self._index.of_labels(after)],
                    args=[
                        *(run_id, run.annotations.model_dump_json(), after.annotations.model_dump_json()),
                        *(after.index_entry.text, index.encoded("name", sortable_name(after.annotations)), len(labels)),
                        self._index.fields(run.kind),
                    ],
                )
            if answer == "NONE":
                raise append_rules.no_such_run(run_id)
            if answer == "OK":
                return after.annotations

    async def remove(self, run_id: str) -> None:
        answer = "STALE"
        while answer == "STALE":  # it was given other labels meanwhile
            try:
                run = await self.get(run_id)
            except NotFound:
                return
            append_rules.check_over(run)  # and will be: nothing follows a final state
            standing = self._usage_key(run.tenant, append_rules.STANDING)
            with as_storage_errors():
                answer = await self._remove(
                    keys=[*self._keys(run_id), standing, self._key(UNARCHIVED), *self._index.of_run(run)],
                    args=[
                        *(run_id, run.stored_bytes, run.annotations.model_dump_json()),
                        *(self._index.fields(run.kind), *index.FIELDS),
                    ],
                )

    async def acquire(self, run_id: str) -> int:
        with as_storage_errors():
            epoch = int(await self._acquire(keys=[self._key("run", run_id)]))
        if epoch < 0:
            raise append_rules.no_such_run(run_id)
        return epoch

    async def append(self, stream: str, events: Sequence[Event], *, epoch: int | None = None) -> Sequence[EncodedEvent]:
        run_id = append_rules.run_id_of(stream)
        lock = self._locks.setdefault(run_id, asyncio.Lock())
        async with lock:
            known = self._runs.pop(run_id, None)
            run = known if events and known is not None and not known.final else None
            lines: dict[str, EncodedEvent] = {}
            while True:
                if run is None:
                    run, archived, lines = await self._load(run_id, events)
                    append_rules.check_epoch(run_id, run.epoch, epoch)
                    if events and archived:
                        raise EventsArchived(stream)
                new = [event for event in append_rules.distinct(events) if event.id not in lines]
                after, encoded = append_rules.append_events(run, new)
                if new and not await self._write(run, after, new, encoded, epoch):
                    run = None
                    continue
                self._remember(after)
                lines.update((event.id, line) for event, line in zip(new, encoded, strict=True))
                return [lines[event.id] for event in events]

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        append_rules.check_limit(limit)
        run_id = append_rules.run_id_of(stream)
        with as_storage_errors():
            entries = await self._redis.xrange(self._key("events", run_id), min=f"{max(0, after) + 1}-0", count=limit)
            if not entries:
                await self._check_caught_up(stream, after)
        return [_line(entry) for entry in entries]

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        append_rules.check_limit(limit)
        keys = {self._key("events", append_rules.run_id_of(stream)): stream for stream in cursors}
        if not keys:
            await self._clock.sleep(wait_s)
            return {}
        positions = {key: f"{max(0, cursors[stream])}-0" for key, stream in keys.items()}
        deadline = time.monotonic() + wait_s  # the waiting is done in Redis, in real time
        with as_storage_errors():
            while True:
                pipeline = self._redis.pipeline(transaction=True)
                for key in keys:
                    pipeline.exists(key)
                pipeline.xread(positions, count=limit)
                *present, found = await pipeline.execute()
                for stream, exists in zip(cursors, present, strict=True):
                    if not exists:
                        await self._check_caught_up(stream, cursors[stream])
                left = deadline - time.monotonic()
                if not found and left > 0:
                    block = max(1, int(min(left, _BLOCK_S) * 1000))
                    found = await self._redis.xread(positions, count=limit, block=block)
                if found or left <= 0:
                    return {keys[key]: [_line(entry) for entry in entries] for key, entries in found}

    async def _check_caught_up(self, stream: str, after: int) -> None:
        """Check that a stream without events in Redis has none after ``after``.

        Raises:
            NotFound: there is no such run.
            EventsArchived: they are in the archive.
        """
        seq, archived = await self._redis.hmget(self._key("run", append_rules.run_id_of(stream)), "seq", "archived")
        if seq is None:
            raise append_rules.no_such_stream(stream)
        if max(0, after) < int(archived or 0):
            raise EventsArchived(stream)

    async def list_unarchived(self, *, finished_before: datetime, limit: int = 100) -> Sequence[str]:
        append_rules.check_limit(limit)
        with as_storage_errors():
            found: list[str] = await self._redis.zrangebyscore(
                self._key(UNARCHIVED), "-inf", f"({finished_before.timestamp()}", start=0, num=limit
            )
        return found

    async def trim(self, run_id: str, *, archived: int) -> None:
        append_rules.check_trim(await self.get(run_id), archived)  # and stays so: nothing follows a final state
        with as_storage_errors():
            answer = await self._trim(keys=[*self._keys(run_id), self._key(UNARCHIVED)], args=[run_id, archived])
        if answer == "NONE":
            raise append_rules.no_such_run(run_id)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _check(self) -> None:
        with as_storage_errors():
            info: dict[str, Any] = await self._redis.info()
            await self._redis.setnx(self._key("schema"), SCHEMA)
            version = int(await self._redis.get(self._key("schema")))
            unfinished = await self._redis.exists(self._key(RESTORING))
        if unfinished:
            raise StorageError(
                "a back-up was being restored into this Redis and is not complete: run rlp admin restore again"
            )
        if int(str(info["redis_version"]).partition(".")[0]) < 6:
            raise StorageError(f"Redis {info['redis_version']} is too old; the store needs 6.0 or later")
        if str(info.get("maxmemory_policy", "")).startswith("allkeys"):
            raise StorageError(
                f"this Redis evicts keys (maxmemory-policy {info['maxmemory_policy']}), so it would lose runs: "
                "set maxmemory-policy noeviction"
            )
        if version > SCHEMA:
            raise StorageError(
                f"this Redis was written by a newer version of the platform (schema {version}; this one knows "
                f"{SCHEMA}): upgrade the platform, or point RLP_STORE__URL at another database"
            )
        if version < WITH_INDEX:
            await self._add_to_index()
        if version < SCHEMA:
            await self._list_unarchived_runs()
            with as_storage_errors():
                await self._redis.set(self._key("schema"), SCHEMA)

    async def _add_to_index(self) -> None:
        """Enter the runs of an older version into the index. Idempotent."""
        for kind in KINDS:
            with as_storage_errors():
                ids = await self._redis.zrange(self._index.state(kind.model_fields["kind"].default), 0, -1)
                for run_id in ids:
                    stored = await self._redis.hmget(self._key("run", run_id), *_PACKED[:-1])
                    await self.put_in_index(_unpack(run_id, [*stored, Annotations().model_dump_json()]))

    async def _list_unarchived_runs(self) -> None:
        """List the finished runs of an older version as not archived. Idempotent."""
        for kind in KINDS:
            name = kind.model_fields["kind"].default
            with as_storage_errors():
                ended = await self._redis.hgetall(self._index.fields(name) + "finished_at")
                if scores := {run_id: float(at) for run_id, at in ended.items() if at}:
                    await self._redis.zadd(self._key(UNARCHIVED), scores)

    async def put_in_index(self, run: Run, *, archived: bool = False) -> None:
        """Enter a stored run into the index. Idempotent."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.hset(self._key("run", run.id), "annotations", run.annotations.model_dump_json())
        names = iter(index.fields(run))
        for name, value in zip(names, names, strict=True):
            pipeline.hset(self._index.fields(run.kind) + name, run.id, value)
        for key in self._index.of_run(run):
            pipeline.zadd(key, {run.id: 0})
        if run.final and not archived:
            pipeline.zadd(self._key(UNARCHIVED), {run.id: append_rules.finished_at(run)})
        await pipeline.execute()

    async def _rows(self, kind: str, fields: Sequence[str], **query: Unpack[RunQuery]) -> Sequence[Sequence[str]]:
        """Read ``fields`` of the runs that :meth:`find` finds."""
        wanted = RunFilter(kind=kind, **query)
        with as_storage_errors():
            found = await self._find(keys=self._index.wanted(wanted), args=self._index.arguments(wanted, fields))
        if found == "GONE":
            raise wanted.gone()
        rows: Sequence[Sequence[str]] = found
        return rows

    async def _load(self, run_id: str, events: Sequence[Event]) -> tuple[Run, bool, dict[str, EncodedEvent]]:
        """Read the present run, whether its events are archived, and those of ``events`` that its log has, by id."""
        with as_storage_errors():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hmget(self._key("run", run_id), *_PACKED, "archived")
            if events:
                pipeline.hmget(self._key("seen", run_id), [event.id for event in events])
            (*fields, archived), *seen = await pipeline.execute()
            run = _unpack(run_id, fields)
            found = {event.id: seq for event, seq in zip(events, seen[0], strict=True) if seq} if seen else {}
            pipeline = self._redis.pipeline(transaction=False)
            for seq in found.values():
                pipeline.xrange(self._key("events", run_id), min=f"{seq}-0", max=f"{seq}-0")
            entries = await pipeline.execute()
        return run, bool(archived), {id_: _line(entry) for id_, (entry,) in zip(found, entries, strict=True)}

    async def _write(
        self, before: Run, after: Run, new: Sequence[Event], lines: Sequence[EncodedEvent], epoch: int | None
    ) -> bool:
        """Append ``new``; return False if another process appended since ``before``."""
        fields = [
            field
            for event, line in zip(new, lines, strict=True)
            for field in (line.seq, event.id, line.type, line.data)
        ]
        _, tests, record = _fields(after.to_stored())
        *charged, counted, size = append_rules.charges(before, after, new)
        counter, amount = (charged[0].counter, charged[0].amount) if charged else ("", 0.0)
        last = append_rules.final_event(new)
        outbox = (after.tenant, last.id, lines[-1].type) if last is not None else ("", "", "")
        with as_storage_errors():
            answer, *details = await self._append(
                keys=[
                    *self._keys(before.id),
                    *self._index.of_state(before, before.state),
                    *self._index.of_state(after, after.state),
                    *(self._usage_key(after.tenant, counted.day), self._key("outbox"), self._key("counters")),
                    *(self._usage_key(after.tenant, append_rules.STANDING), self._key(UNARCHIVED)),
                ],
                args=[
                    *(before.id, "" if epoch is None else epoch, before.seq, after.state, tests, record),
                    *(counter, amount, _USAGE_LIFE_S),
                    *outbox,
                    int(size.amount),
                    self._index.fields(after.kind) if append_rules.news_for_index(new) else "",
                    *index.facts(after.facts),
                    append_rules.finished_at(after) if after.final else "",
                    *fields,
                ],
            )
        match answer:
            case "NONE":
                raise append_rules.no_such_run(before.id)
            case "FENCED":
                append_rules.check_epoch(before.id, int(details[0]), epoch)
                raise Fenced(f"epoch {epoch} of {before.id} is not its newest")
        return bool(answer == "OK")

    def _remember(self, run: Run) -> None:
        self._runs[run.id] = run
        if len(self._runs) > _CACHED_RUNS:
            self._runs.popitem(last=False)

    def _keys(self, run_id: str) -> list[str]:
        return [self._key(name, run_id) for name in ("run", "events", "seen")]


def _once(idempotency: Idempotency) -> str:
    return f"{quote(idempotency.tenant, safe='')}:{quote(idempotency.key, safe='')}"


def _unpack(run_id: str, fields: Sequence[str | None]) -> Run:
    epoch, request, tests, record, annotations = fields
    if epoch is None or record is None or annotations is None:
        raise append_rules.no_such_run(run_id)
    return append_rules.from_stored(StoredRun(request or None, tests or None, record, annotations), int(epoch))


def _fields(packed: StoredRun) -> tuple[str, str, str]:
    return packed.request or "", packed.tests or "", packed.record


def _line(entry: tuple[str, dict[str, str]]) -> EncodedEvent:
    position, fields = entry
    return EncodedEvent(int(position.partition("-")[0]), fields["type"], fields["data"])
