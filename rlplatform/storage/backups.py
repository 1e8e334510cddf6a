"""Back-ups of a platform in a local folder: its store, checkpoints, policies, episodes, files and pepper.

The platform may run while it is backed up, and must be stopped while it is restored.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from rlplatform.clock import Clock
from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, NotFound, StorageError
from rlplatform.ids import Kind
from rlplatform.json_models import StrictModel
from rlplatform.settings import Settings
from rlplatform.storage import open_archive, open_checkpoints
from rlplatform.storage.archive.parquet import ParquetArchive
from rlplatform.storage.object_storage import beside, flush, flush_file
from rlplatform.storage.sqlite import copies as sqlite_copies
from rlplatform.storage.trees import SUMS, Tree, check_sums, file_sha256, write_sums
from rlplatform.training.ports import CheckpointStore

FORMAT = 1
MANIFEST, PEPPER = "backup.json", "pepper"
_STORES = {"sqlite": "platform.db", "redis": "redis.db"}
_PASSES = 3  # over the checkpoints of a training that makes new ones meanwhile


class BackupManifest(StrictModel):
    """Content of a back-up. It is written last: a folder without it is not a complete back-up."""

    format: int = FORMAT
    """Format of the folder."""
    created_at: datetime
    """Time at which the back-up was begun."""
    version: str
    """Version of the platform that made it."""
    store: Literal["sqlite", "redis"]
    """Kind of the store, which it can be restored into."""
    sums_sha256: str
    """SHA-256 of the file with the sums of all others."""
    runs: int
    """Number of runs."""
    events: int
    """Number of their events."""
    checkpoints: int
    """Number of checkpoints."""
    damaged_checkpoints: list[str]
    """Checkpoints that are not in the back-up because their files are damaged."""
    missing_archives: list[str] = Field(default_factory=list)
    """Runs whose archived events are not in the back-up because their file is missing."""
    files: int
    """Number of files of policies, episodes, uploads and the archive, with what belongs to them."""
    pepper: bool
    """True if the pepper is in the back-up. Without it no API key is valid."""


class Copied(NamedTuple):
    """Number of checkpoints that were copied; ids of damaged ones."""

    number: int
    damaged: list[str]


async def back_up(settings: Settings, folder: Path, clock: Clock, *, namespace: str = "rlp") -> BackupManifest:
    """Back the platform up into the new or empty ``folder``, and check the copy.

    The store is copied before files, so that what the store names is there and checkpoints are at least as new as
    their trainings. The archive is copied before and after the store: events are either in the copy of the store or in
    that of the archive, even if they are archived or removed meanwhile.

    Raises:
        Conflict: ``folder`` has something in it.
        InvalidRequest: the store is in memory.
        StorageError: something cannot be read or written, or a stream lacks events.
    """
    kind = _kind(settings)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} exists and is not an empty folder: name a new one for each back-up")
    with _as_storage_errors(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # it holds the pepper, and hidden tests
    began, copy = clock.now(), folder / _STORES[kind]
    archive = dict(_trees(settings))["archive"]
    files = await asyncio.to_thread(archive.copy_to, Tree(str(folder / "archive"), "archive"))
    if kind == "sqlite":
        await asyncio.to_thread(sqlite_copies.copy_out, _path(settings), copy)
        streams = await asyncio.to_thread(sqlite_copies.streams, copy)
    else:
        from rlplatform.storage.redis.copies import RedisCopier, streams_of  # the package redis is the server's

        copier = RedisCopier(settings.store.url, clock, namespace)
        try:
            await copier.copy_out(copy)
        finally:
            await copier.close()
        streams = streams_of(copy)
    made = open_checkpoints(str(folder / "checkpoints"), clock=clock)
    kept = open_checkpoints(settings.training.checkpoint_url, clock=clock)
    copied = await asyncio.to_thread(_copy_checkpoints, kept, made, streams.seqs)
    for name, tree in _trees(settings):
        files += await asyncio.to_thread(tree.copy_to, Tree(str(folder / name), name))
    with _as_storage_errors(folder):
        if pepper := _pepper(settings):
            _write_secret(folder / PEPPER, pepper)
        await asyncio.to_thread(write_sums, folder)
        manifest = BackupManifest(
            created_at=began,
            version=version("rlplatform"),
            store=kind,
            sums_sha256=file_sha256(folder / SUMS),
            runs=len(streams.seqs),
            events=sum(streams.seqs.values()),
            checkpoints=copied.number,
            damaged_checkpoints=copied.damaged,
            missing_archives=sorted(streams.archived - set(_archived(folder))),
            files=files,
            pepper=bool(pepper),
        )
        await asyncio.to_thread(flush, folder)
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=1) + "\n")
        flush_file(folder / MANIFEST)
        flush_file(folder)
    return manifest


async def restore(settings: Settings, folder: Path, clock: Clock, *, namespace: str = "rlp") -> BackupManifest:
    """Restore the back-up in ``folder`` where there is no store yet, and compare each stream's ``seq`` with it.

    Checkpoints and files that exist stay: a training continues from its newest checkpoint, even if that is newer than
    the back-up.

    Raises:
        NotFound: there is no complete back-up in ``folder``.
        InvalidRequest: the back-up is of another kind of store than that of the settings.
        Conflict: there is a store or another pepper already, or a platform uses the store.
        StorageError: the back-up is damaged or of another version, or something cannot be written.
    """
    manifest = await asyncio.to_thread(read_manifest, folder)
    if (kind := _kind(settings)) != manifest.store:
        raise InvalidRequest(
            f"{folder} is a back-up of a {manifest.store} store, and RLP_STORE__URL names a {kind} store: set it to a "
            f"{manifest.store} store",
            field="store.url",
        )
    copy = folder / _STORES[kind]
    pepper = (folder / PEPPER).read_text() if manifest.pepper else ""
    _check_pepper(settings, folder, pepper)
    if kind == "sqlite":
        expected = await asyncio.to_thread(sqlite_copies.streams, copy)
        await sqlite_copies.check_free(_path(settings), clock)
        await _restore_files(settings, folder, clock, expected.seqs)
        await sqlite_copies.put_in_place(copy, _path(settings), clock)
        found = await asyncio.to_thread(sqlite_copies.streams, _path(settings))
    else:
        from rlplatform.storage.redis.copies import RedisCopier, streams_of

        expected = streams_of(copy)
        copier = RedisCopier(settings.store.url, clock, namespace)
        try:
            await copier.check_free()
            await _restore_files(settings, folder, clock, expected.seqs)
            await copier.put_in_place(copy)
            found = await copier.streams()
        finally:
            await copier.close()
    old, new = expected.seqs, found.seqs
    if differing := sorted(run for run in old.keys() | new if old.get(run) != new.get(run)):
        raise StorageError(
            f"{len(differing)} streams are not as in the back-up, {differing[0]} among them: does something else write "
            "to this store? Stop it, empty the store and restore again"
        )
    there = await asyncio.to_thread(open_archive(settings).run_ids)
    if lacking := found.archived.difference(there, manifest.missing_archives):
        raise StorageError(f"the archived events of {len(lacking)} runs are not restored, {min(lacking)} among them")
    if pepper and not _pepper(settings):
        with _as_storage_errors(settings.state_dir):
            _write_secret(settings.state_dir / PEPPER, pepper)
    return manifest


def read_manifest(folder: Path) -> BackupManifest:
    """Read the manifest of the back-up in ``folder``, and check all files of the back-up.

    Raises:
        NotFound: there is no complete back-up in ``folder``.
        StorageError: it is damaged, or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = BackupManifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NotFound(f"there is no complete back-up in {folder}: {MANIFEST}: {error.strerror}") from None
    except ValidationError:
        raise StorageError(f"{path} cannot be read: it is damaged, or of another version of the platform") from None
    if manifest.format != FORMAT:
        raise StorageError(
            f"{folder} is a back-up of format {manifest.format}, made by version {manifest.version}; this version of "
            f"the platform restores format {FORMAT}: restore it with the version that made it"
        )
    if file_sha256(folder / SUMS) != manifest.sums_sha256:
        raise StorageError(f"{folder / SUMS} is not as it was backed up: use another back-up")
    check_sums(folder)
    return manifest


async def _restore_files(settings: Settings, folder: Path, clock: Clock, streams: Iterable[str]) -> None:
    copied = open_checkpoints(str(folder / "checkpoints"), clock=clock)
    there = open_checkpoints(settings.training.checkpoint_url, clock=clock)
    await asyncio.to_thread(_copy_checkpoints, copied, there, streams)
    for name, tree in _trees(settings):
        await asyncio.to_thread(Tree(str(folder / name), name).copy_to, tree)


def _copy_checkpoints(source: CheckpointStore, target: CheckpointStore, run_ids: Iterable[str]) -> Copied:
    """Copy the committed checkpoints that ``target`` lacks, while old ones are deleted and new ones made."""
    number, damaged = 0, []
    for training_id in (run_id for run_id in run_ids if run_id.startswith(f"{Kind.TRAINING}_")):
        done = {info.id for info in target.list(training_id)}
        for _ in range(_PASSES):
            new = [info for info in source.list(training_id) if info.id not in done]
            for info in new:
                done.add(info.id)
                with suppress(NotFound), tempfile.TemporaryDirectory(prefix="rlp-copy-") as scratch:
                    try:
                        target.commit(source.fetch(training_id, info.id, Path(scratch)), Path(scratch))
                        number += 1
                    except CheckpointError:
                        if any(listed.id == info.id for listed in source.list(training_id)):  # not deleted meanwhile
                            damaged.append(info.id)
            if not new:
                break
    return Copied(number, damaged)


def _archived(folder: Path) -> Sequence[str]:
    return ParquetArchive(str(folder / "archive")).run_ids()


def _trees(settings: Settings) -> Iterator[tuple[str, Tree]]:
    """Yield the trees of the archive, policies, episodes and files, by the name that they have in a back-up."""
    given = {
        "archive": (settings.archive.url, "archive.url"),
        "policies": (settings.training.policy_url, "training.policy_url"),
        "episodes": (settings.episodes.url, "episodes.url"),
        "files": (settings.files.url, "files.url"),
    }
    for name, (url, field) in given.items():
        yield name, Tree(url or beside(settings.training.checkpoint_url, name), field)


def _kind(settings: Settings) -> Literal["sqlite", "redis"]:
    scheme = settings.store.url.partition(":")[0]
    if scheme == "memory":
        raise InvalidRequest("a store in memory has no back-up: only SQLite and Redis", field="store.url")
    return "sqlite" if scheme == "sqlite" else "redis"


def _path(settings: Settings) -> Path:
    return Path(settings.store.url.removeprefix("sqlite:///")).absolute()


def _pepper(settings: Settings) -> str:
    """Return the pepper of the settings, else that of the state directory; empty if there is none yet."""
    if given := settings.access.pepper.get_secret_value():
        return given
    path = settings.state_dir / PEPPER
    with _as_storage_errors(path):
        return path.read_text() if path.exists() else ""


def _check_pepper(settings: Settings, folder: Path, pepper: str) -> None:
    present = _pepper(settings)
    if pepper and present and present != pepper:
        given = bool(settings.access.pepper.get_secret_value())
        raise Conflict(
            f"{'RLP_ACCESS__PEPPER' if given else settings.state_dir / PEPPER} is not the pepper of the back-up, so no "
            f"API key of it would be valid: {'set it to the content of' if given else 'move it away; it becomes'} "
            f"{folder / PEPPER}"
        )


def _write_secret(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


@contextmanager
def _as_storage_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
