"""The archive as Parquet files: one for each run, with a row for each event, in the order of ``seq``.

The file of a run is ``<collection>/<beginning of its id>/<run>.parquet``, so that folders stay small. It is written as
a whole, and on a local disk flushed before it is moved into place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import Any

from rlplatform.errors import StorageError
from rlplatform.runs.events import stream_of
from rlplatform.runs.ports import EncodedEvent
from rlplatform.storage.object_storage import as_storage_errors, file_system

_COLUMNS = ("seq", "type", "data")
_ROWS = 1000  # of a group, which is read as a whole
_FOLDER = 5  # characters of an id after its prefix: the runs of about nine hours
_ENDING = ".parquet"


class ParquetArchive:
    """The ``EventArchive`` port over files. pyarrow is loaded when it is first used.

    Args:
        url: What :func:`rlplatform.storage.open_checkpoints` takes.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _blobs(self) -> Any:
        from rlplatform.storage.blobs import open_blobs

        return open_blobs(file_system(self._url, "archive.url"))

    def write(self, run_id: str, lines: Iterable[EncodedEvent]) -> int:
        import pyarrow as pa
        from pyarrow import parquet

        schema = pa.schema([("seq", pa.int64()), ("type", pa.string()), ("data", pa.string())])
        file, written, number = BytesIO(), hashlib.sha256(), 0
        with parquet.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
            left = iter(lines)
            while batch := list(islice(left, _ROWS)):
                _check_order(run_id, batch, number)
                writer.write_table(pa.table(dict(zip(_COLUMNS, zip(*batch, strict=True), strict=True)), schema))
                _digest(written, batch)
                number += len(batch)
        self._blobs.put(_path(run_id), file.getvalue())
        found = hashlib.sha256()
        for group in self._groups(run_id):
            _digest(found, group)
        if found.digest() != written.digest():
            raise StorageError(f"the archive of {run_id} differs from what was written; its events stay in the store")
        return number

    def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent] | None:
        lines: list[EncodedEvent] = []
        file = self._open(run_id)
        if file is None:
            return None
        with as_storage_errors(), file:
            last = 0
            for number in range(file.num_row_groups):
                first, last = last + 1, last + file.metadata.row_group(number).num_rows
                if last <= after:
                    continue
                if len(lines) >= limit:
                    break
                group = _lines(file.read_row_group(number, columns=_COLUMNS))
                lines += group[max(0, after + 1 - first) :]
        return lines[:limit]

    def delete(self, run_id: str) -> None:
        self._blobs.delete(_path(run_id))

    def run_ids(self) -> Sequence[str]:
        from rlplatform.storage.trees import Tree

        names = (path.rpartition("/")[2] for path in Tree(self._url, "archive.url").paths())
        return sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING))

    def _groups(self, run_id: str) -> Iterator[Sequence[EncodedEvent]]:
        file = self._open(run_id)
        if file is None:
            return
        with as_storage_errors(), file:
            for number in range(file.num_row_groups):
                yield _lines(file.read_row_group(number, columns=_COLUMNS))

    def _open(self, run_id: str) -> Any | None:
        from pyarrow import parquet

        if (source := self._blobs.open(_path(run_id))) is None:
            return None
        with as_storage_errors():
            return parquet.ParquetFile(source, page_checksum_verification=True)


def _path(run_id: str) -> str:
    collection = stream_of(run_id).removesuffix(f"/{run_id}")
    return f"{collection}/{run_id.partition('_')[2][:_FOLDER]}/{run_id}{_ENDING}"


def _lines(table: Any) -> list[EncodedEvent]:
    return [EncodedEvent(*row) for row in zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True)]


def _digest(sum_of: Any, lines: Iterable[EncodedEvent]) -> None:
    for line in lines:
        sum_of.update(f"{line.seq} {line.type} {len(line.data)} {line.data}\n".encode())


def _check_order(run_id: str, lines: Sequence[EncodedEvent], before: int) -> None:
    if [line.seq for line in lines] != list(range(before + 1, before + 1 + len(lines))):
        raise StorageError(f"the events of {run_id} after {before} have gaps; they are not archived")
