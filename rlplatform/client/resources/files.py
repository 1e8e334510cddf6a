"""Calls for uploaded files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from rlplatform.client.async_transport import AsyncTransport
from rlplatform.client.call import Call, nothing, reads, segment
from rlplatform.client.uploads import Upload
from rlplatform.files.models import FileInfo
from rlplatform.runs.pages import Page


class FileCalls(AsyncTransport):
    """Upload files, save them, and delete them."""

    async def upload_file(
        self,
        source: Path | bytes,
        *,
        name: str | None = None,
        media_type: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> FileInfo:
        """Upload a file, a piece at a time; return it. Equal bytes are the file that is there already.

        Args:
            source: a path, or the bytes themselves.
            name: what the file is called; without it the name of the path, or ``data``.
            media_type: without it, the one that goes with the name.
            progress: called with the bytes sent and the bytes in all.

        Raises:
            QuotaExceeded: it does not fit into the tenant's quota.
            TooLarge: it is larger than the platform accepts.
        """
        called = name if name is not None else "data" if isinstance(source, bytes) else source.name
        headers = {} if media_type is None else {"Content-Type": media_type}
        call = Call("POST", "/v1/files", reads(FileInfo), {"name": called}, headers=headers)
        return await self._send(call, Upload(source, progress))

    async def file(self, file_id: str) -> FileInfo:
        """Return the name, size and hash of a file.

        Raises:
            NotFound: there is no such file.
        """
        return await self._send(Call("GET", f"/v1/files/{segment(file_id)}", reads(FileInfo)))

    def files(self, *, page_size: int = 50) -> AsyncIterator[FileInfo]:
        """Yield all files, newest first; pages are fetched as they are needed."""
        return self._pages("/v1/files", Page[FileInfo], page_size)

    async def download_file(
        self, file_id: str, target: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Save a file as ``target``, which appears only once it is complete.

        Args:
            progress: called with the bytes received and the bytes in all.
        """
        return await self._download(f"/v1/files/{segment(file_id)}/content", target, progress)

    async def delete_file(self, file_id: str) -> None:
        """Delete a file for good.

        Raises:
            Conflict: an unfinished run refers to it.
        """
        await self._send(Call("DELETE", f"/v1/files/{segment(file_id)}", nothing))
