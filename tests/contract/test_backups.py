"""Back-ups of a platform on SQLite and on a real Redis: made while it is written to, restored, and compared."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from pydantic import SecretStr
from redis import Redis
from typer.testing import CliRunner

from rlplatform.cli.main import app
from rlplatform.clock import Clock, SystemClock
from rlplatform.errors import Conflict, InvalidRequest, NotFound, StorageError
from rlplatform.free_ports import free_ports
from rlplatform.maintenance.archiver import Archiver
from rlplatform.runs.annotations import RunPatch
from rlplatform.runs.ports import Idempotency
from rlplatform.settings import ArchiveSettings, Settings, read_settings
from rlplatform.storage import open_archive, open_checkpoints, open_files, open_store
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.storage.backups import back_up, restore
from rlplatform.storage.redis.copies import RedisCopier
from rlplatform.storage.redis.store import RESTORING
from rlplatform.store import Document, Store
from rlplatform.testing.redis_server import installed, redis_server
from rlplatform.testing.samples import (
    checkpoint,
    evaluation_run,
    finished,
    iteration,
    key_of,
    queued,
    retried,
    training_run,
)

pytestmark = pytest.mark.anyio

CONTENT = b"uploaded"
SHA256 = "2bb00c05b28ce5f8b6a4b1e3a3a5a3a0b4d3f6d1c2c0e0a5f9a7b8c6d5e4f3a2"


class Side(NamedTuple):
    """A platform that is backed up, or one that is restored: its settings, and how its store is opened."""

    settings: Settings
    clock: Clock

    async def opened(self) -> Store:
        return await open_store(self.settings.store.url, clock=self.clock)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Iterator[str]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite", "redis"])
def sides(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Side, Side]:
    """A platform to back up, and an empty one of the same kind to restore into."""
    if request.param == "redis":
        server = request.getfixturevalue("redis_url").rpartition("/")[0]
        with closing(Redis.from_url(f"{server}/0")) as redis:
            redis.flushall()
        return side(tmp_path / "old", f"{server}/1"), side(tmp_path / "new", f"{server}/2")
    return tuple(side(tmp_path / name, f"sqlite:///{tmp_path}/{name}/platform.db") for name in ("old", "new"))  # type: ignore[return-value]


def side(folder: Path, store_url: str, **fields: Any) -> Side:
    settings = read_settings(
        store={"url": store_url}, training={"checkpoint_url": str(folder / "checkpoints")}, state_dir=folder
    )
    return Side(settings.model_copy(update=fields), SystemClock())


async def fill(old: Side) -> dict[str, Any]:
    """Write something of each kind into the platform; return what the store then tells of it."""
    clock, store = old.clock, await old.opened()
    run, training = evaluation_run(clock), training_run(clock)
    await store.create(run, queued(run, clock), idempotency=Idempotency("acme", "once:1", "a" * 64))
    await store.create(training, queued(training, clock))
    await store.append(run.stream, [retried(run, clock), finished(run, clock)], epoch=await store.acquire(run.id))
    await store.append(training.stream, [iteration(training, clock, number) for number in range(1, 4)])
    await store.annotate(training.id, RunPatch.model_validate({"name": "a:b", "labels": {"course": "rl*1"}}))
    await store.put_key(key_of("acme", clock))
    await store.put_document(Document("webhook", "wh_1", "ac:me", json.dumps({"url": "https://x"})))
    await store.put_document(Document("assignment.version", "a:1", "acme", "{}"))
    told = await tell(store, clock)
    assert all(told.values())
    await store.close()
    made = old.settings.state_dir / "scratch"
    made.mkdir(parents=True)
    (made / "weights").write_bytes(b"1" * 5000)
    open_checkpoints(old.settings.training.checkpoint_url).commit(checkpoint(training.id), made)
    upload = open_files(old.settings).begin()
    upload.write(CONTENT)
    upload.commit("acme", SHA256)
    for name in ("policies/pol_1.zip", "episodes/runs/x/1.json"):
        path = old.settings.state_dir / name
        path.parent.mkdir(parents=True)
        path.write_text(name)
    (old.settings.state_dir / "pepper").write_text("hot")
    return told


async def tell(store: Store, clock: Clock) -> dict[str, Any]:
    """Return what a store answers to each of its readers."""
    runs = [*await store.find("evaluation"), *await store.find("training")]
    today = clock.now().date()
    return {
        "runs": [(run, [await store.get(run.id)], await store.read(run.stream)) for run in runs],
        "labelled": [run.id for run in await store.find("training", labels={"course": "rl*1"})],
        "finished": [run.id for run in await store.find("evaluation", tenant="acme", states=["finished"])],
        "searched": [run.id for run in await store.summaries("training", text="a:b", sort="env_steps")],
        "keys": await store.list_keys(),
        "used": await store.used("acme", today),
        "written": await store.written("acme", today),
        "outbox": await store.read_outbox(),
        "documents": [await store.list_documents(kind) for kind in ("webhook", "assignment.version")],
        "owned": await store.list_documents("webhook", owner="ac:me"),
        "once": await store.find_by_idempotency_key(Idempotency("acme", "once:1", "a" * 64)),
    }


async def test_a_restored_platform_is_what_was_backed_up(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, new = sides
    told = await fill(old)
    made = await back_up(old.settings, tmp_path / "copy", old.clock)
    assert (made.runs, made.events, made.checkpoints, made.files, made.pepper) == (2, 7, 1, 3, True)
    assert await restore(new.settings, tmp_path / "copy", new.clock) == made
    store = await new.opened()
    assert await tell(store, new.clock) == told
    (run,) = await store.find("evaluation")
    other = evaluation_run(new.clock)
    await store.create(other, queued(other, new.clock))
    await store.append(other.stream, [finished(other, new.clock)])
    assert [entry.run_id for entry in await store.read_outbox()] == [run.id, other.id]
    await store.close()
    (training,) = [run.id for run, *_ in told["runs"] if run.kind == "training"]
    (saved,) = open_checkpoints(new.settings.training.checkpoint_url).list(training)
    (target := tmp_path / "fetched").mkdir()
    open_checkpoints(new.settings.training.checkpoint_url).fetch(training, saved.id, target)
    assert (target / "weights").read_bytes() == b"1" * 5000
    with closing(open_files(new.settings).open("acme", SHA256)) as reader:
        assert reader.read_at(0, 100) == CONTENT
    for name in ("policies/pol_1.zip", "episodes/runs/x/1.json"):
        assert (new.settings.state_dir / name).read_text() == name
    assert (new.settings.state_dir / "pepper").read_text() == "hot"
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "copy", tmp_path / "copy" / "pepper")} == {0}


async def test_archived_events_are_backed_up_and_restored(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, new = sides
    await fill(old)
    store = ArchivedStore(await old.opened(), open_archive(old.settings))
    told = await tell(store, old.clock)
    (run,) = await store.find("evaluation")
    other = evaluation_run(old.clock)
    await store.create(other, queued(other, old.clock))
    await store.append(other.stream, [finished(other, old.clock)])
    await Archiver(store, open_archive(old.settings), ArchiveSettings(), old.clock).archive(run.id)
    await store.close()
    made = await back_up(old.settings, tmp_path / "copy", old.clock)
    assert (made.runs, made.events, made.files, made.missing_archives) == (3, 9, 4, [])
    assert await restore(new.settings, tmp_path / "copy", new.clock) == made
    store = ArchivedStore(await new.opened(), open_archive(new.settings))
    later = new.clock.now() + timedelta(days=1)
    assert await store.list_unarchived(finished_before=later) == [other.id]
    await store.remove(other.id)
    again = await tell(store, new.clock)
    for part in ("runs", "labelled", "finished", "once"):
        assert again[part] == told[part]
    await store.close()


async def test_an_archive_that_is_not_in_the_back_up_is_named(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, new = sides
    await fill(old)
    store = ArchivedStore(await old.opened(), archive := open_archive(old.settings))
    (run,) = await store.find("evaluation")
    await Archiver(store, archive, ArchiveSettings(), old.clock).archive(run.id)
    await store.close()
    archive.delete(run.id)
    made = await back_up(old.settings, tmp_path / "copy", old.clock)
    assert made.missing_archives == [run.id]
    assert await restore(new.settings, tmp_path / "copy", new.clock) == made


async def test_each_stream_is_complete_although_it_grows_while_it_is_copied(
    sides: tuple[Side, Side], tmp_path: Path
) -> None:
    old, new = sides
    await fill(old)
    store, stopped = await old.opened(), asyncio.Event()

    async def write() -> None:
        while not stopped.is_set():
            run = evaluation_run(old.clock)
            await store.create(run, queued(run, old.clock))
            await store.append(run.stream, [retried(run, old.clock), finished(run, old.clock)])

    writing = [asyncio.create_task(write()) for _ in range(4)]
    await asyncio.sleep(0.2)
    made = await back_up(old.settings, tmp_path / "copy", old.clock)
    stopped.set()
    await asyncio.gather(*writing)
    await store.close()
    assert await restore(new.settings, tmp_path / "copy", new.clock) == made
    store = await new.opened()
    for run in await store.find("evaluation", limit=1000):
        assert [line.seq for line in await store.read(run.stream)] == list(range(1, run.seq + 1))
    known = {run.id for run in await store.find("evaluation", states=["finished"], limit=1000)}
    assert {entry.run_id for entry in await store.read_outbox(limit=1000)} <= known
    written = await store.written("acme", old.clock.now().date())
    runs = [*await store.find("evaluation", limit=1000), *await store.find("training")]
    assert written.stored_bytes == sum(run.stored_bytes for run in runs)
    await store.close()


async def test_a_restore_overwrites_no_store_and_no_running_platform(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, _ = sides
    await fill(old)
    await back_up(old.settings, tmp_path / "copy", old.clock)
    with pytest.raises(Conflict, match=r"exists|already"):
        await restore(old.settings, tmp_path / "copy", old.clock)
    store = await old.opened()
    with pytest.raises((StorageError, Conflict), match=r"open in another process|other clients are connected"):
        await restore(old.settings, tmp_path / "copy", old.clock)
    assert len(await store.find("evaluation")) == 1
    await store.close()
    with pytest.raises(Conflict, match="name a new one"):
        await back_up(old.settings, tmp_path / "copy", old.clock)


@pytest.mark.parametrize("file", ["files/acme", "SHA256SUMS", "store"])
async def test_a_damaged_back_up_is_refused_before_anything_is_restored(
    sides: tuple[Side, Side], tmp_path: Path, file: str
) -> None:
    old, new = sides
    await fill(old)
    await back_up(old.settings, tmp_path / "copy", old.clock)
    (path,) = (tmp_path / "copy").glob("*.db") if file == "store" else [tmp_path / "copy" / file]
    damaged = next(found for found in [path, *sorted(path.rglob("*"))] if found.is_file())
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StorageError, match="not as it was backed up"):
        await restore(new.settings, tmp_path / "copy", new.clock)
    damaged.unlink()
    with pytest.raises(StorageError, match="cannot be read"):
        await restore(new.settings, tmp_path / "copy", new.clock)
    assert not (new.settings.state_dir / "checkpoints").exists()


async def test_other_formats_versions_kinds_and_peppers_are_refused(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, new = sides
    await fill(old)
    with pytest.raises(NotFound, match="no complete back-up"):
        await restore(new.settings, tmp_path / "copy", new.clock)
    await back_up(old.settings, tmp_path / "copy", old.clock)
    manifest = tmp_path / "copy" / "backup.json"
    text = manifest.read_text()
    manifest.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(StorageError, match="format 2, made by version"):
        await restore(new.settings, tmp_path / "copy", new.clock)
    manifest.write_text(text)
    elsewhere = "sqlite:///x.db" if new.settings.store.url.startswith("redis") else "redis://127.0.0.1:1/0"
    other = side(tmp_path / "new", elsewhere)
    with pytest.raises(InvalidRequest, match="RLP_STORE__URL names a"):
        await restore(other.settings, tmp_path / "copy", new.clock)
    access = new.settings.access.model_copy(update={"pepper": SecretStr("mild")})
    with pytest.raises(Conflict, match="RLP_ACCESS__PEPPER is not the pepper"):
        await restore(new.settings.model_copy(update={"access": access}), tmp_path / "copy", new.clock)


async def test_a_checkpoint_that_is_damaged_is_left_out_and_named(sides: tuple[Side, Side], tmp_path: Path) -> None:
    old, _ = sides
    await fill(old)
    (weights,) = (old.settings.state_dir / "checkpoints").rglob("weights")
    weights.write_bytes(b"2" * 5000)
    made = await back_up(old.settings, tmp_path / "copy", old.clock)
    assert (made.checkpoints, len(made.damaged_checkpoints)) == (0, 1)


async def test_a_redis_with_half_a_back_up_is_refused_until_it_is_restored_again(
    redis_url: str, tmp_path: Path
) -> None:
    server = redis_url.rpartition("/")[0]
    old, new = side(tmp_path / "old", f"{server}/3"), side(tmp_path / "new", f"{server}/4")
    told = await fill(old)
    await back_up(old.settings, tmp_path / "copy", old.clock)
    with closing(Redis.from_url(new.settings.store.url)) as redis:
        redis.set(f"{{rlp}}:{RESTORING}", 1)
        redis.set("{rlp}:usage:left", 1)
    with pytest.raises(StorageError, match="rlp admin restore again"):
        await new.opened()
    await restore(new.settings, tmp_path / "copy", new.clock)
    store = await new.opened()
    assert await tell(store, new.clock) == told
    await store.close()


async def test_a_copy_of_a_redis_before_the_archive_is_restored(redis_url: str, tmp_path: Path) -> None:
    server = redis_url.rpartition("/")[0]
    old, new = side(tmp_path / "old", f"{server}/5"), side(tmp_path / "new", f"{server}/6")
    told = await fill(old)
    copiers = [RedisCopier(each.settings.store.url, each.clock, "rlp") for each in (old, new)]
    await copiers[0].copy_out(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy", isolation_level=None)) as copy:
        copy.execute("ALTER TABLE streams DROP COLUMN archived")
        copy.execute("UPDATE schema_version SET version = 4")
    await copiers[1].put_in_place(tmp_path / "copy")
    for copier in copiers:
        await copier.close()
    store = await new.opened()
    assert await tell(store, new.clock) == told
    assert len(await store.list_unarchived(finished_before=new.clock.now() + timedelta(days=1))) == 1
    await store.close()


def test_rlp_admin_backs_up_and_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (side(tmp_path / name, "sqlite:///.rlp/platform.db") for name in ("old", "new"))
    monkeypatch.setenv("RLP_API__PORT", str(free_ports(1)[0]))
    for place in (old, new):
        place.settings.state_dir.mkdir()
    monkeypatch.chdir(tmp_path / "old")
    asyncio.run(fill(old))
    runner, copy = CliRunner(), str(tmp_path / "copy")
    made = runner.invoke(app, ["admin", "backup", copy])
    assert (made.exit_code, "2 runs, 7 events" in made.output) == (0, True), made.output
    again = runner.invoke(app, ["admin", "restore", copy])
    assert (again.exit_code, "platform.db exists: move it away" in again.output) == (1, True), again.output
    monkeypatch.chdir(tmp_path / "new")
    restored = runner.invoke(app, ["admin", "restore", copy, "--json"])
    assert (restored.exit_code, json.loads(restored.stdout)["events"]) == (0, 7), restored.output


def test_rlp_admin_restore_refuses_while_a_platform_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Alive(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "alive"}')

    with ThreadingHTTPServer(("127.0.0.1", 0), Alive) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.setenv("RLP_API__PORT", str(server.server_address[1]))
        monkeypatch.chdir(tmp_path)
        refused = CliRunner().invoke(app, ["admin", "restore", "copy"])
        server.shutdown()
    assert (refused.exit_code, "stop it first" in refused.output) == (1, True), refused.output
