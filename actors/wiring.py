"""The actors as Ray runs them: each builds its plain class from settings, in its own process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import ray

from actors import options
from actors.evaluator import Evaluator
from actors.event_hub import EventHub
from actors.handles import StoreHandle, call, find, spawn
from actors.placement import Placement
from actors.supervisor import Supervisor
from actors.telemetry import MeteredStore, RayMeter, Telemetry
from actors.trainer import Trainer
from rlplatform.clock import SystemClock
from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.ports import SandboxPool, Store, TrainingEngine
from rlplatform.runs import TrainingRun
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_store
from rlplatform.training.models import TrainingRequest

log = logging.getLogger(__name__)

REPORT_S = 5.0


class EventHubActor(EventHub):
    """Owns the embedded store."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(partial(open_store, settings.store.url))


class SupervisorActor(Supervisor):
    """Reconciles, and reports what waits and runs, for as long as it lives."""

    def __init__(self, settings: Settings) -> None:
        telemetry = Telemetry(RayMeter())
        super().__init__(
            settings,
            shared_store(settings, telemetry),
            open_checkpoints(settings.training.checkpoint_url),
            Placement(settings, EvaluatorActor, TrainerActor),
            SystemClock(),
        )
        self._loop = asyncio.get_running_loop().create_task(self.run())
        self._reporting = asyncio.get_running_loop().create_task(_every(REPORT_S, partial(self._report, telemetry)))

    async def _report(self, telemetry: Telemetry) -> None:
        trainings = [run.document.state async for run in self._unfinished(TrainingRun)]
        telemetry.supervisor(await self.status(), trainings)


class EvaluatorActor(Evaluator):
    """One a node with the resource ``sandbox``."""

    def __init__(self, settings: Settings) -> None:
        owner = ray.get_runtime_context().get_actor_id()
        telemetry = Telemetry(RayMeter())
        store = shared_store(settings, telemetry)
        super().__init__(partial(_make_pool, settings, owner), store, SystemClock(), settings.sandbox.slots)
        self._preparing = asyncio.get_running_loop().create_task(self.prepare())
        self._reporting = asyncio.get_running_loop().create_task(_every(REPORT_S, partial(self._report, telemetry)))

    async def _report(self, telemetry: Telemetry) -> None:
        telemetry.pool(await self.status())


class TrainerActor(Trainer):
    """One a training session."""

    def __init__(self, settings: Settings, run: TrainingRun, epoch: int) -> None:
        super().__init__(
            run,
            epoch,
            shared_store(settings, Telemetry(RayMeter())),
            open_checkpoints(settings.training.checkpoint_url),
            make_engine,
            SystemClock(),
            Path(settings.state_dir) / "scratch",
        )


def shared_store(settings: Settings, telemetry: Telemetry | None = None) -> Store:
    """The store as any process of the cluster reaches it: through the event hub, or a server of its own.

    With ``telemetry``, what is appended through it is noted there.
    """
    if settings.store.embedded:
        hub = find(str(options.EVENT_HUB["name"]))
        if hub is None:
            raise Unavailable("the event hub is not running")
        reach = partial(call, hub, "call")
    else:
        reach = EventHub(partial(open_store, settings.store.url)).call
    return MeteredStore(reach, telemetry) if telemetry else StoreHandle(reach)


def start(settings: Settings) -> None:
    """Start the event hub (with an embedded store) and the supervisor, where they do not run already."""
    if settings.store.embedded:
        spawn(EventHubActor, options.EVENT_HUB, settings)
    spawn(SupervisorActor, options.SUPERVISOR, settings)


def make_engine(request: TrainingRequest) -> TrainingEngine:
    """The engine that ``request`` names."""
    if request.engine == "simulated":
        from rlplatform.training.simulated import SimulatedEngine

        return SimulatedEngine(request)
    if request.engine == "rllib":
        from actors.rllib.engine import RllibEngine

        return RllibEngine(request)
    raise InvalidRequest(f"no such engine: {request.engine}", field="engine")


async def _every(period_s: float, report: Callable[[], Awaitable[None]]) -> None:
    """Report again and again; a report that fails is left out."""
    while True:
        try:
            await report()
        except Exception as error:
            log.warning("nothing is reported this time: %s", error)
        await asyncio.sleep(period_s)


def _make_pool(settings: Settings, owner: str) -> SandboxPool:
    from rlplatform.sandbox.docker_pool import DockerPool

    return DockerPool(settings.sandbox, owner)
