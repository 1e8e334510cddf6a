"""The actors on a small Ray cluster of their own, and what tests ask of them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._private.state import actors
from ray.util import list_named_actors
from ray.util.placement_group import placement_group_table

from actors import options
from actors.actor_classes import start
from actors.handles import SupervisorHandle
from actors.rpc.ray_calls import find, in_thread
from actors.store.connection import connect_store
from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import PlatformError
from rlplatform.settings import Settings
from rlplatform.training.models import TrainingRequest, TrainingState
from rlplatform.training.record import TrainingRun

PRINCIPAL = Principal(id="key_1", tenant="acme", scopes=frozenset(Scope))


class Stage:
    """The platform's actors on a cluster, as a test plays with them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.start()

    def start(self) -> None:
        """Start the hub and the supervisor."""
        start(self.settings)
        self.store = connect_store(self.settings)
        self.commands = SupervisorHandle()

    async def train(self, *, iterations: int = 20, iteration_s: float = 0.05, **fields: Any) -> TrainingRun:
        """Start a simulated training."""
        request: dict[str, Any] = {
            "env": "CartPole-v1",
            "engine": "simulated",
            "env_config": {"simulated_iteration_s": iteration_s},
            "stop": {"iterations": iterations},
            "checkpoint": {"every_iterations": 5},
        }
        run, new = await self.commands.start_training(TrainingRequest.model_validate(request | fields), PRINCIPAL)
        assert new
        return run

    async def command(self, run: TrainingRun, command: str) -> TrainingRun:
        return await self.commands.command_training(run.id, command, PRINCIPAL)

    async def get(self, run: TrainingRun) -> TrainingRun:
        found = await self.store.get(run.id)
        assert isinstance(found, TrainingRun)
        return found

    async def until(
        self, run: TrainingRun, reached: Callable[[TrainingRun], bool], timeout_s: float = 45.0
    ) -> TrainingRun:
        """The run as soon as ``reached`` holds."""
        deadline = time.monotonic() + timeout_s
        found = run
        while time.monotonic() < deadline:
            try:
                found = await self.get(run)
            except PlatformError:
                continue
            if reached(found):
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"not reached within {timeout_s:g} s: {found.document!r}")

    async def until_iteration(self, run: TrainingRun, iteration: int) -> TrainingRun:
        return await self.until(run, lambda found: found.document.progress.iteration >= iteration)

    async def until_state(self, run: TrainingRun, *states: str) -> TrainingRun:
        return await self.until(run, lambda found: found.state in states)

    async def end_trainings(self) -> None:
        """Stop every unfinished training, and wait until nothing is left of it."""

        async def ended() -> bool:
            try:
                for run in await self.store.find("training", states=TrainingState.unfinished(), limit=1000):
                    assert isinstance(run, TrainingRun)
                    await self.command(run, "stop")
            except PlatformError:
                return False
            return not placements() and not await self.store.find(
                "training", states=TrainingState.unfinished(), limit=1
            )

        await eventually(ended, 60)

    async def events(self, run: TrainingRun) -> list[dict[str, Any]]:
        """All events of a run; their ``seq`` is checked to have no gaps."""
        found: list[dict[str, Any]] = []
        while page := await self.store.read(run.stream, after=len(found), limit=500):
            found += [json.loads(line.data) for line in page]
        assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
        return found

    async def types(self, run: TrainingRun) -> list[str]:
        """The lifecycle of a run: its events' types without telemetry and checkpoints."""
        left_out = ("training.iteration_completed", "training.checkpoint_saved")
        return [
            event["type"].removeprefix("training.") for event in await self.events(run) if event["type"] not in left_out
        ]

    async def kill(self, name: str) -> None:
        """SIGKILL the process of the actor ``name``."""
        os.kill(await in_thread(pid_of, name), signal.SIGKILL)

    async def trainer(self, run: TrainingRun) -> str:
        """The name of the run's trainer."""
        return options.trainer_name(run.id, (await self.get(run)).epoch, run.tenant)


def pid_of(name: str) -> int:
    actor = find(name)
    assert actor is not None, f"no actor {name}"
    return int(actors(actor._actor_id.hex())["Pid"])


def names() -> set[str]:
    """Our living actors."""
    return {entry["name"] for entry in list_named_actors(all_namespaces=True)}


def placements() -> set[str]:
    """Our placement groups that stand."""
    return {group["name"] for group in placement_group_table().values() if group["state"] != "REMOVED"}


async def eventually(check: Callable[[], Awaitable[bool] | bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        answer = check()
        if answer if isinstance(answer, bool) else await answer:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {timeout_s:g} s")


def clear() -> None:
    """End every actor of ours."""
    for name in names():
        if actor := find(name):
            ray.kill(actor)
    deadline = time.monotonic() + 20
    while names() and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> None:
    """A cluster with 4 CPUs and what the test module's ``RESOURCES`` say: that of the module before, if it has them."""
    if not ray.is_initialized():
        ray.init(
            address="local",
            num_cpus=4,
            resources=getattr(request.module, "RESOURCES", None),
            namespace=options.NAMESPACE,
            include_dashboard=False,
            log_to_driver=False,
            _system_config={"worker_niceness": 0},  # by default, a busy machine would hardly run them
        )


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End the cluster, unless the next test wants the same."""
    if shared(item) is not None and (nextitem is None or shared(nextitem) != shared(item)):
        ray.shutdown()


def shared(item: pytest.Item) -> dict[str, float] | None:
    """The resources of the :func:`cluster` that a test runs on; None if it runs on none, or on one of its own."""
    module = getattr(item, "module", None)
    if module is None or "cluster" not in getattr(item, "fixturenames", ()) or "cluster" in vars(module):
        return None
    return dict(getattr(module, "RESOURCES", {}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("actors")


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "state_dir": folder,
            "store": {"url": f"sqlite:///{folder}/platform.db"},
            "training": {"checkpoint_url": f"{folder}/checkpoints", "placement_timeout_s": 5, "warm_trainers": 0},
        }
    )


@pytest.fixture(scope="module")
def shared_stage(cluster: None, settings: Settings) -> Iterator[Stage]:
    """The module's hub and supervisor: what a test kills of them comes back."""
    yield Stage(settings)
    clear()


@pytest.fixture
async def stage(shared_stage: Stage, anyio_backend: str) -> AsyncIterator[Stage]:
    """The shared stage, of which a test leaves no training behind."""
    yield shared_stage
    await shared_stage.end_trainings()
