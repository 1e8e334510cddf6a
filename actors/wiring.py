"""The actors as Ray runs them: each builds its plain class from settings, in its own process."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import ray

from actors import options
from actors.evaluator import Evaluator
from actors.event_hub import EventHub
from actors.handles import StoreHandle, call, find, spawn
from actors.placement import Placement
from actors.supervisor import Supervisor
from actors.trainer import Trainer
from rlplatform.clock import SystemClock
from rlplatform.errors import InvalidRequest, Unavailable
from rlplatform.ports import SandboxPool, Store, TrainingEngine
from rlplatform.runs import TrainingRun
from rlplatform.settings import Settings
from rlplatform.storage import open_checkpoints, open_store
from rlplatform.training.models import TrainingRequest


class EventHubActor(EventHub):
    """Owns the embedded store."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(partial(open_store, settings.store.url))


class SupervisorActor(Supervisor):
    """Reconciles for as long as it lives."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            settings,
            shared_store(settings),
            open_checkpoints(settings.training.checkpoint_url),
            Placement(settings, EvaluatorActor, TrainerActor),
            SystemClock(),
        )
        self._loop = asyncio.get_running_loop().create_task(self.run())


class EvaluatorActor(Evaluator):
    """One a node with the resource ``sandbox``."""

    def __init__(self, settings: Settings) -> None:
        owner = ray.get_runtime_context().get_actor_id()
        super().__init__(
            partial(_make_pool, settings, owner), shared_store(settings), SystemClock(), settings.sandbox.slots
        )
        self._preparing = asyncio.get_running_loop().create_task(self.prepare())


class TrainerActor(Trainer):
    """One a training session."""

    def __init__(self, settings: Settings, run: TrainingRun, epoch: int) -> None:
        super().__init__(
            run,
            epoch,
            shared_store(settings),
            open_checkpoints(settings.training.checkpoint_url),
            make_engine,
            SystemClock(),
            Path(settings.state_dir) / "scratch",
        )


def shared_store(settings: Settings) -> Store:
    """The store as any process of the cluster reaches it: through the event hub, or a server of its own."""
    if not settings.store.embedded:
        return StoreHandle(EventHub(partial(open_store, settings.store.url)).call)
    hub = find(str(options.EVENT_HUB["name"]))
    if hub is None:
        raise Unavailable("the event hub is not running")
    return StoreHandle(partial(call, hub, "call"))


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


def _make_pool(settings: Settings, owner: str) -> SandboxPool:
    from rlplatform.sandbox.docker_pool import DockerPool

    return DockerPool(settings.sandbox, owner)
