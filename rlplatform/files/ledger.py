"""Bytes of each tenant's files: one document per tenant, changed by compare-and-set."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from rlplatform.clock import Clock
from rlplatform.errors import QuotaExceeded, Unavailable
from rlplatform.store import Document, DocumentStore

KIND = "file.usage"
QUOTA = "file_bytes"
_ATTEMPTS = 1000
_ABANDONED = timedelta(hours=1)


class _Reservation(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    size_bytes: int
    since: datetime


class FileUsage(BaseModel):
    """Bytes of a tenant's files, stored and being added.

    ``revision`` changes with every update, so that equal updates that race can be distinguished.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: str = ""
    stored_bytes: int = 0
    reserved: dict[str, _Reservation] = Field(default_factory=dict)

    @property
    def total_bytes(self) -> int:
        """Return all bytes that count against the quota."""
        return self.stored_bytes + sum(one.size_bytes for one in self.reserved.values())


class FileLedger:
    """Counts the bytes of files.

    A file is reserved, then stored, then settled. A process that dies in between leaves a reservation, which
    :meth:`recount` removes.
    """

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def usage(self, tenant: str) -> FileUsage:
        """Return the tenant's usage."""
        found = await self._store.get_document(KIND, tenant)
        return FileUsage() if found is None else FileUsage.model_validate_json(found.record)

    def check_early(self, usage: FileUsage, size_bytes: int, limit: int | None) -> None:
        """Check an upload of which ``size_bytes`` bytes have arrived so far.

        Raises:
            QuotaExceeded: it exceeds the quota, and is too large to be a file that the tenant already has.
        """
        if size_bytes > usage.stored_bytes:
            self._check(usage, size_bytes, limit)

    def _check(self, usage: FileUsage, size_bytes: int, limit: int | None) -> None:
        if limit is not None and usage.total_bytes + size_bytes > limit:
            raise QuotaExceeded(QUOTA, used=usage.total_bytes, limit=limit, needed=size_bytes, retry_after_s=3600.0)

    async def reserve(self, tenant: str, file_id: str, size_bytes: int, limit: int | None) -> None:
        """Count a file that is about to be stored.

        Raises:
            QuotaExceeded: it does not fit into the quota.
        """
        reservation = _Reservation(size_bytes=size_bytes, since=self._clock.now())

        def change(usage: FileUsage) -> FileUsage:
            if file_id not in usage.reserved:
                self._check(usage, size_bytes, limit)
            return usage.model_copy(update={"reserved": {**usage.reserved, file_id: reservation}})

        await self._change(tenant, change)

    async def settle(self, tenant: str, file_id: str, *, stored: bool) -> None:
        """Turn a reservation into stored bytes, or release it. Idempotent."""

        def change(usage: FileUsage) -> FileUsage:
            reserved = dict(usage.reserved)
            gone = reserved.pop(file_id, None)
            if gone is None:
                return usage
            added = gone.size_bytes if stored else 0
            return usage.model_copy(update={"stored_bytes": usage.stored_bytes + added, "reserved": reserved})

        await self._change(tenant, change)

    async def release(self, tenant: str, size_bytes: int) -> None:
        """Subtract a file that has been deleted."""
        await self._change(
            tenant,
            lambda usage: usage.model_copy(update={"stored_bytes": max(0, usage.stored_bytes - size_bytes)}),
        )

    async def recount(self, tenant: str, count: Callable[[], Awaitable[int]]) -> None:
        """Set the stored bytes to the result of ``count``, and drop reservations of dead processes.

        Nothing changes if files are added or deleted meanwhile.
        """
        found = await self._store.get_document(KIND, tenant)
        if found is None:
            return
        usage = FileUsage.model_validate_json(found.record)
        before = self._clock.now() - _ABANDONED
        if any(one.since > before for one in usage.reserved.values()):
            return
        counted = usage.model_copy(update={"stored_bytes": await count(), "reserved": {}})
        if counted != usage:
            await self._replace(found, counted)

    async def _change(self, tenant: str, change: Callable[[FileUsage], FileUsage]) -> None:
        empty = Document(KIND, tenant, tenant, FileUsage().model_dump_json())
        for _ in range(_ATTEMPTS):
            found = await self._store.get_document(KIND, tenant) or await self._store.add_document(empty)
            usage = FileUsage.model_validate_json(found.record)
            changed = change(usage)
            if changed == usage or await self._replace(found, changed):
                return
        raise Unavailable(f"too many changes of the files of {tenant!r} at once; send the request again")

    async def _replace(self, found: Document, usage: FileUsage) -> bool:
        record = usage.model_copy(update={"revision": secrets.token_hex(8)}).model_dump_json()
        return await self._store.replace_document(found._replace(record=record), found)
