"""Where runs, events, keys and checkpoints are kept: adapters of the ``Store`` and ``CheckpointStore`` ports."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from rlplatform.clock import SystemClock
from rlplatform.errors import InvalidRequest
from rlplatform.ports import CheckpointStore, Clock, Store

ACCEPTED = "memory://, sqlite:///relative/path.db, sqlite:////absolute/path.db, redis://host:6379/0 or rediss://…"


async def open_store(url: str, *, clock: Clock | None = None, namespace: str = "rlp") -> Store:
    """The store at ``url``, ready for use; one event loop uses it, and closes it.

    :param url: ``memory://`` (a new, empty one each time), ``sqlite:///path`` (owned by one process at a time) or
        ``redis://…`` (shared by many).
    :param namespace: keeps several platforms on one Redis apart.
    :raises InvalidRequest: the URL is none of these.
    :raises StorageError: it cannot be opened: damaged, not ours, written by a newer version, owned by another process.
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
        f"store URL {scheme + '://…' if scheme else url!r} is not one of {ACCEPTED}", field="store.url"
    )


def open_checkpoints(url: str, *, clock: Clock | None = None) -> CheckpointStore:
    """The checkpoint store at ``url``: a local path, ``file:///path``, ``s3://bucket/prefix`` or ``gs://bucket/prefix``.

    Object storage takes its credentials from where its own tools do; ``s3://…?endpoint_override=…&region=…`` reaches
    others that speak S3.

    :raises InvalidRequest: the URL is none of these.
    """
    from pyarrow import fs

    from rlplatform.storage.checkpoints import ArrowCheckpoints, LocalCheckpoints

    clock = clock or SystemClock()
    scheme, bucket = urlsplit(url).scheme, urlsplit(url).netloc
    if not scheme or scheme == "file":
        return LocalCheckpoints(Path(url.removeprefix("file://")), clock)
    if scheme in ("s3", "gs") and bucket:
        try:
            filesystem, root = fs.FileSystem.from_uri(url)
        except (ValueError, OSError) as error:
            raise InvalidRequest(f"the checkpoint URL cannot be used: {error}", field="checkpoint_url") from None
        return ArrowCheckpoints(filesystem, root, clock)
    raise InvalidRequest(
        f"checkpoint URL {scheme + '://…'!r} is not a path, file:///path, s3://bucket/prefix or gs://bucket/prefix",
        field="checkpoint_url",
    )
