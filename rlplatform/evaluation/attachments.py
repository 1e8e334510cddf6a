"""Uploaded files in an evaluation's request: where they are, whether they may be there, and how they get to a node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from pydantic import BaseModel

from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest, NotFound, PlatformError, StorageError
from rlplatform.evaluation.archives import open_reader, unpack
from rlplatform.evaluation.kept_files import MadeFile
from rlplatform.evaluation.models import EvaluationRequest, KeptFile
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.evaluation.sources import SourceFile
from rlplatform.evaluation.submissions import build_program
from rlplatform.files.models import ZIP, DataFile, FileInfo, FileRef, LocalData, LocalFile, UnpackedFile
from rlplatform.files.node_cache import NodeCache
from rlplatform.files.ports import FileReader
from rlplatform.files.service import FileService
from rlplatform.runs.ports import RunStore
from rlplatform.sandbox.models import MAX_OUTPUT_FILE_BYTES
from rlplatform.sandbox.programs import MAX_PROGRAM_BYTES

log = logging.getLogger(__name__)

_PAGE = 20
_UNFINISHED = ("queued", "running")
_WITH_FILES = ("source", "files", "checker", "grader", "data", "tests")


class Attachment(NamedTuple):
    """A file that a request refers to, and the dotted path of the field that does."""

    field: str
    file_id: str


def attachments(request: EvaluationRequest) -> Iterator[Attachment]:
    """Yield the files that ``request`` refers to."""
    for field in _WITH_FILES:
        yield from _attachments_in(getattr(request, field), field)


def _attachments_in(value: Any, field: str) -> Iterator[Attachment]:
    """Yield the files in ``value``, which is the field ``field`` of a request, at any depth."""
    if isinstance(value, FileRef):
        yield Attachment(field, value.file)
    elif isinstance(value, DataFile):
        yield Attachment(f"{field}.file", value.file)
    elif _holds_models(value):
        for index, item in enumerate(value):
            yield from _attachments_in(item, f"{field}.{index}")
    elif isinstance(value, BaseModel):
        for name, item in value:
            yield from _attachments_in(item, f"{field}.{name}")


def _holds_models(value: object) -> bool:
    """Return True for a list of models. Lists of a test's arguments can be long, and hold no files."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], BaseModel)


def attach(request: EvaluationRequest, paths: Mapping[str, Path], archives: Collection[str] = ()) -> EvaluationRequest:
    """Return ``request`` with its files where they are on this node.

    Args:
        archives: ids of files that are ZIP archives: as the source, one is unpacked.
    """
    if isinstance(request.source, FileRef) and request.source.file in archives:
        with paths[request.source.file].open("rb") as archive:
            request = with_unpacked(request, unpack(archive, request.entry))
    return request.model_copy(update={name: _placed(getattr(request, name), paths) for name in _WITH_FILES})


def _placed(value: Any, paths: Mapping[str, Path]) -> Any:
    """Return ``value`` with the files in it, at any depth, where they are on this node."""
    if isinstance(value, UnpackedFile):
        return value
    if isinstance(value, FileRef):
        return LocalFile(file=value.file, path=paths[value.file])
    if isinstance(value, DataFile):
        return LocalData(path=value.path, file=value.file, local=paths[value.file])
    if _holds_models(value):
        return [_placed(item, paths) for item in value]
    if isinstance(value, BaseModel):
        found = {name: placed for name, item in value if (placed := _placed(item, paths)) is not item}
        return value.model_copy(update=found) if found else value
    return value


def with_unpacked(request: EvaluationRequest, files: Mapping[str, bytes]) -> EvaluationRequest:
    """Return ``request`` with the files of an archive in place of its source, before its own files."""
    assert isinstance(request.source, FileRef)
    archive = request.source.file
    unpacked = {path: UnpackedFile(file=archive, content=content) for path, content in files.items()}
    source = unpacked.pop(request.entry)
    further = [SourceFile(path=path, content=content) for path, content in unpacked.items()]
    return request.model_copy(update={"source": source, "files": [*further, *request.files]})


async def check_attachments(
    request: EvaluationRequest,
    service: FileService | None,
    principal: Principal,
    cache_bytes: int,
    *,
    required: Sequence[str] = (),
) -> None:
    """Check that the files exist, are the principal's to use, and fit.

    Args:
        cache_bytes: how many bytes of files a node can have at one time.
        required: paths that an archive must have.

    Raises:
        InvalidRequest: one of them does not; ``field`` says where.
    """
    found = list(attachments(request))
    if not found:
        return
    if service is None:
        raise InvalidRequest("this deployment keeps no files", field=found[0].field)
    try:
        infos = await service.check([one.file_id for one in found], principal)
    except NotFound as missing:
        field = next(one.field for one in found if one.file_id == missing.extra["file"])
        raise InvalidRequest(
            f"{field}: {missing}; upload it with POST /v1/files or rlp files put", field=field
        ) from None
    _check_sizes(request, found, infos, cache_bytes)
    if isinstance(request.source, FileRef) and infos[request.source.file].media_type == ZIP:
        reader = await service.open(request.source.file, principal)
        await asyncio.to_thread(_check_archive, request, reader, required)


def _check_archive(request: EvaluationRequest, reader: FileReader, required: Sequence[str]) -> None:
    with open_reader(reader) as archive:
        files = unpack(archive, request.entry)
    if (missing := next((path for path in required if path not in files), None)) is not None:
        raise InvalidRequest(f"the archive has no {missing!r}; it needs {', '.join(required)}", field="source")
    try:
        build_program(with_unpacked(request, files))
    except InvalidRequest as error:
        raise InvalidRequest(f"source: the archive does not go with the request: {error}", field="source") from None


def _check_sizes(
    request: EvaluationRequest, found: list[Attachment], infos: Mapping[str, FileInfo], cache_bytes: int
) -> None:
    total = sum(info.size_bytes for info in infos.values())
    if total > cache_bytes:
        raise InvalidRequest(
            f"the files of the request have {total} bytes; a node takes {cache_bytes} at the most "
            "(RLP_FILES__CACHE_BYTES)",
            field=found[0].field,
        )
    program = sum(
        infos[value.file].size_bytes if isinstance(value, FileRef) else len(value.encode())
        for value in (request.source, *(file.content for file in request.files))
        if value is not request.source or not isinstance(value, FileRef) or infos[value.file].media_type != ZIP
    )
    if program > MAX_PROGRAM_BYTES:
        raise InvalidRequest(
            f"source and files have {program} bytes; at most {MAX_PROGRAM_BYTES} are accepted; larger files go into "
            "data",
            field="files",
        )
    most = request.limits.output_kib * 1024
    for one in found:
        if ".expect_files." in one.field and infos[one.file_id].size_bytes > MAX_OUTPUT_FILE_BYTES:
            raise InvalidRequest(
                f"{one.field}: {one.file_id} has {infos[one.file_id].size_bytes} bytes; a program can write files of "
                f"{MAX_OUTPUT_FILE_BYTES} at the most",
                field=one.field,
            )
        if one.field.endswith(".expected_stdout") and (size := infos[one.file_id].size_bytes) > most:
            raise InvalidRequest(
                f"{one.field}: {one.file_id} has {size} bytes, but limits.output_kib lets a program print {most}; "
                f"raise limits.output_kib to {-(-size // 1024)} or more",
                field=one.field,
            )


class AttachedFiles:
    """Gets the files of runs to this node. Either of ``service`` and ``cache`` None: there are no files here."""

    def __init__(self, service: FileService | None, cache: NodeCache | None) -> None:
        self._service = service
        self._cache = cache

    async def find(self, run: EvaluationRun) -> Sequence[FileInfo]:
        """Return the files that ``run`` refers to.

        Raises:
            StorageError: one of them is gone.
        """
        ids = [one.file_id for one in attachments(run.request)]
        if not ids:
            return ()
        if self._service is None:
            raise StorageError("this node has no storage of files")
        try:
            return list((await self._service.resolve(ids, run.tenant)).values())
        except NotFound as missing:
            raise StorageError(f"{run.id} refers to a file that is gone: {missing}") from None

    async def keep(self, run: EvaluationRun, made: Sequence[MadeFile]) -> tuple[list[KeptFile], list[str]]:
        """Keep files that ``run`` has made, as uploads of its submitter; those of hidden tests belong to staff alone.

        Returns:
            The files, and what to tell the submitter of each that cannot be kept.
        """
        kept: list[KeptFile] = []
        faults: list[str] = []
        for one in made:
            owner = Principal(id="" if one.hidden else run.created_by, tenant=run.tenant, scopes=frozenset())
            try:
                if self._service is None:
                    raise StorageError("this deployment keeps no files")
                info, _ = await self._service.upload(PurePosixPath(one.path).name, None, owner, _whole(one.content))
            except PlatformError as error:
                log.warning("%s: %s is not kept: %s", run.id, one.path, error)
                if not one.hidden:
                    faults.append(f"{one.path} is not kept: {error}")
            else:
                kept.append(KeptFile(path=one.path, file=info.id, size_bytes=info.size_bytes, test=one.test))
        return kept, faults

    @contextmanager
    def fetched(self, run: EvaluationRun, infos: Sequence[FileInfo]) -> Iterator[EvaluationRequest]:
        """Yield the request of ``run`` with its files on this node, where they stay for as long as the context lasts.
        Blocking."""
        if not infos:
            yield run.request
            return
        if self._cache is None:
            raise StorageError("this node keeps no files")
        with self._cache.holding(run.tenant, infos) as paths:
            yield attach(run.request, paths, {info.id for info in infos if info.media_type == ZIP})


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def evaluation_that_uses(store: RunStore, tenant: str, file_id: str) -> str | None:
    """Return the id of an unfinished evaluation of ``tenant`` that refers to a file; None if there is none."""
    before = None
    while page := await store.find("evaluation", tenant=tenant, states=_UNFINISHED, before=before, limit=_PAGE):
        for run in page:
            if isinstance(run, EvaluationRun) and any(one.file_id == file_id for one in attachments(run.request)):
                return run.id
        before = page[-1].id
    return None
