"""A store, a clock and a cluster without Ray."""

from __future__ import annotations

import pytest

from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.actors import FakeLauncher
from rlplatform.testing.clock import FakeClock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
async def launcher(anyio_backend: str, store: MemoryStore, clock: FakeClock) -> FakeLauncher:
    return FakeLauncher(store, clock)
