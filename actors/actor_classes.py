"""The actors as Ray runs them: each builds its plain class from settings, in its own process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import ray

from actors import options
from actors.evaluation.evaluator import Evaluator
from actors.handles import SupervisorHandle
from actors.placement.launcher import RayLauncher
from actors.ray_meter import RayMeter
from actors.rpc.ray_calls import spawn
from actors.rpc.unix_rpc import Address, UnixRpcServer
from actors.store.connection import connect_store
from actors.store.server import StoreServer
from actors.studies.owner import StudyOwner
from actors.supervisor import Supervisor
from actors.training.engines import make_engine, warm_up
from actors.training.trainer import Trainer
from actors.training.user_code import install_user_code
from rlplatform import spans
from rlplatform.clock import SystemClock
from rlplatform.environments import environment_modules
from rlplatform.errors import Conflict, PlatformError
from rlplatform.evaluation.attachments import AttachedFiles
from rlplatform.evaluation.judge import Bounds
from rlplatform.files.node_cache import NodeCache
from rlplatform.files.service import FileService
from rlplatform.load import PlatformLoad
from rlplatform.lti.gradebook import Gradebook
from rlplatform.lti.passback import GradePassback
from rlplatform.lti.tool_key import ToolKey
from rlplatform.sandbox.ports import SandboxPool
from rlplatform.settings import Settings
from rlplatform.storage import open_archive, open_checkpoints, open_episodes, open_files, open_platform_store
from rlplatform.storage.measures import last_backup, store_size
from rlplatform.store import Store
from rlplatform.telemetry import logs, traces
from rlplatform.telemetry.metrics import Telemetry
from rlplatform.training.record import TrainingRun
from rlplatform.user_environments.service import UserEnvironments
from rlplatform.webhooks.deliverer import Deliverer
from rlplatform.webhooks.sender import Sender
from rlplatform.webhooks.signatures import Signer

log = logging.getLogger(__name__)

REPORT_S = 5.0


class UnixRpcActor:
    """Actor that processes of its node can call over a socket."""

    def _listen(self, path: Path) -> None:
        self._listener = UnixRpcServer(self)
        self._listening = asyncio.get_running_loop().create_task(self._listener.open(path))

    async def line(self) -> Address | None:
        """Return the address of its socket; None if it can be called only through Ray."""
        if (path := await self._listening) is None:
            return None
        return Address(ray.get_runtime_context().get_node_id(), path, self._listener.token)


class StoreServerActor(UnixRpcActor, StoreServer):
    """Owns the embedded store; or, as the relay, connects nodes without secrets with the database server."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, "store")
        traces.configure(settings, "store")
        super().__init__(partial(open_platform_store, settings))
        self._listen(settings.state_dir / ("store.sock" if settings.store.embedded else "store_relay.sock"))


class SupervisorActor(UnixRpcActor, Supervisor):
    """Reconciles, and reports queues and runs, while it lives."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, "supervisor")
        traces.configure(settings, "supervisor")
        telemetry = Telemetry(RayMeter())
        environment_modules.configure(settings.training.environment_modules)
        super().__init__(
            settings,
            connect_store(settings, telemetry),
            open_checkpoints(settings.training.checkpoint_url),
            RayLauncher(settings, EvaluatorActor, TrainerActor, StudyOwnerActor, SystemClock()),
            SystemClock(),
            files=open_files(settings),
            episodes=open_episodes(settings),
            archive=open_archive(settings),
        )
        self._loop = asyncio.get_running_loop().create_task(self.run())
        self._reporting = asyncio.get_running_loop().create_task(_every(REPORT_S, partial(self._report, telemetry)))
        self._deliverer = make_deliverer(settings, self._store)
        self._delivering = asyncio.get_running_loop().create_task(self._deliverer.run())
        self._grading = asyncio.get_running_loop().create_task(make_passback(settings, self._store).run())
        self._listen(settings.state_dir / "supervisor.sock")

    async def load(self) -> PlatformLoad:
        """Return the load of the platform (see the port), with the measures of this process and of the storage."""
        load = await super().load()
        size = await asyncio.to_thread(store_size, self._settings.store.url)
        changes: dict[str, object] = {
            "store": load.store.model_copy(update=size._asdict()),
            "webhooks_waiting": self._deliverer.waiting,
        }
        with suppress(PlatformError):
            changes["last_backup_at"] = await asyncio.to_thread(last_backup, self._settings)
        return load.model_copy(update=changes)

    async def _report(self, telemetry: Telemetry) -> None:
        telemetry.load(await self.load())
        trainings = [run.document.state async for run in self._unfinished(TrainingRun)]
        telemetry.supervisor(await self.status(), trainings)


class EvaluatorActor(Evaluator):
    """Evaluator of one node with the resource ``sandbox``."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, "evaluator")
        traces.configure(settings, "evaluator")
        owner = ray.get_runtime_context().get_actor_id()
        assert owner is not None, "an evaluator is an actor"
        telemetry = Telemetry(RayMeter())
        store = connect_store(settings, telemetry)
        files = make_attached_files(settings, store)
        clock = SystemClock()
        find_code = UserEnvironments(store, clock).code_of
        super().__init__(
            partial(_make_pool, settings, owner),
            store,
            clock,
            settings.sandbox.slots,
            files,
            find_code,
            Bounds(settings.evaluation.max_total_wall_time_s, settings.evaluation.max_kept_mib << 20),
            open_episodes(settings),
        )
        self._preparing = asyncio.get_running_loop().create_task(self.prepare())
        self._reporting = asyncio.get_running_loop().create_task(_every(REPORT_S, partial(self._report, telemetry)))

    async def _report(self, telemetry: Telemetry) -> None:
        telemetry.pool(await self.status())


class TrainerActor:
    """Trainer of one training session.

    Created without a session, it runs an engine to warm up, and waits for a session.

    A trainer that receives a session while it warms up starts training right after its imports: no other trainer would
    be faster.
    """

    def __init__(self, settings: Settings, run: TrainingRun | None = None, epoch: int = 0) -> None:
        logs.configure(settings, "trainer")
        traces.configure(settings, "trainer")
        environment_modules.configure(settings.training.environment_modules)
        self._settings = settings
        self._trainer: Trainer | None = None
        self._owner: tuple[str | None, int] = (None, 0)
        self._simulated = False
        self._warming: asyncio.Future[None] | None = None
        if run is None:
            self._warming = asyncio.ensure_future(asyncio.to_thread(warm_up, lambda: self._trainer is not None))
        else:
            self.adopt(run, epoch)

    def adopt(self, run: TrainingRun, epoch: int) -> None:
        """Accept a session.

        Raises:
            Conflict: the trainer already has a session.
        """
        if self._trainer:
            raise Conflict("this trainer has a session already")
        self._owner = (run.id, epoch)
        self._simulated = run.simulated
        store = connect_store(self._settings, Telemetry(RayMeter()))
        self._trainer = Trainer(
            run,
            epoch,
            store,
            open_checkpoints(self._settings.training.checkpoint_url),
            make_engine,
            SystemClock(),
            Path(self._settings.state_dir) / "scratch",
            self._settings.run_folder(run.id),
            open_episodes(self._settings),
            lambda run: install_user_code(run, store, SystemClock(), self._settings.sandbox),
        )

    def location(self) -> tuple[str, str | None, int]:
        """Return the node, the training and its epoch."""
        return (ray.get_runtime_context().get_node_id(), *self._owner)

    async def run(self) -> None:
        """Train (see ``Trainer``)."""
        assert self._trainer
        if self._warming and not self._simulated:
            await asyncio.wait({self._warming})
        try:
            with spans.span("trainer", run=self._owner[0], epoch=self._owner[1]):
                await self._trainer.run()
        finally:  # what comes next is the end of this process
            await asyncio.to_thread(spans.flush)

    def command(self, command: str, *details: str) -> None:
        """Carry out a command (see ``Trainer``)."""
        assert self._trainer
        self._trainer.command(command, *details)


class StudyOwnerActor(StudyOwner):
    """Owner of all studies. Ray restarts it where it was lost; it continues from the log."""

    def __init__(self, settings: Settings) -> None:
        logs.configure(settings, "studies")
        traces.configure(settings, "studies")
        store = connect_store(settings, Telemetry(RayMeter()))
        super().__init__(store, SupervisorHandle(), SystemClock())
        self._loop = asyncio.get_running_loop().create_task(self.run())


def start(settings: Settings) -> None:
    """Start the store server, or its relay for nodes without secrets, and the supervisor, unless they already run."""
    store = options.STORE_SERVER if settings.store.embedded else options.STORE_RELAY
    spawn(StoreServerActor, store, settings.without_pepper())
    spawn(SupervisorActor, options.SUPERVISOR, settings)


def make_deliverer(settings: Settings, store: Store) -> Deliverer:
    """Make the deliverer, which notifies webhooks of finished runs."""
    sender = Sender(allow_private=settings.webhooks.allow_private, timeout_s=settings.webhooks.timeout_s)
    return Deliverer(store, settings.webhooks, Signer(settings.access.pepper), sender, SystemClock())


def make_passback(settings: Settings, store: Store) -> GradePassback:
    """Make the object that sends grades to learning platforms."""
    clock = SystemClock()
    return GradePassback(store, Gradebook(ToolKey(store, settings.access.pepper), clock), clock)


def make_attached_files(settings: Settings, store: Store) -> AttachedFiles:
    """Make the object that fetches the files of evaluations to this node."""
    storage = open_files(settings)
    cache = NodeCache(storage, file_cache(settings), settings.files.cache_bytes)
    return AttachedFiles(FileService(store, storage, SystemClock(), settings.files), cache)


def file_cache(settings: Settings) -> Path:
    """Return the folder in which a node keeps the files that it uses."""
    return (settings.files.cache_dir or settings.state_dir / "file-cache").absolute()


async def _every(period_s: float, report: Callable[[], Awaitable[None]]) -> None:
    """Call ``report`` periodically; a report that fails is skipped."""
    while True:
        try:
            await report()
        except Exception as error:
            log.warning("nothing is reported this time: %s", error)
        await asyncio.sleep(period_s)


def _make_pool(settings: Settings, owner: str) -> SandboxPool:
    from rlplatform.sandbox.pool.docker_pool import DockerPool

    return DockerPool(settings.sandbox, owner, file_cache(settings) / "mounts")
