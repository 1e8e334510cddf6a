"""The application in process, over the store in memory and scripted commands; on a socket where a test streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from rlplatform.access.api_keys import ApiKeyService
from rlplatform.access.principals import Scope
from rlplatform.clock import Clock, SystemClock
from rlplatform.environments.models import EnvironmentInfo
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.files.ports import FileStorage
from rlplatform.runs.archive import EventArchive
from rlplatform.settings import Settings
from rlplatform.storage import open_store
from rlplatform.storage.archive.store import ArchivedStore
from rlplatform.store import Store
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.commands import FakeCommands
from rlplatform.testing.episodes import FakeEpisodes
from rlplatform.testing.policies import FakePolicies
from rlplatform.training.ports import CheckpointStore
from serve_apps.api.app import create_app
from serve_apps.api.services import Services
from tests.serving import on_loopback

CARTPOLE = EnvironmentInfo(
    id="CartPole-v1", observation_space="Box(4,)", action_space="Discrete(2)", backend="gymnasium"
)


@dataclass
class Platform:
    app: FastAPI
    store: Store
    commands: FakeCommands
    keys: ApiKeyService

    def replica(self) -> Platform:
        """Another one of the application, on the same store."""
        app = create_app(self.app.state.context.services, self.app.state.context.settings)
        return Platform(app, self.store, self.commands, app.state.context.access.keys)

    async def key(self, tenant: str = "school", scopes: Iterable[Scope] = tuple(Scope), **more: Any) -> str:
        return (await self.keys.create(tenant=tenant, name="test", scopes=scopes, **more))[1]

    @asynccontextmanager
    async def client(self, key: str | None = None, **options: Any) -> AsyncIterator[httpx2.AsyncClient]:
        """In process: answers are read whole, so this is not for streams."""
        headers = {"Authorization": f"Bearer {key or await self.key()}"}
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://rlp.test", headers=headers, **options
        ) as client:
            yield client

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """On a port of the loopback interface, in this event loop; its base URL."""
        async with on_loopback(self.app, log_level="warning", timeout_graceful_shutdown=1) as address:
            yield f"http://{address}"


PlatformFactory = Callable[..., AbstractAsyncContextManager[Platform]]


@asynccontextmanager
async def _platform(
    *,
    settings: dict[str, Any] | None = None,
    clock: Clock | None = None,
    checkpoints: CheckpointStore | None = None,
    files: FileStorage | None = None,
    episodes: EpisodeStore | None = None,
    archive: EventArchive | None = None,
    **commands: Any,
) -> AsyncIterator[Platform]:
    configured = Settings.model_validate({"access": {"pepper": "pepper", "key_lease_s": 0.05}} | (settings or {}))
    clock = clock or SystemClock()
    store = await open_store("memory://", clock=clock)
    if archive is not None:
        store = ArchivedStore(store, archive)
    fake = FakeCommands(store, clock, checkpoints=checkpoints, **commands)
    services = Services(
        store=store,
        commands=fake,
        clock=clock,
        checkpoints=checkpoints,
        files=files,
        episodes=episodes,
        player=FakeEpisodes(episodes) if episodes is not None else None,
        policies=FakePolicies(store, checkpoints or MemoryCheckpoints(), clock),
        environments=lambda: (CARTPOLE,),
    )
    app = create_app(services, configured)
    try:
        async with app.router.lifespan_context(app):
            yield Platform(app, store, fake, app.state.context.access.keys)
    finally:
        await store.close()


@pytest.fixture(scope="session")
def platform() -> PlatformFactory:
    """``async with platform(settings={...}, judge=…) as it:`` a platform of its own."""
    return _platform


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


EVALUATION = {"source": "print(int(input())*2)", "tests": [{"id": "t1", "stdin": "2\n", "expected_stdout": "4\n"}]}
TRAINING = {"env": "CartPole-v1", "engine": "simulated", "stop": {"env_steps": 10_000}}


@pytest.fixture(scope="session")
def evaluation() -> dict[str, Any]:
    return EVALUATION


@pytest.fixture(scope="session")
def training() -> dict[str, Any]:
    return TRAINING
