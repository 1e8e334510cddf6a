"""Records of a Redis store beside runs and events: usage, the outbox, documents, API keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rlplatform.access.api_keys import ApiKey
from rlplatform.errors import StorageError
from rlplatform.storage import append_rules
from rlplatform.storage.redis import scripts
from rlplatform.store import Document, OutboxEntry, Written


class RedisRecords:
    """The parts of the ``Store`` port that know no runs, on keys that begin with ``namespace``."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis: Any = redis  # its answers are typed as the union of what all protocols and decodings give
        self._prefix = f"{{{namespace}}}:"
        self._add_document = redis.register_script(scripts.ADD_DOCUMENT)
        self._replace_document = redis.register_script(scripts.REPLACE_DOCUMENT)
        self._put_key = redis.register_script(scripts.PUT_KEY)

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        with as_storage_errors():
            found = await self._redis.hgetall(self._usage_key(tenant, day))
        return {counter: float(amount) for counter, amount in found.items() if counter != append_rules.WRITTEN}

    async def written(self, tenant: str, day: date) -> Written:
        with as_storage_errors():
            events = await self._redis.hget(self._usage_key(tenant, day), append_rules.WRITTEN)
            stored = await self._redis.hget(self._usage_key(tenant, append_rules.STANDING), "stored_bytes")
        return Written(int(float(events or 0)), int(float(stored or 0)))

    async def read_outbox(self, *, after: int = 0, limit: int = 100) -> Sequence[OutboxEntry]:
        append_rules.check_limit(limit)
        with as_storage_errors():
            entries = await self._redis.xrange(self._key("outbox"), min=f"{after + 1}-0", count=limit)
        return [
            OutboxEntry(int(at.partition("-")[0]), entry["tenant"], entry["run"], entry["event"], entry["type"])
            for at, entry in entries
        ]

    async def acknowledge(self, position: int) -> None:
        key = self._key("outbox")
        with as_storage_errors():
            while entries := await self._redis.xrange(key, max=f"{position}-0", count=1000):
                await self._redis.xdel(key, *(at for at, _ in entries))

    async def put_document(self, document: Document) -> None:
        with as_storage_errors():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.hset(self._key("document", document.kind, document.id), mapping=document._asdict())
            for index in self._shelves(document.kind, document.owner):
                pipeline.zadd(index, {document.id: 0})
            await pipeline.execute()

    async def add_document(self, document: Document) -> Document:
        keys = [self._key("document", document.kind, document.id), *self._shelves(document.kind, document.owner)]
        with as_storage_errors():
            fields = iter(await self._add_document(keys=keys, args=document))
        return Document(**dict(zip(fields, fields, strict=True)))

    async def replace_document(self, document: Document, expected: Document) -> bool:
        key = self._key("document", document.kind, document.id)
        with as_storage_errors():
            return bool(await self._replace_document(keys=[key], args=[document.record, expected.record]))

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        with as_storage_errors():
            found = await self._redis.hgetall(self._key("document", kind, document_id))
        return Document(**found) if found else None

    async def list_documents(
        self, kind: str, *, owner: str | None = None, before: str | None = None, limit: int = 100
    ) -> Sequence[Document]:
        append_rules.check_limit(limit)
        index = self._shelves(kind, owner or "")[owner is not None]
        with as_storage_errors():
            found = await self._redis.zrevrangebylex(index, "+" if before is None else f"({before}", "-", 0, limit)
            pipeline = self._redis.pipeline(transaction=False)
            for document_id in found:
                pipeline.hgetall(self._key("document", kind, document_id))
            return [Document(**fields) for fields in await pipeline.execute() if fields]

    async def delete_document(self, kind: str, document_id: str) -> None:
        document = await self.get_document(kind, document_id)
        if document is None:
            return
        with as_storage_errors():
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.delete(self._key("document", kind, document_id))
            for index in self._shelves(kind, document.owner):
                pipeline.zrem(index, document_id)
            await pipeline.execute()

    async def put_key(self, key: ApiKey) -> None:
        with as_storage_errors():
            await self._put_key(keys=[self._key("keys")], args=[key.id, key.model_dump_json()])

    async def get_key(self, key_id: str) -> ApiKey | None:
        with as_storage_errors():
            record = await self._redis.hget(self._key("keys"), key_id)
        return ApiKey.model_validate_json(record) if record is not None else None

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        with as_storage_errors():
            records = await self._redis.hvals(self._key("keys"))
        keys = sorted(map(ApiKey.model_validate_json, records), key=lambda key: (key.created_at, key.id))
        return [key for key in keys if tenant is None or key.tenant == tenant]

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)

    def _usage_key(self, tenant: str, day: date) -> str:
        return self._key("usage", quote(tenant, safe=""), day.isoformat())

    def _shelves(self, kind: str, owner: str) -> list[str]:
        """Return the keys of the indices of all documents of a kind, and of an owner's."""
        return [self._key("documents", kind, "*"), self._key("documents", kind, f"={quote(owner, safe='')}")]


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Convert errors of Redis to :class:`StorageError`."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise StorageError(f"Redis operation failed: {error or type(error).__name__}") from error
