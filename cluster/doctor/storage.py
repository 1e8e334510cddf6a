"""The store and the checkpoint store: reachable, writable, and fit to be relied on."""

from __future__ import annotations

import asyncio
import fcntl
import os
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from cluster.doctor.machine import existing
from cluster.doctor.network import platform_answers
from cluster.doctor.report import Check, fail, ok, warn
from rlplatform.clock import SystemClock
from rlplatform.errors import PlatformError
from rlplatform.ids import Kind, new_id
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_store
from rlplatform.training.models import CheckpointInfo

_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph", "9p", "glusterfs", "lustre")
_SKEW_S = 1.0


def state(settings: Settings) -> Check:
    """Name the folder that is judged; a platform that runs here may have another one."""
    folder = settings.state_dir.resolve()
    if any((folder / name).exists() for name in ("local.json", "platform.db")) or settings.cluster.address:
        return ok("state", f"the state of the platform is in {folder}")
    if platform_answers(settings):
        return warn(
            "state",
            f"a platform answers at port {settings.api.port}, but its state is not in {folder}: "
            "the store and the checkpoints below are not the running platform's",
            "run this in the folder that it was started in, or set RLP_STATE_DIR",
        )
    return ok("state", f"no platform has run here yet; its state will be in {folder}")


def store(settings: Settings) -> Check:
    """Check the store of runs, events and keys."""
    if settings.store.embedded:
        return _sqlite(Path(settings.store.url.partition(":///")[2]).resolve(), settings)
    return _redis(settings)


def checkpoints(settings: Settings) -> Check:
    """Write, read and delete a checkpoint."""
    name = "checkpoint_store"
    url = settings.training.checkpoint_url
    content = os.urandom(4096)
    info = CheckpointInfo(
        id=new_id(Kind.CHECKPOINT),
        training_id=new_id(Kind.TRAINING),
        iteration=0,
        env_steps=0,
        size_bytes=0,
        manifest_sha256="",
        created_at=datetime.now(UTC),
    )
    started = time.monotonic()
    stays = existing(Path(url).resolve())
    try:
        place = open_checkpoints(url)
        with tempfile.TemporaryDirectory(prefix="rlp-doctor-") as folder:
            source, target = Path(folder, "source"), Path(folder, "target")
            source.mkdir()
            (source / "probe").write_bytes(content)
            try:
                place.commit(info, source)
                place.fetch(info.training_id, info.id, target)
                if (target / "probe").read_bytes() != content:
                    return fail(name, f"{url} gives back other bytes than it was given", "do not use this storage")
            finally:
                place.delete(info.training_id, info.id)
    except (PlatformError, OSError) as error:
        return fail(
            name,
            f"{url} cannot be used: {error}: trainings fail at their first checkpoint",
            "make it writable, or set RLP_TRAINING__CHECKPOINT_URL",
        )
    finally:
        if "://" not in url:
            _tidy(Path(url, info.training_id).resolve(), stays)
    return ok(name, f"{url}: written, read and deleted in {time.monotonic() - started:.2f} s")


def _tidy(folder: Path, stays: Path) -> None:
    """Remove the empty folders that a local store leaves, from ``folder`` up to what was there before."""
    for made in takewhile(lambda place: place != stays, (folder, *folder.parents)):
        with suppress(OSError):  # gone already, or somebody else uses it now
            made.rmdir()


def _sqlite(path: Path, settings: Settings) -> Check:
    name = "store"
    kind = _filesystem(existing(path))
    if kind in _REMOTE:
        return fail(name, f"{path} is on {kind}: SQLite's locks do not hold there", "use a local disk, or redis://")
    lock = path.with_name(path.name + ".lock")
    if lock.exists() and _is_held(lock):
        return ok(name, f"{path} is in use by a running platform")
    if settings.cluster.address is not None and platform_answers(settings):
        return _another_store(settings, str(path))
    if not path.exists():
        if not os.access(existing(path.parent), os.W_OK | os.X_OK):
            return fail(name, f"{path} cannot be made: no right to write", "set RLP_STORE__URL or RLP_STATE_DIR")
        return ok(name, f"{path} will be made by the first start")
    return _opened(settings, f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


def _redis(settings: Settings) -> Check:
    from redis import Redis
    from redis.exceptions import RedisError

    from rlplatform.storage.redis.store import CLIENT_NAME

    opened = _opened(settings, "Redis")
    if opened.status == "fail":
        return opened
    try:
        with Redis.from_url(settings.store.url, socket_timeout=5, socket_connect_timeout=5) as redis:
            info = dict(redis.info())
            seconds, micros = redis.time()
            database = str(redis.get_connection_kwargs().get("db", 0))
            users = [client for client in redis.client_list() if client["db"] == database]
            skew = abs(seconds + micros / 1e6 - time.time())
    except RedisError as error:
        return fail("store", f"Redis does not answer: {error}", "see RLP_STORE__URL")
    if platform_answers(settings) and not any(client["name"] == CLIENT_NAME for client in users):
        return _another_store(settings, f"database {database} of this Redis")
    policy, appending = info.get("maxmemory_policy", "noeviction"), bool(info.get("aof_enabled"))
    found = f"Redis {info['redis_version']}, maxmemory-policy {policy}, append-only file {'on' if appending else 'off'}"
    if policy != "noeviction":
        return warn("store", f"{found}: it may drop idempotency keys", "set maxmemory-policy noeviction")
    if not appending:
        return warn("store", f"{found}: a restart of Redis loses runs", "set appendonly yes, appendfsync everysec")
    if skew > _SKEW_S:
        return warn("store", f"{found}; its clock is {skew:.1f} s from ours", "keep all clocks with a time service")
    return ok("store", found)


def _another_store(settings: Settings, what: str) -> Check:
    return fail(
        "store",
        f"a platform answers at port {settings.api.port}, but {what} is not its store: what is started here would "
        "not see its runs and keys",
        "set RLP_STORE__URL, or the file store_url in /run/secrets, to that of the platform's nodes",
    )


def _opened(settings: Settings, what: str) -> Check:
    async def look() -> None:
        opened = await open_store(settings.store.url, clock=SystemClock())
        try:
            await opened.summaries("training", limit=1)
        finally:
            await opened.close()

    try:
        asyncio.run(asyncio.wait_for(look(), 15))
    except (PlatformError, TimeoutError) as error:
        return fail("store", f"{what}: {error or 'no answer within 15 s'}: nothing works without it", "see the reason")
    return ok("store", f"{what} can be opened and read")


def _is_held(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _filesystem(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the type of the file system that ``path`` is on; empty if unknown."""
    if not mounts.is_file():
        return ""
    entries = [line.split()[1:3] for line in mounts.read_text().splitlines()]
    holding = [(Path(place), kind) for place, kind in entries if path.is_relative_to(place)]
    return max(holding, key=lambda entry: len(entry[0].parts), default=(path, ""))[1]
