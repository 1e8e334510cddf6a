"""Records of files in the store: by id, and by content so that equal bytes are found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from rlplatform.access.principals import Principal, Scope
from rlplatform.clock import Clock
from rlplatform.files.models import StoredFile
from rlplatform.store import Document, DocumentStore

_LIVE, _DELETED, _INDEX, _ERASURE = "file", "file.deleted", "file.hash", "file.erasure"
_PAGE = 200
_POLL_S = 0.05
_ABANDONED = timedelta(hours=1)


class FileRecords:
    """Documents of all tenants' files. Stateless: any number of processes may have one.

    A file is *live* until it is deleted. A deleted file keeps its record until its bytes are erased. The index leads
    from equal bytes to a live file.
    """

    def __init__(self, store: DocumentStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    # -- by id ---------------------------------------------------------------------------------------------------------

    async def live(self, file_id: str) -> StoredFile | None:
        """Return a live file; None if there is none."""
        return _stored(await self._store.get_document(_LIVE, file_id))

    async def live_or_deleted(self, file_id: str) -> StoredFile | None:
        """Return a file whose bytes have not been erased; None if there is none."""
        return await self.live(file_id) or _stored(await self._store.get_document(_DELETED, file_id))

    async def page(self, tenant: str, before: str | None, limit: int) -> tuple[list[StoredFile], str | None]:
        """Return live files of a tenant, newest first, and the cursor of the next page."""
        found = await self._store.list_documents(_LIVE, owner=tenant, before=before, limit=limit + 1)
        cursor = found[limit - 1].id if len(found) > limit else None
        return [StoredFile.model_validate_json(document.record) for document in found[:limit]], cursor

    def all_live(self, tenant: str | None = None) -> AsyncIterator[StoredFile]:
        """Yield all live files, of one tenant or of all."""
        return self._all(_LIVE, tenant)

    def all_deleted(self) -> AsyncIterator[StoredFile]:
        """Yield all files that are deleted, but not erased."""
        return self._all(_DELETED)

    async def touch(self, file: StoredFile) -> None:
        """Note that a file is used now, unless it changes at the same time."""
        touched = file.model_copy(update={"used_at": self._clock.now()})
        await self._store.replace_document(_document(_LIVE, touched), _document(_LIVE, file))

    async def delete(self, file: StoredFile) -> None:
        """Make a live file a deleted one."""
        deleted = file.model_copy(update={"deleted_at": self._clock.now()})
        await self._store.put_document(_document(_DELETED, deleted))
        await self._store.delete_document(_LIVE, file.info.id)

    async def restore(self, file: StoredFile) -> None:
        """Undo :meth:`delete`."""
        await self._store.put_document(_document(_LIVE, file))
        await self._store.delete_document(_DELETED, file.info.id)

    async def drop(self, file: StoredFile) -> None:
        """Remove the record of a deleted file."""
        await self._store.delete_document(_DELETED, file.info.id)

    # -- by content ----------------------------------------------------------------------------------------------------

    async def equal(self, principal: Principal, sha256: str) -> StoredFile | None:
        """Return the live file with these bytes that the principal sees; None if there is none."""
        entry = await self._store.get_document(_INDEX, _index(principal, sha256).id)
        return await self.live(entry.record) if entry is not None else None

    @asynccontextmanager
    async def coming(self, file: StoredFile) -> AsyncIterator[None]:
        """Keep equal bytes from being erased while the context lasts; wait first while they are."""
        content = _content(file)
        entry = Document(_INDEX, f"{content}/+{file.info.id}", content, self._clock.now().isoformat())
        await self._store.put_document(entry)
        while (erasure := await self._store.get_document(_ERASURE, content)) is not None and self._is_fresh(erasure):
            await self._clock.sleep(_POLL_S)
        yield
        await self._store.delete_document(_INDEX, entry.id)

    async def add(self, file: StoredFile, principal: Principal) -> StoredFile | None:
        """Add a live file, and enter it into the index.

        Returns:
            The file that is there instead, if another upload of equal bytes was quicker.
        """
        await self._store.put_document(_document(_LIVE, file))
        mine = _index(principal, file.info.sha256)._replace(record=file.info.id)
        while (entry := await self._store.add_document(mine)) != mine:
            if (other := await self.live(entry.record)) is not None:
                await self._store.delete_document(_LIVE, file.info.id)
                return other
            if await self._store.replace_document(mine, entry):  # the entry was of a deleted file
                break
        return None

    async def forget(self, file: StoredFile) -> None:
        """Remove a file from the index."""
        for entry in await self._store.list_documents(_INDEX, owner=_content(file), limit=_PAGE):
            if entry.record == file.info.id:
                await self._store.delete_document(_INDEX, entry.id)

    @asynccontextmanager
    async def erasing(self, file: StoredFile) -> AsyncIterator[bool]:
        """Have uploads of equal bytes wait while the context lasts; yield True if no other file has these bytes."""
        content = _content(file)
        await self._store.put_document(Document(_ERASURE, content, file.tenant, self._clock.now().isoformat()))
        try:
            entries = await self._store.list_documents(_INDEX, owner=content, limit=_PAGE)
            yield not any("/+" not in entry.id or self._is_fresh(entry) for entry in entries)
        finally:
            await self._store.delete_document(_ERASURE, content)

    def _is_fresh(self, document: Document) -> bool:
        """Return False if the process that wrote ``document`` must have died since."""
        return self._clock.now() - datetime.fromisoformat(document.record) < _ABANDONED

    async def _all(self, kind: str, tenant: str | None = None) -> AsyncIterator[StoredFile]:
        before = None
        while found := await self._store.list_documents(kind, owner=tenant, before=before, limit=_PAGE):
            before = found[-1].id
            for document in found:
                yield StoredFile.model_validate_json(document.record)


def _content(file: StoredFile) -> str:
    return f"{file.tenant}/{file.info.sha256}"


def _index(principal: Principal, sha256: str) -> Document:
    """Return the entry under which a principal finds equal bytes.

    It is the tenant's entry, or the principal's own if it sees its own files alone. Otherwise an upload would tell
    whether somebody else has the same bytes, for example a hidden output.
    """
    content = f"{principal.tenant}/{sha256}"
    seen_by = "" if principal.has(Scope.READ) else f"/{principal.id}"
    return Document(_INDEX, content + seen_by, content, "")


def _document(kind: str, file: StoredFile) -> Document:
    return Document(kind, file.info.id, file.tenant, file.model_dump_json())


def _stored(document: Document | None) -> StoredFile | None:
    return StoredFile.model_validate_json(document.record) if document is not None else None
