"""Uploads, finds and deletes the files of tenants."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.errors import Conflict, InvalidRequest, NotFound, StorageError, TooLarge
from rlplatform.files.ledger import FileLedger
from rlplatform.files.models import FileInfo, StoredFile, check_name, media_type_of
from rlplatform.files.ports import FileReader, FileStorage, PendingUpload
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.settings import FileSettings, RetentionSettings
from rlplatform.store import Document, DocumentStore

LIVE, DELETED, _INDEX, _ERASURE = "file", "file.deleted", "file.hash", "file.erasure"
_BLOCK = 1 << 20
_PAGE = 200
_POLL_S = 0.05
_ABANDONED = timedelta(hours=1)
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
        self._store = store
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
        found = await self._store.list_documents(LIVE, owner=principal.tenant, before=before, limit=limit + 1)
        cursor = found[limit - 1].id if len(found) > limit else None
        files = [StoredFile.model_validate_json(document.record) for document in found[:limit]]
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
        deleted = file.model_copy(update={"deleted_at": self._clock.now()})
        await self._store.put_document(_document(DELETED, deleted))
        await self._store.delete_document(LIVE, file_id)
        if (user := await self._in_use(file.tenant, file_id)) is not None:
            await self._store.put_document(_document(LIVE, file))
            await self._store.delete_document(DELETED, file_id)
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
                touched = file.model_copy(update={"used_at": self._clock.now()})
                await self._store.replace_document(_document(LIVE, touched), _document(LIVE, file))
        return found

    async def resolve(self, file_ids: Iterable[str], tenant: str) -> dict[str, FileInfo]:
        """Return the files that a queued run of ``tenant`` refers to, also those deleted meanwhile.

        Raises:
            NotFound: one of them is gone for good.
        """
        found: dict[str, FileInfo] = {}
        for file_id in dict.fromkeys(file_ids):
            for kind in (LIVE, DELETED):
                document = await self._store.get_document(kind, file_id)
                if document is not None and document.owner == tenant:
                    found[file_id] = StoredFile.model_validate_json(document.record).info
                    break
            else:
                raise NotFound(f"no such file: {file_id[:64]}", file=file_id[:64])
        return found

    async def sweep(self, retention: RetentionSettings) -> int:
        """Remove abandoned uploads, the bytes of deleted files, and files that retention no longer keeps; return how
        many files that were."""
        await asyncio.to_thread(self._storage.sweep)
        removed = 0
        async for file in self._all(DELETED):
            if file.deleted_at is None or self._clock.now() - file.deleted_at < _GRACE:
                continue
            if await self._in_use(file.tenant, file.info.id) is None:
                await self._erase(file)
                removed += 1
        tenants: dict[str, int] = {}
        async for file in self._all(LIVE):
            tenants.setdefault(file.tenant, 0)
            if _outlived(file, retention, self._clock.now()) and await self._in_use(file.tenant, file.info.id) is None:
                await self._store.put_document(
                    _document(DELETED, file.model_copy(update={"deleted_at": self._clock.now()}))
                )
                await self._store.delete_document(LIVE, file.info.id)
                await self._forget(file)
                removed += 1
        for tenant in tenants:
            await self._ledger.recount(tenant, lambda tenant=tenant: self._count(tenant))  # type: ignore[misc]
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
        index = _index(principal, sha256)
        if (known := await self._known(index)) is not None:
            return known.info, False
        now = self._clock.now()
        info = FileInfo(
            id=new_id(Kind.FILE), name=name, size_bytes=size, sha256=sha256, media_type=media_type, created_at=now
        )
        file = StoredFile(info=info, tenant=principal.tenant, created_by=principal.id)
        coming = Document(_INDEX, f"{index.owner}/+{info.id}", index.owner, now.isoformat())
        await self._ledger.reserve(principal.tenant, info.id, size, limit)
        other = None
        try:
            await self._store.put_document(coming)
            await self._wait_for_erasure(index.owner)
            await _unhurried(pending.commit, principal.tenant, sha256)
            await self._store.put_document(_document(LIVE, file))
            other = await self._enter(index, info.id)
            if other is not None:
                await self._store.delete_document(LIVE, info.id)
            await self._store.delete_document(_INDEX, coming.id)
        except BaseException:
            await asyncio.shield(self._ledger.settle(principal.tenant, info.id, stored=False))
            raise
        await asyncio.shield(self._ledger.settle(principal.tenant, info.id, stored=other is None))
        return (info, True) if other is None else (other.info, False)

    async def _enter(self, index: Document, file_id: str) -> StoredFile | None:
        """Enter a new file into the index; return the file that is there instead, if another upload was quicker."""
        mine = index._replace(record=file_id)
        while (entry := await self._store.add_document(mine)) != mine:
            if (other := await self._live(entry.record)) is not None:
                return other
            if await self._store.replace_document(mine, entry):  # that of a deleted file
                break
        return None

    async def _wait_for_erasure(self, content: str) -> None:
        """Wait while the sweep erases equal bytes: it looks for files that are coming once it has said so."""
        while (erasure := await self._store.get_document(_ERASURE, content)) is not None:
            if not self._is_fresh(erasure):
                return
            await self._clock.sleep(_POLL_S)

    def _is_fresh(self, document: Document) -> bool:
        """True unless the process that wrote ``document`` must have died since."""
        return self._clock.now() - datetime.fromisoformat(document.record) < _ABANDONED

    async def _known(self, index: Document) -> StoredFile | None:
        """Return the live file that an entry of the index leads to."""
        entry = await self._store.get_document(_INDEX, index.id)
        return await self._live(entry.record) if entry is not None else None

    async def _live(self, file_id: str) -> StoredFile | None:
        document = await self._store.get_document(LIVE, file_id)
        return StoredFile.model_validate_json(document.record) if document is not None else None

    async def _visible(self, file_id: str, principal: Principal) -> StoredFile:
        try:
            check_id(file_id, Kind.FILE)
        except InvalidRequest:
            raise NotFound("no such file") from None
        if (file := await self._live(file_id)) is None:
            raise NotFound("no such file")
        principal.require_visible(file.tenant, file.created_by, "file")
        return file

    async def _forget(self, file: StoredFile) -> None:
        """Take a file that is not live any more out of the index and the quota."""
        for document in await self._store.list_documents(_INDEX, owner=_content(file), limit=_PAGE):
            if document.record == file.info.id:
                await self._store.delete_document(_INDEX, document.id)
        await self._ledger.release(file.tenant, file.info.size_bytes)

    async def _erase(self, file: StoredFile) -> None:
        """Remove a deleted file for good, and its bytes unless another file has the same."""
        content = _content(file)
        await self._store.put_document(Document(_ERASURE, content, file.tenant, self._clock.now().isoformat()))
        try:
            if not [
                entry
                for entry in await self._store.list_documents(_INDEX, owner=content, limit=_PAGE)
                if "/+" not in entry.id or self._is_fresh(entry)
            ]:
                await asyncio.to_thread(self._storage.delete, file.tenant, file.info.sha256)
        finally:
            await self._store.delete_document(_ERASURE, content)
        await self._store.delete_document(DELETED, file.info.id)

    def _open(self, file: StoredFile) -> FileReader:
        try:
            reader = self._storage.open(file.tenant, file.info.sha256)
        except NotFound:
            raise StorageError(f"the bytes of {file.info.id} are gone from the storage of files") from None
        if reader.size_bytes != file.info.size_bytes:
            reader.close()
            raise StorageError(f"{file.info.id} is damaged: it has {reader.size_bytes} bytes")
        return reader

    async def _all(self, kind: str) -> AsyncIterator[StoredFile]:
        before = None
        while found := await self._store.list_documents(kind, before=before, limit=_PAGE):
            before = found[-1].id
            for document in found:
                yield StoredFile.model_validate_json(document.record)

    async def _count(self, tenant: str) -> int:
        total, before = 0, None
        while found := await self._store.list_documents(LIVE, owner=tenant, before=before, limit=_PAGE):
            before = found[-1].id
            total += sum(StoredFile.model_validate_json(document.record).info.size_bytes for document in found)
        return total

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


def _content(file: StoredFile) -> str:
    return f"{file.tenant}/{file.info.sha256}"


def _index(principal: Principal, sha256: str) -> Document:
    """Return the entry under which a principal finds equal bytes: the tenant's, or its own where it sees its own files
    alone. Otherwise an upload would tell whether somebody else has the same bytes, such as a hidden output."""
    content = f"{principal.tenant}/{sha256}"
    seen_by = "" if principal.has(Scope.READ) else f"/{principal.id}"
    return Document(_INDEX, content + seen_by, content, "")


def _document(kind: str, file: StoredFile) -> Document:
    return Document(kind, file.info.id, file.tenant, file.model_dump_json())


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
