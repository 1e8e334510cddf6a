"""Uploads, finds and deletes the files of tenants."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotFound, StorageError, TooLarge
from rlplatform.files.ledger import FileLedger
from rlplatform.files.models import FileInfo, StoredFile, check_name, media_type_of
from rlplatform.files.ports import FileReader, FileStorage, PendingUpload
from rlplatform.files.records import FileRecords
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.settings import FileSettings, RetentionSettings
from rlplatform.store import DocumentStore

_BLOCK = 1 << 20
_TOUCHED = timedelta(hours=1)
_GRACE = timedelta(hours=1)  # a request that was checked before a deletion is queued by then

Limit = Callable[[str], Awaitable[int | None]]
InUse = Callable[[str, str], Awaitable[str | None]]


async def unlimited(tenant: str) -> None:
    """No quota."""


async def unused(tenant: str, file_id: str) -> None:
    """Return no ids: for a storage whose files no run uses."""


class FileService:
    """Files of all tenants, over a store and a storage. Stateless: any number of processes may have one.

    Args:
        limit: returns the quota of a tenant, in bytes; None: no limit.
        in_use: returns the id of an unfinished run of a tenant that refers to a file; None: there is none.
    """

    def __init__(
        self,
        store: DocumentStore,
        storage: FileStorage,
        clock: Clock,
        settings: FileSettings | None = None,
        *,
        limit: Limit = unlimited,
        in_use: InUse = unused,
    ) -> None:
        self._records = FileRecords(store, clock)
        self._storage = storage
        self._clock = clock
        self._settings = settings or FileSettings()
        self._limit = limit
        self._in_use = in_use
        self._ledger = FileLedger(store, clock)

    async def upload(
        self,
        name: str,
        media_type: str | None,
        principal: Principal,
        chunks: AsyncIterator[bytes],
        declared_bytes: int | None = None,
    ) -> tuple[FileInfo, bool]:
        """Store the bytes of ``chunks``; return the file, and True if it is new.

        Args:
            media_type: as the client says; None: the one that goes with the name.
            declared_bytes: the size that the client announced, so that a file that is too large is refused at once.

        Raises:
            InvalidRequest: the name or the media type is none.
            TooLarge: it is larger than a file may be.
            QuotaExceeded: it does not fit into the tenant's quota.
        """
        check_name(name)
        media_type = media_type_of(media_type, name)
        limit = await self._limit(principal.tenant)
        usage = await self._ledger.usage(principal.tenant)
        self._check_size(declared_bytes or 0)
        self._ledger.check_early(usage, declared_bytes or 0, limit)
        pending = await asyncio.to_thread(self._storage.begin)
        try:
            size, sha256 = 0, hashlib.sha256()
            async for block in _blocks(chunks):
                size += len(block)
                self._check_size(size)
                self._ledger.check_early(usage, size, limit)
                await _unhurried(_write, pending, sha256, block)
            return await self._add(name, media_type, principal, pending, size, sha256.hexdigest(), limit)
        finally:
            await asyncio.shield(asyncio.to_thread(pending.abort))

    async def find(self, file_id: str, principal: Principal) -> FileInfo:
        """Return a file.

        Raises:
            NotFound: there is none such, or none that the principal sees.
        """
        return (await self._visible(file_id, principal)).info

    async def list(
        self, principal: Principal, *, before: str | None = None, limit: int = 50
    ) -> tuple[Sequence[FileInfo], str | None]:
        """Return a page of the files that the principal sees, newest first, and the cursor of the next page."""
        files, cursor = await self._records.page(principal.tenant, before, limit)
        return [file.info for file in files if principal.can_see(file.tenant, file.created_by)], cursor

    async def open(self, file_id: str, principal: Principal) -> FileReader:
        """Open a file that the principal sees.

        Raises:
            NotFound: there is none such.
            StorageError: its bytes are gone, or not as many as were stored.
        """
        file = await self._visible(file_id, principal)
        return await asyncio.to_thread(self._open, file)

    async def delete(self, file_id: str, principal: Principal) -> None:
        """Delete a file.

        Raises:
            NotFound: there is none such, or none that the principal sees.
            NotAllowed: it is somebody else's, and the principal does not manage the tenant.
            Conflict: an unfinished run refers to it.
        """
        file = await self._visible(file_id, principal)
        if file.created_by != principal.id:
            principal.require(Scope.ADMIN)
        await self._records.delete(file)
        if (user := await self._in_use(file.tenant, file_id)) is not None:
            await self._records.restore(file)
            raise Conflict(f"{file_id} is in use by {user}; wait for its end, or cancel it", used_by=user)
        await self._forget(file)

    async def check(self, file_ids: Iterable[str], principal: Principal) -> dict[str, FileInfo]:
        """Return the files that a request of ``principal`` refers to, and note that they are used.

        Raises:
            NotFound: one of them does not exist, or is not one that the principal sees; ``file`` names it.
        """
        found: dict[str, FileInfo] = {}
        for file_id in dict.fromkeys(file_ids):
            try:
                file = await self._visible(file_id, principal)
            except NotFound:
                raise NotFound(f"no such file: {file_id[:64]}", file=file_id[:64]) from None
            found[file_id] = file.info
            if file.used_at is None or self._clock.now() - file.used_at > _TOUCHED:
                await self._records.touch(file)
        return found

    async def resolve(self, file_ids: Iterable[str], tenant: str) -> dict[str, FileInfo]:
        """Return the files that a queued run of ``tenant`` refers to, also those deleted meanwhile.

        Raises:
            NotFound: one of them is gone for good.
        """
        found: dict[str, FileInfo] = {}
        for file_id in dict.fromkeys(file_ids):
            file = await self._records.live_or_deleted(file_id)
            if file is None or file.tenant != tenant:
                raise NotFound(f"no such file: {file_id[:64]}", file=file_id[:64])
            found[file_id] = file.info
        return found

    async def sweep(self, retention: RetentionSettings) -> int:
        """Remove abandoned uploads, the bytes of deleted files, and files that retention no longer keeps; return how
        many files that were."""
        await asyncio.to_thread(self._storage.sweep)
        removed = 0
        async for file in self._records.all_deleted():
            if file.deleted_at is None or self._clock.now() - file.deleted_at < _GRACE:
                continue
            if await self._in_use(file.tenant, file.info.id) is None:
                await self._erase(file)
                removed += 1
        tenants: set[str] = set()
        async for file in self._records.all_live():
            tenants.add(file.tenant)
            if _outlived(file, retention, self._clock.now()) and await self._in_use(file.tenant, file.info.id) is None:
                await self._records.delete(file)
                await self._forget(file)
                removed += 1
        for tenant in tenants:
            await self._ledger.recount(tenant, partial(self._stored_bytes, tenant))
        return removed

    # -- within --------------------------------------------------------------------------------------------------------

    async def _add(
        self,
        name: str,
        media_type: str,
        principal: Principal,
        pending: PendingUpload,
        size: int,
        sha256: str,
        limit: int | None,
    ) -> tuple[FileInfo, bool]:
        """Commit the upload as a new file, unless the principal sees a file with these bytes already."""
        if (known := await self._records.equal(principal, sha256)) is not None:
            return known.info, False
        info = FileInfo(
            id=new_id(Kind.FILE),
            name=name,
            size_bytes=size,
            sha256=sha256,
            media_type=media_type,
            created_at=self._clock.now(),
        )
        file = StoredFile(info=info, tenant=principal.tenant, created_by=principal.id)
        await self._ledger.reserve(principal.tenant, info.id, size, limit)
        try:
            async with self._records.coming(file):
                await _unhurried(pending.commit, principal.tenant, sha256)
                other = await self._records.add(file, principal)
        except BaseException:
            await asyncio.shield(self._ledger.settle(principal.tenant, info.id, stored=False))
            raise
        await asyncio.shield(self._ledger.settle(principal.tenant, info.id, stored=other is None))
        return (info, True) if other is None else (other.info, False)

    async def _visible(self, file_id: str, principal: Principal) -> StoredFile:
        try:
            check_id(file_id, Kind.FILE)
        except InvalidRequest:
            raise NotFound("no such file") from None
        if (file := await self._records.live(file_id)) is None:
            raise NotFound("no such file")
        principal.require_visible(file.tenant, file.created_by, "file")
        return file

    async def _forget(self, file: StoredFile) -> None:
        """Take a file that is not live any more out of the index and the quota."""
        await self._records.forget(file)
        await self._ledger.release(file.tenant, file.info.size_bytes)

    async def _erase(self, file: StoredFile) -> None:
        """Remove a deleted file for good, and its bytes unless another file has the same."""
        async with self._records.erasing(file) as is_last:
            if is_last:
                await asyncio.to_thread(self._storage.delete, file.tenant, file.info.sha256)
        await self._records.drop(file)

    async def _stored_bytes(self, tenant: str) -> int:
        return sum([file.info.size_bytes async for file in self._records.all_live(tenant)])

    def _open(self, file: StoredFile) -> FileReader:
        try:
            reader = self._storage.open(file.tenant, file.info.sha256)
        except NotFound:
            raise StorageError(f"the bytes of {file.info.id} are gone from the storage of files") from None
        if reader.size_bytes != file.info.size_bytes:
            reader.close()
            raise StorageError(f"{file.info.id} is damaged: it has {reader.size_bytes} bytes")
        return reader

    def _check_size(self, size: int) -> None:
        if size > (most := self._settings.max_bytes):
            raise TooLarge(
                f"the file is larger than {most} bytes; send a smaller one, or ask the operator to raise "
                "RLP_FILES__MAX_BYTES",
                max_bytes=most,
            )


def _write(pending: PendingUpload, sha256: hashlib._Hash, block: bytes) -> None:
    pending.write(block)
    sha256.update(block)


async def _unhurried(work: Callable[..., None], *args: object) -> None:
    """Do ``work`` in a thread; a caller that is cancelled leaves only once the thread is done."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *args))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        raise


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join chunks to blocks of a size that is worth a thread."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _BLOCK:
            yield b"".join(parts)
            parts, size = [], 0
    if size:
        yield b"".join(parts)


def _outlived(file: StoredFile, retention: RetentionSettings, now: datetime) -> bool:
    if retention.file_days is None:
        return False
    if file.used_at is None:
        return now - file.info.created_at >= timedelta(days=retention.file_days)
    if retention.evaluation_days is None:
        return False
    # an evaluation that refers to the file is not newer than that, and is removed after its own days
    days = retention.file_days + retention.evaluation_days
    return now - file.used_at >= timedelta(days=days)
