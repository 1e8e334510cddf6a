"""Sessions and evaluations as state machines over the real stores: lost, commanded, cut off at any moment."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.redis_server import installed, redis_server
from tests.unit.actors.evaluation.test_scheduler import DispatcherMachine
from tests.unit.actors.training.test_scheduler import SessionsMachine

FEW = settings(
    max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # the many are run over the store in memory

_redis: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Iterator[None]:
    if not installed():
        missing("no redis-server: apt-get install redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        _redis.append(url)
        yield
    _redis.clear()


class OnSqlite:
    async def open_store(self, clock: FakeClock) -> Store:
        self.folder = tempfile.TemporaryDirectory()
        return await open_store(f"sqlite:///{self.folder.name}/platform.db", clock=clock)

    def teardown(self) -> None:
        super().teardown()  # type: ignore[misc]
        if hasattr(self, "folder"):
            self.folder.cleanup()


class OnRedis:
    async def open_store(self, clock: FakeClock) -> Store:
        return await open_store(_redis[0], clock=clock, namespace=uuid.uuid4().hex)


class SqliteSessions(OnSqlite, SessionsMachine):
    pass


class SqliteDispatcher(OnSqlite, DispatcherMachine):
    pass


class RedisSessions(OnRedis, SessionsMachine):
    pass


class RedisDispatcher(OnRedis, DispatcherMachine):
    pass


TestSqliteSessions = SqliteSessions.TestCase
TestSqliteDispatcher = SqliteDispatcher.TestCase
TestRedisSessions = RedisSessions.TestCase
TestRedisDispatcher = RedisDispatcher.TestCase
for _case in (TestSqliteSessions, TestSqliteDispatcher, TestRedisSessions, TestRedisDispatcher):
    _case.settings = FEW
del _case
