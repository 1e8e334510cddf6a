"""Storage of runs, events, keys, checkpoints, policies and files: adapters of the ports."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from rlplatform.clock import Clock, SystemClock
from rlplatform.errors import InvalidRequest
from rlplatform.files.ports import FileStorage
from rlplatform.patterns import ACCEPTED, STORE_URL
from rlplatform.policies.ports import PolicyFiles
from rlplatform.settings import Settings, TrainingSettings
from rlplatform.store import Store
from rlplatform.training.ports import CheckpointStore


async def open_store(url: str, *, clock: Clock | None = None, namespace: str = "rlp") -> Store:
    """Open the store at ``url``, ready for use. One event loop uses it, and closes it.

    Args:
        url: ``memory://`` (a new, empty one each time), ``sqlite:///path`` (owned by one process at a time) or
            ``redis://…`` (shared by many).
        namespace: keeps several platforms on one Redis apart.

    Raises:
        InvalidRequest: the URL is none of these.
        StorageError: it cannot be opened: damaged, not ours, written by a newer version, or owned by another process.
    """
    clock = clock or SystemClock()
    scheme, path = urlsplit(url).scheme, urlsplit(url).path
    match scheme:
        case "memory":
            from rlplatform.storage.memory import MemoryStore

            return MemoryStore(clock)
        case "sqlite" if url.startswith("sqlite:///") and path.strip("/"):
            from rlplatform.storage.sqlite import SqliteStore

            return await SqliteStore.open(Path(url.removeprefix("sqlite:///")), clock)
        case "redis" | "rediss":
            from rlplatform.storage.redis import RedisStore

            return await RedisStore.open(url, clock, namespace)
    raise InvalidRequest(
        f"store URL {scheme + '://…' if scheme else url!r} is not one of {ACCEPTED[STORE_URL]}", field="store.url"
    )


def open_checkpoints(url: str, *, clock: Clock | None = None) -> CheckpointStore:
    """Open the checkpoint store at ``url``.

    Object storage takes its credentials from where its own tools do; ``s3://…?endpoint_override=…&region=…`` reaches
    other services that speak S3.

    Args:
        url: a local path, ``file:///path``, ``s3://bucket/prefix`` or ``gs://bucket/prefix``.

    Raises:
        InvalidRequest: the URL is none of these.
    """
    from rlplatform.storage.checkpoints import ArrowCheckpoints, LocalCheckpoints

    clock = clock or SystemClock()
    opened = file_system(url, "checkpoint_url")
    return LocalCheckpoints(opened, clock) if isinstance(opened, Path) else ArrowCheckpoints(*opened, clock)


def open_policies(settings: TrainingSettings) -> PolicyFiles:
    """Open the storage of published policies, at ``policy_url`` or else in a folder ``policies`` beside the
    checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes.
    """
    from rlplatform.storage.policies import ArrowPolicies, LocalPolicies

    opened = file_system(settings.policy_url or beside(settings.checkpoint_url, "policies"), "policy_url")
    return LocalPolicies(opened) if isinstance(opened, Path) else ArrowPolicies(*opened)


def open_files(settings: Settings) -> FileStorage:
    """Open the storage of uploaded files, at ``files.url`` or else in a folder ``files`` beside the checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes.
    """
    from rlplatform.storage.files import ArrowFiles, LocalFiles

    opened = file_system(settings.files.url or beside(settings.training.checkpoint_url, "files"), "files.url")
    spool = settings.files.spool_dir or settings.state_dir / "uploads"
    return LocalFiles(opened) if isinstance(opened, Path) else ArrowFiles(*opened, spool)


def beside(url: str, name: str) -> str:
    """Return the folder ``name`` beside that of ``url``: ``s3://b/checkpoints?region=r`` ->
    ``s3://b/NAME?region=r``."""
    if "://" not in url:
        return str(Path(url).parent / name)
    parts = urlsplit(url)
    return parts._replace(path=str(PurePosixPath(parts.path).parent / name)).geturl()


def file_system(url: str, field: str) -> Path | tuple[Any, str]:
    """Return a local folder, or a file system and the folder in it."""
    from pyarrow import fs

    scheme, bucket = urlsplit(url).scheme, urlsplit(url).netloc
    if not scheme or scheme == "file":
        return Path(url.removeprefix("file://"))
    if scheme in ("s3", "gs") and bucket:
        try:
            filesystem, root = fs.FileSystem.from_uri(url)
        except (ValueError, OSError) as error:
            raise InvalidRequest(f"{field} cannot be used: {error}", field=field) from None
        return filesystem, root
    raise InvalidRequest(
        f"{field} {scheme + '://…'!r} is not a path, file:///path, s3://bucket/prefix or gs://bucket/prefix",
        field=field,
    )
