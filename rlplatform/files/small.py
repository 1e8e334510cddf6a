"""Small uploaded files as text or bytes, for requests that keep the content."""

from __future__ import annotations

import asyncio

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest, NotFound
from rlplatform.files.service import FileService


async def read_small(
    files: FileService | None, file_id: str, principal: Principal, max_bytes: int, *, field: str
) -> bytes:
    """Return the content of an uploaded file that ``field`` of a request names.

    Raises:
        InvalidRequest: there is no such file that the principal sees, or it is larger than ``max_bytes``.
    """
    if files is None:
        raise InvalidRequest("this deployment keeps no files", field=field)
    try:
        reader = await files.open(file_id, principal)
    except NotFound as missing:
        raise InvalidRequest(f"{field}: {missing}; upload it with rlp files put", field=field) from None
    try:
        if reader.size_bytes > max_bytes:
            raise InvalidRequest(
                f"{field}: {file_id} has {reader.size_bytes:,} bytes; at most {max_bytes:,} are accepted", field=field
            )
        return await asyncio.to_thread(reader.read_at, 0, reader.size_bytes)
    finally:
        await asyncio.to_thread(reader.close)


async def read_text(
    files: FileService | None, file_id: str, principal: Principal, max_bytes: int, *, field: str
) -> str:
    """Return a file as :func:`read_small` does, decoded as UTF-8. Raises ``InvalidRequest`` if it is no such text."""
    content = await read_small(files, file_id, principal, max_bytes, field=field)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(f"{field}: {file_id} is not UTF-8 text", field=field) from None
