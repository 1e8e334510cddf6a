from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator

import pytest

from rlplatform.errors import StorageError
from rlplatform.storage.sqlite.write_thread import Writer

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


class Rig:
    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
        self.connection.execute(
            "CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        self.statements: list[str] = []
        self.connection.set_trace_callback(self.statements.append)
        self.rollbacks = 0
        self.writer = Writer(self.connection, self.rolled_back)

    def rolled_back(self) -> None:
        self.rollbacks += 1

    def rows(self, table: str) -> list[int]:
        return [row[0] for row in self.connection.execute(f"SELECT * FROM {table} ORDER BY 1")]


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.writer.close()
    rig.connection.close()


def insert(number: int, table: str = "parent"):
    return lambda connection: connection.execute(f"INSERT INTO {table} VALUES (?)", (number,)).lastrowid


async def together(rig: Rig, *works: object) -> list[object]:
    """Submit ``works`` while the writer is busy, so that they form one batch."""
    busy, go = threading.Event(), threading.Event()
    first = asyncio.create_task(rig.writer.submit(lambda _: (busy.set(), go.wait(10))))
    while not busy.is_set():
        await asyncio.sleep(0.001)
    tasks = [asyncio.create_task(rig.writer.submit(work)) for work in works]
    await asyncio.sleep(0.01)
    rig.statements.clear()
    go.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_what_waits_is_committed_together(rig: Rig) -> None:
    assert await together(rig, *(insert(i) for i in range(1, 51))) == list(range(1, 51))
    assert rig.statements.count("COMMIT") == 2  # one for the job that kept the writer busy
    assert rig.rows("parent") == list(range(1, 51))


async def test_a_job_that_fails_takes_back_what_it_wrote_and_nothing_else(rig: Rig) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        insert(2)(connection)
        raise ValueError("no")

    one, two, three, four = await together(rig, insert(1), fail, insert(1), insert(3))
    assert (one, four) == (1, 3)
    assert isinstance(two, ValueError)
    assert isinstance(three, StorageError)
    assert rig.rows("parent") == [1, 3]
    assert rig.rollbacks == 0


async def test_a_commit_that_fails_fails_all_of_its_jobs(rig: Rig) -> None:
    answers = await together(rig, insert(1), insert(7, "child"), insert(2))
    assert [type(answer) for answer in answers] == [StorageError] * 3
    assert rig.rows("parent") == []
    assert rig.rollbacks == 1
    assert await rig.writer.submit(insert(5)) == 5


async def test_a_caller_that_is_cancelled_does_not_undo_its_job(rig: Rig) -> None:
    committed = asyncio.Event()
    release = threading.Event()
    task = asyncio.create_task(rig.writer.submit(lambda c: (release.wait(10), insert(1)(c)), committed.set))
    await asyncio.sleep(0.01)
    task.cancel()
    release.set()
    async with asyncio.timeout(5):
        await committed.wait()
    assert rig.rows("parent") == [1]


async def test_closing_finishes_what_was_submitted(rig: Rig) -> None:
    tasks = [asyncio.create_task(rig.writer.submit(insert(i))) for i in range(1, 600)]
    await asyncio.sleep(0)
    await asyncio.to_thread(rig.writer.close)
    await asyncio.gather(*tasks)
    assert len(rig.rows("parent")) == 599
    with pytest.raises(StorageError, match="closed"):
        await rig.writer.submit(insert(1000))
