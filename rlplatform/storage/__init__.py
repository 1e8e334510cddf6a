"""Storage of runs, events, keys, checkpoints, policies, episodes and files: adapters of the ports."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from rlplatform.clock import Clock, SystemClock
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import InvalidRequest
from rlplatform.files.ports import FileStorage
from rlplatform.patterns import ACCEPTED, STORE_URL
from rlplatform.policies.ports import PolicyArchives
from rlplatform.runs.archive import EventArchive
from rlplatform.settings import Settings, TrainingSettings
from rlplatform.storage.object_storage import beside, file_system
from rlplatform.store import Store
from rlplatform.training.ports import CheckpointStore


async def open_platform_store(settings: Settings) -> Store:
    """Open the store of the settings. Events that it has dropped are read from the archive.

    Raises:
        InvalidRequest: a URL is none that is accepted.
        StorageError: see :func:`open_store`.
    """
    from rlplatform.storage.archive.store import ArchivedStore

    return ArchivedStore(await open_store(settings.store.url), open_archive(settings))


async def open_store(url: str, *, clock: Clock | None = None, namespace: str = "rlp") -> Store:
    """Open the store at ``url`` without the archive, ready for use. One event loop uses it, and closes it.

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
            from rlplatform.storage.sqlite.store import SqliteStore

            return await SqliteStore.open(Path(url.removeprefix("sqlite:///")), clock)
        case "redis" | "rediss":
            from rlplatform.storage.redis.store import RedisStore

            return await RedisStore.open(url, clock, namespace)
    raise InvalidRequest(
        f"store URL {scheme + '://…' if scheme else url!r} is not one of {ACCEPTED[STORE_URL]}", field="store.url"
    )


def open_archive(settings: Settings) -> EventArchive:
    """Open the archive of events, at ``archive.url`` or else in a folder ``archive`` beside the checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes. It is raised when the archive is used.
    """
    from rlplatform.storage.archive.parquet import ParquetArchive

    return ParquetArchive(settings.archive.url or beside(settings.training.checkpoint_url, "archive"))


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


def open_policies(settings: TrainingSettings) -> PolicyArchives:
    """Open the storage of published policies, at ``policy_url`` or else in a folder ``policies`` beside the
    checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes.
    """
    from rlplatform.storage.blobs import open_blobs
    from rlplatform.storage.policy_archives import BlobPolicies

    url = settings.policy_url or beside(settings.checkpoint_url, "policies")
    return BlobPolicies(open_blobs(file_system(url, "policy_url")))


def open_episodes(settings: Settings) -> EpisodeStore:
    """Open the storage of recorded episodes, at ``episodes.url`` or else in a folder ``episodes`` beside the
    checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes.
    """
    from rlplatform.storage.blobs import open_blobs
    from rlplatform.storage.episodes import BlobEpisodes

    url = settings.episodes.url or beside(settings.training.checkpoint_url, "episodes")
    return BlobEpisodes(open_blobs(file_system(url, "episodes.url")))


def open_files(settings: Settings) -> FileStorage:
    """Open the storage of uploaded files, at ``files.url`` or else in a folder ``files`` beside the checkpoints.

    Raises:
        InvalidRequest: the URL is none that :func:`open_checkpoints` takes.
    """
    from rlplatform.storage.files import ArrowFiles, LocalFiles

    opened = file_system(settings.files.url or beside(settings.training.checkpoint_url, "files"), "files.url")
    spool = settings.files.spool_dir or settings.state_dir / "uploads"
    return LocalFiles(opened) if isinstance(opened, Path) else ArrowFiles(*opened, spool)
