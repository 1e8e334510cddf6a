"""The store contract against all adapters, Redis on a real server."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from redis import Redis

from rlplatform.clock import Clock, SystemClock
from rlplatform.errors import InvalidRequest, StorageError
from rlplatform.evaluation.events import EvaluationStarted, EvaluationTestFinished
from rlplatform.storage import append_rules, open_store
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.storage.redis.store import SCHEMA
from rlplatform.storage.sqlite import schema
from rlplatform.storage.sqlite.store import SqliteStore
from rlplatform.store import Store
from rlplatform.testing.archive import MemoryArchive
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.store import StoreContract
from rlplatform.testing.contracts.store_archive import TrimContract
from rlplatform.testing.redis_server import installed, redis_server
from rlplatform.testing.samples import evaluation_run, finished, fold, queued, retried, seqs


class TestMemoryStore(StoreContract, TrimContract):
    @asynccontextmanager
    async def open_store(self, clock: Clock) -> AsyncIterator[Store]:
        store = await open_store("memory://", clock=clock)
        yield store
        await store.close()


class TestArchivedStore(StoreContract):
    @asynccontextmanager
    async def open_store(self, clock: Clock) -> AsyncIterator[Store]:
        store = ArchivedStore(await open_store("memory://", clock=clock), MemoryArchive())
        yield store
        await store.close()


class TestSqliteStore(StoreContract, TrimContract):
    @pytest.fixture(autouse=True)
    def _path(self, tmp_path: Path) -> None:
        self.path = tmp_path / "deeper" / "platform.db"

    @asynccontextmanager
    async def open_store(self, clock: Clock) -> AsyncIterator[Store]:
        store = await open_store(f"sqlite:///{self.path}", clock=clock)
        yield store
        await store.close()

    async def test_everything_is_there_after_opening_it_again(self, clock: FakeClock) -> None:
        async with self.open_store(clock) as store:
            run = await self.started(store, clock)
            await store.append(run.stream, [retried(run, clock)], epoch=await store.acquire(run.id))
            before = await store.get(run.id), await store.read(run.stream)
        async with self.open_store(clock) as store:
            assert (await store.get(run.id), await store.read(run.stream)) == before
            assert seqs(await store.append(run.stream, [retried(run, clock)], epoch=1)) == [3]

    async def test_usage_of_days_long_past_is_forgotten(self, store: Store, clock: FakeClock) -> None:
        first, _ = clock.now().date(), await self.training(store, clock)
        await clock.advance(append_rules.USAGE_LIFE.total_seconds())
        second, _ = clock.now().date(), await self.training(store, clock)
        assert await store.used("acme", first) == {"trainings": 1}
        await clock.advance(86400)
        await self.training(store, clock)
        assert [await store.used("acme", day) for day in (first, second)] == [{}, {"trainings": 1}]

    async def test_only_its_owner_can_read_the_file(self, store: Store) -> None:
        assert {path.stat().st_mode & 0o777 for path in self.path.parent.iterdir()} == {0o600}

    async def test_a_second_owner_is_refused(self, store: Store) -> None:
        with pytest.raises(StorageError, match=r"platform\.db is open in another process"):
            await SqliteStore.open(self.path, FakeClock(auto_advance=True))

    async def test_a_newer_schema_is_refused(self, clock: FakeClock) -> None:
        async with self.open_store(clock):
            pass
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("UPDATE schema_version SET version = 99")
        with pytest.raises(StorageError, match=r"newer version.*schema 99.*upgrade"):
            await open_store(f"sqlite:///{self.path}", clock=clock)

    async def test_a_file_of_the_first_version_is_brought_up_to_date(self, clock: FakeClock) -> None:
        run, done = evaluation_run(clock), evaluation_run(clock)
        ended = done.apply(finished(done, clock).model_copy(update={"seq": 1}))
        self.path.parent.mkdir()
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            for statement in schema.MIGRATIONS[0]:
                connection.execute(statement)
            connection.execute("CREATE TABLE schema_version (version INTEGER NOT NULL)")
            connection.execute("INSERT INTO schema_version VALUES (1)")
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            line = queued(run, clock).model_copy(update={"seq": 1})
            for old in (run.apply(line), ended):
                record = old.model_dump_json(exclude={"request", "epoch"})
                row = (old.id, old.kind, old.tenant, old.state, old.request.model_dump_json(), record)
                connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, 0, ?, ?)", row)
            line_of = (run.id, 1, line.id, "evaluation.queued", line.model_dump_json())
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", line_of)
        async with self.open_store(clock) as store:
            later = clock.now() + timedelta(seconds=1)
            assert await store.list_unarchived(finished_before=later) == [done.id]
            assert await store.get(run.id) == run.apply(line)
            assert await store.get(done.id) == ended
            assert (await store.summaries("evaluation"))[0].document == ended.document.model_copy(update={"tests": []})
            await store.append(run.stream, [finished(run, clock)])
            assert [entry.run_id for entry in await store.read_outbox()] == [run.id]
            assert await store.list_documents("webhook") == []
        with closing(sqlite3.connect(self.path)) as connection:
            assert connection.execute("SELECT version FROM schema_version").fetchone() == (len(schema.MIGRATIONS),)

    async def test_the_database_of_another_program_is_refused(self, clock: FakeClock) -> None:
        self.path.parent.mkdir()
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE moz_places (id)")
        with pytest.raises(StorageError, match="another program"):
            await open_store(f"sqlite:///{self.path}", clock=clock)

    @pytest.mark.parametrize("damage", ["not a database", "a torn page"])
    async def test_a_damaged_file_is_refused(self, clock: FakeClock, damage: str) -> None:
        async with self.open_store(clock) as store:
            for _ in range(20):
                await self.started(store, clock)
        content = bytearray(self.path.read_bytes())
        if damage == "not a database":
            content[:100] = b"\0" * 100
        else:
            content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
        self.path.write_bytes(content)
        with pytest.raises(StorageError, match="restore a backup"):
            await open_store(f"sqlite:///{self.path}", clock=clock)
        assert self.path.read_bytes() == content

    async def test_a_directory_that_cannot_be_made_is_refused(self, tmp_path: Path, clock: FakeClock) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(StorageError, match="cannot be opened"):
            await open_store(f"sqlite:///{tmp_path}/file/platform.db", clock=clock)

    @pytest.mark.parametrize("name", ["platform.db", "platform.db-wal"])
    async def test_what_only_hinders_opening_is_not_called_damage(self, clock: FakeClock, name: str) -> None:
        self.path.with_name(name).mkdir(parents=True)
        with pytest.raises(StorageError, match="cannot be opened"):
            await open_store(f"sqlite:///{self.path}", clock=clock)

    async def test_a_disk_that_is_full_for_a_while_leaves_no_gap(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        await store.append(run.stream, [retried(run, clock)])
        journal = self.path.with_name("platform.db-wal").stat().st_size
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal, before[1]))  # no file grows beyond that
        try:
            for _ in range(2):
                with pytest.raises(StorageError, match="operation failed"):
                    await store.append(run.stream, [retried(run, clock)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert seqs(await store.append(run.stream, [retried(run, clock)])) == [3]
        assert seqs(await store.read(run.stream)) == [1, 2, 3]

    async def test_a_closed_store_says_so(self, store: Store) -> None:
        await store.close()
        with pytest.raises(StorageError, match="closed"):
            await store.find("evaluation")
        with pytest.raises(StorageError, match="closed"):
            await store.acquire("eval_1")

    async def test_what_was_answered_survives_the_death_of_its_process(self, clock: FakeClock) -> None:
        program = (
            "import asyncio, os, sys\n"
            "from rlplatform.clock import SystemClock\n"
            "from rlplatform.storage import open_store\n"
            "from rlplatform.testing.samples import evaluation_run, queued, retried\n"
            "async def main():\n"
            "    clock = SystemClock()\n"
            "    store = await open_store(sys.argv[1])\n"
            "    run, _ = await store.create(run := evaluation_run(clock), queued(run, clock))\n"
            "    print(run.id, flush=True)\n"
            "    async def write():\n"
            "        while True:\n"
            "            (line,) = await store.append(run.stream, [retried(run, clock)])\n"
            "            print(line.seq, flush=True)\n"
            "    await asyncio.gather(*(write() for _ in range(8)))\n"
            "asyncio.run(main())\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, f"sqlite:///{self.path}"], stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            run_id = process.stdout.readline().strip()
            answered = [int(process.stdout.readline()) for _ in range(200)]
            process.kill()
            answered += [int(line) for line in process.stdout if line.endswith("\n")]
        async with self.open_store(clock) as store:
            run = await store.get(run_id)
            log = await store.read(run.stream, limit=100_000)
        assert seqs(log) == list(range(1, run.seq + 1))
        assert run.seq >= max(answered)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Iterator[str]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


class TestRedisStore(StoreContract, TrimContract):
    @pytest.fixture(autouse=True)
    def _url(self, redis_url: str) -> None:
        self.url, self.namespace = redis_url, uuid.uuid4().hex

    @asynccontextmanager
    async def open_store(self, clock: Clock) -> AsyncIterator[Store]:
        store = await open_store(self.url, clock=clock, namespace=self.namespace)
        yield store
        await store.close()

    async def test_two_processes_append_to_one_stream(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        async with self.open_store(clock) as other:
            shared, *mine = ([retried(run, clock) for _ in range(100)] for _ in range(3))
            await asyncio.gather(
                *(
                    side.append(run.stream, [event])
                    for side, own in zip((store, other), mine, strict=True)
                    for pair in zip(own, shared, strict=True)
                    for event in pair
                )
            )
            assert seqs(await other.read(run.stream)) == list(range(1, 302))
            assert await other.get(run.id) == await store.get(run.id)
            assert fold(run.model_copy(update={"seq": 0}), await store.read(run.stream)) == await store.get(run.id)

    async def test_a_tail_sees_what_another_process_appends(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        async with self.open_store(clock) as other:
            waiting = asyncio.create_task(other.tail({run.stream: 1}, wait_s=60))
            await asyncio.sleep(0.05)
            (line,) = await store.append(run.stream, [retried(run, clock)])
            async with asyncio.timeout(5):
                assert await waiting == {run.stream: [line]}

    async def test_namespaces_are_apart(self, store: Store, clock: FakeClock) -> None:
        await self.started(store, clock)
        other = await open_store(self.url, clock=clock, namespace="other" + self.namespace)
        assert await other.find("evaluation") == []
        await other.close()

    async def test_every_key_is_on_one_cluster_slot(self, store: Store, clock: FakeClock) -> None:
        await self.started(store, clock)
        with Redis.from_url(self.url) as redis:
            mine = [key.decode() for key in redis.keys("*") if self.namespace in key.decode()]
        assert mine
        assert all(key.startswith(f"{{{self.namespace}}}:") for key in mine)

    async def test_a_newer_schema_is_refused(self, store: Store, clock: FakeClock) -> None:
        with Redis.from_url(self.url) as redis:
            redis.set(f"{{{self.namespace}}}:schema", 99)
        with pytest.raises(StorageError, match=r"newer version.*schema 99.*upgrade"):
            await open_store(self.url, clock=clock, namespace=self.namespace)

    async def test_data_of_the_first_version_is_taken_over(self, store: Store, clock: FakeClock) -> None:
        run = await self.started(store, clock)
        start = EvaluationStarted(stream=run.stream, time=clock.now(), attempt=1)
        judged = finished(run, clock).tests[0]
        test = EvaluationTestFinished(stream=run.stream, time=clock.now(), attempt=1, result=judged)
        await store.append(run.stream, [start, test])
        run = await store.get(run.id)
        with Redis.from_url(self.url) as redis:
            key = f"{{{self.namespace}}}:run:{run.id}"
            redis.hset(key, "record", run.model_dump_json(exclude={"request", "epoch"}))
            redis.hdel(key, "tests")
            redis.set(f"{{{self.namespace}}}:schema", 1)
        async with self.open_store(clock) as again:
            assert await again.get(run.id) == run
            assert (await again.summaries("evaluation"))[0].document.tests == []
            await again.append(run.stream, [retried(run, clock), start, finished(run, clock)])
            assert (await again.get(run.id)).document.tests == [judged]
        with Redis.from_url(self.url) as redis:
            assert int(redis.get(f"{{{self.namespace}}}:schema") or 0) == SCHEMA

    async def test_finished_runs_of_the_version_before_the_archive_are_archived(
        self, store: Store, clock: FakeClock
    ) -> None:
        run, _ = await self.over(store, clock), await self.started(store, clock)
        with Redis.from_url(self.url) as redis:
            redis.delete(f"{{{self.namespace}}}:unarchived")
            redis.set(f"{{{self.namespace}}}:schema", 4)
        async with self.open_store(clock) as again:
            later = clock.now() + timedelta(seconds=1)
            assert await again.list_unarchived(finished_before=later) == [run.id]

    async def test_a_redis_that_evicts_is_refused(self, clock: FakeClock) -> None:
        with Redis.from_url(self.url) as redis:
            redis.config_set("maxmemory-policy", "allkeys-lru")
            try:
                with pytest.raises(StorageError, match="noeviction"):
                    await open_store(self.url, clock=clock, namespace=self.namespace)
            finally:
                redis.config_set("maxmemory-policy", "noeviction")

    async def test_no_server_is_a_storage_error(self) -> None:
        with pytest.raises(StorageError, match="Redis"):
            await open_store("redis://127.0.0.1:1/0", clock=SystemClock())

    async def test_a_server_that_goes_is_a_storage_error(self, tmp_path: Path, clock: FakeClock) -> None:
        with redis_server(tmp_path) as url:
            store = await open_store(url, clock=clock)
            run = evaluation_run(clock)
            await store.create(run, queued(run, clock))
            waiting = asyncio.create_task(store.tail({run.stream: 1}, wait_s=60))
            await asyncio.sleep(0.05)
        with pytest.raises(StorageError):
            await waiting
        with pytest.raises(StorageError):
            await store.append(run.stream, [retried(run, clock)])
        await store.close()


@pytest.mark.anyio
@pytest.mark.parametrize("url", ["postgres://x", "sqlite://", "sqlite:///", "sqlite:relative.db", "platform.db", ""])
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="memory://") as caught:
        await open_store(url)
    assert caught.value.extra["field"] == "store.url"
