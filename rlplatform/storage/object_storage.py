"""File systems of checkpoints and archives: local disk, S3 or Google Cloud Storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from rlplatform.errors import InvalidRequest, StorageError


def beside(url: str, name: str) -> str:
    """Return the folder ``name`` beside that of ``url``: ``s3://b/checkpoints?region=r`` ->
    ``s3://b/NAME?region=r``."""
    if "://" not in url:
        return str(Path(url).parent / name)
    parts = urlsplit(url)
    return parts._replace(path=str(PurePosixPath(parts.path).parent / name)).geturl()


def file_system(url: str, field: str) -> Path | tuple[Any, str]:
    """Return a local folder, or a file system and the folder in it."""
    scheme, bucket = urlsplit(url).scheme, urlsplit(url).netloc
    if not scheme or scheme == "file":
        return Path(url.removeprefix("file://"))
    if scheme in ("s3", "gs") and bucket:
        from pyarrow import fs

        try:
            filesystem, root = fs.FileSystem.from_uri(url)
        except (ValueError, OSError) as error:
            raise InvalidRequest(f"{field} cannot be used: {error}", field=field) from None
        return filesystem, root
    raise InvalidRequest(
        f"{field} {scheme + '://…'!r} is not a path, file:///path, s3://bucket/prefix or gs://bucket/prefix",
        field=field,
    )


def flush(folder: Path) -> None:
    """Have the disk hold ``folder`` and all that is in it."""
    for path in [folder, *folder.rglob("*")]:
        flush_file(path)


def flush_file(path: Path) -> None:
    """Have the disk hold one file, or one folder's entries."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def as_storage_errors() -> Iterator[None]:
    """Convert errors of a file system to :class:`StorageError`."""
    from pyarrow import ArrowException

    try:
        yield
    except (OSError, ArrowException) as error:
        raise StorageError(f"storage of checkpoints, policies and files failed: {error}") from error
