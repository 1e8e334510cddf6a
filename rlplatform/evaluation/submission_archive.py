"""Submitted program as one ZIP archive, to download."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import Mapping

from rlplatform.access.principals import Principal
from rlplatform.errors import NotFound, Unavailable
from rlplatform.evaluation.archives import open_reader, unpack
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.files.models import ZIP, FileRef
from rlplatform.files.service import FileService


async def submission_archive(request: EvaluationRequest, files: FileService | None, principal: Principal) -> bytes:
    """Return a ZIP archive of the program and its further files, without uploaded data.

    An uploaded archive that is the whole program is unpacked, so that all downloads look alike. The program is at most
    ``MAX_PROGRAM_BYTES`` large.

    Raises:
        NotFound: an uploaded file of the program has been deleted.
        Unavailable: this deployment keeps no files.
    """
    found: dict[str, bytes] = {}
    if isinstance(request.source, FileRef) and await _is_archive(request.source, files, principal):
        packed = await _read(request.source, files, principal)
        found |= await asyncio.to_thread(unpack, io.BytesIO(packed), request.entry)
    else:
        found[request.entry] = await _content(request.source, files, principal)
    for file in request.files:
        found[file.path] = await _content(file.content, files, principal)
    return await asyncio.to_thread(_pack, found)


def _pack(contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            entry = zipfile.ZipInfo(path)  # of 1980: equal submissions have equal archives
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


async def _content(value: str | FileRef, files: FileService | None, principal: Principal) -> bytes:
    return await _read(value, files, principal) if isinstance(value, FileRef) else value.encode()


async def _is_archive(ref: FileRef, files: FileService | None, principal: Principal) -> bool:
    return (await _service(files).find(ref.file, principal)).media_type == ZIP


async def _read(ref: FileRef, files: FileService | None, principal: Principal) -> bytes:
    try:
        reader = await _service(files).open(ref.file, principal)
    except NotFound:
        raise NotFound(f"the submitted file {ref.file} has been deleted") from None

    def read() -> bytes:
        with open_reader(reader) as stream:
            return stream.read()

    return await asyncio.to_thread(read)


def _service(files: FileService | None) -> FileService:
    if files is None:
        raise Unavailable("this deployment keeps no files")
    return files
