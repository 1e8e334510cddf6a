"""The supervisor: compares the desired state (the store) with the actual state (live actors), and acts.

It admits, dispatches, recovers and reaps runs, and carries out the API's commands. It holds only state that the store
also holds: a new supervisor continues where the last one stopped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from actors.assignments.commands import AssignmentCommandHandler
from actors.evaluation.commands import EvaluationCommandHandler
from actors.evaluation.scheduler import EvaluationScheduler
from actors.ports import Launcher
from actors.studies.commands import StudyCommandHandler
from actors.training.scheduler import TrainingScheduler
from rlplatform.access.principals import Principal
from rlplatform.assignments.grading.judging import SubmissionJudge
from rlplatform.assignments.repository import AssignmentRepository, run_that_uses
from rlplatform.assignments.similarity.process import ComparisonProcess
from rlplatform.assignments.similarity.runner import SimilarityRunner
from rlplatform.clock import Clock, SystemClock
from rlplatform.environments.facts import EnvironmentProbes
from rlplatform.episodes.ports import EpisodeStore
from rlplatform.errors import NotFound, PlatformError, QuotaExceeded
from rlplatform.evaluation.record import EvaluationRun
from rlplatform.files.ports import FileStorage
from rlplatform.files.service import FileService
from rlplatform.health import Dependency, PlatformStatus
from rlplatform.ids import Kind, check_id, created_at
from rlplatform.load import NodeLoad, PlatformLoad, StoreLoad, TenantLoad
from rlplatform.maintenance.archiver import Archiver
from rlplatform.maintenance.retention import Retention
from rlplatform.probing.prober import Prober
from rlplatform.quotas.service import QuotaService
from rlplatform.retries import with_timeout
from rlplatform.runs.archive import EventArchive
from rlplatform.runs.records import Run
from rlplatform.sandbox.models import ImageInfo
from rlplatform.scheduling.admission import QueuePlace
from rlplatform.settings import Settings
from rlplatform.store import Store
from rlplatform.studies.models import StudyState
from rlplatform.training.models import TrainingState
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

RECONCILE_S = 2.0
DRAIN_S = 20.0
SETTLE_S = 5.0
SWEEP_S = 3600.0
PAGE = 100

R = TypeVar("R", EvaluationRun, TrainingRun)

_UNFINISHED: dict[type[Run], tuple[str, tuple[str, ...]]] = {
    EvaluationRun: ("evaluation", ("queued", "running")),
    TrainingRun: ("training", TrainingState.unfinished()),
}


class Supervisor(AssignmentCommandHandler, EvaluationCommandHandler, StudyCommandHandler):
    """Implements the ``Commands`` port over a store and a launcher."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        checkpoints: CheckpointStore,
        launcher: Launcher,
        clock: Clock,
        probes: EnvironmentProbes | None = None,
        files: FileStorage | None = None,
        episodes: EpisodeStore | None = None,
        archive: EventArchive | None = None,
    ) -> None:
        """Wire the schedulers and command handlers.

        If ``probes`` is None, environments are probed in a separate process that the supervisor starts. If ``files`` is
        None, there are no uploaded files. ``episodes`` are removed with their trainings. If ``archive`` is None, all
        events stay in the store.
        """
        super().__init__(store, clock)
        self._settings = settings
        self._checkpoints = checkpoints
        self._launcher = launcher
        self._probes = probes or Prober(SystemClock(), **settings.training.probe_limits)
        self._wake = asyncio.Event()
        self._judge = SubmissionJudge(AssignmentRepository(store), clock, self)
        self._evaluations = EvaluationScheduler(
            store, settings.evaluation, clock, self._wake.set, self._mark_stale, self._judge.ended
        )
        self._trainings = TrainingScheduler(store, launcher, settings.training, clock)
        self._accounts = QuotaService(store, settings.quotas, clock, checkpoints)
        self._retention = Retention(
            store, checkpoints, settings.retention, clock, launcher.delete_run_folders, episodes
        )
        self._archiver = None if archive is None else Archiver(store, archive, settings.archive, clock)
        self._files = None
        if files is not None:
            self._files = FileService(store, files, clock, settings.files, in_use=partial(run_that_uses, store))
        self._similarity = SimilarityRunner(store, clock, self._files, ComparisonProcess())
        self._reconciling = asyncio.Lock()

    async def run(self) -> None:
        """Reconcile until :meth:`drain`; at once if an evaluator is lost. Sweep every hour."""
        sweeping = asyncio.get_running_loop().create_task(self._sweep())
        warming = asyncio.get_running_loop().create_task(self._probes.warm_up())
        judging = asyncio.get_running_loop().create_task(self._judge_on())
        comparing = asyncio.get_running_loop().create_task(self._similarity.run())
        try:
            await self._reconcile_on()
        finally:
            sweeping.cancel()
            warming.cancel()
            judging.cancel()
            comparing.cancel()

    async def _sweep(self) -> None:
        """Remove unfinished checkpoints of killed trainers and what has outlived its retention; archive events."""
        sweeps: dict[str, Callable[[], Awaitable[int]]] = {
            "remove checkpoints that were never committed": partial(asyncio.to_thread, self._checkpoints.sweep),
            "remove runs older than their retention": self._retention.sweep,
        }
        if self._archiver is not None:
            sweeps["archive the events of finished runs"] = self._archiver.sweep
        if self._files is not None:
            sweeps["remove files older than their retention"] = partial(self._files.sweep, self._settings.retention)
        while True:
            for what, sweep in sweeps.items():
                try:
                    if swept := await sweep():
                        log.info("sweep: %s: %d", what, swept)
                except Exception as error:
                    unknown = not isinstance(error, PlatformError)
                    log.warning("cannot %s; trying again in %g s: %s", what, SWEEP_S, error, exc_info=unknown)
            await self._clock.sleep(SWEEP_S)

    async def _judge_on(self) -> None:
        """Judge submissions to assignments, once the runs of the last supervisor are adopted."""
        await self._restored.wait()
        await self._judge.run()

    async def _reconcile_on(self) -> None:
        while not self._draining:
            self._wake.clear()
            try:
                await self.reconcile()
            except Exception:
                log.exception("reconciling failed; trying again")
            with suppress(TimeoutError):
                await with_timeout(self._clock, RECONCILE_S, self._wake.wait())

    async def reconcile(self) -> None:
        """Run one round: adopt unknown unfinished runs, find evaluators, and free resources without an owner."""
        async with self._reconciling:
            if self._draining:
                return
            anew = self._stale or not self._restored.is_set()
            self._stale = False
            try:
                self._trainings.resize(await self._launcher.capacity())
                await self._launcher.scale(self._evaluations.queued + self._evaluations.running)
                self._evaluations.evaluators.coming = self._launcher.brings_sandboxes
                if anew:
                    await self._trainings.restore([run async for run in self._unfinished(TrainingRun)])
                await self._evaluations.refresh(await self._launcher.evaluators())
                if anew and await self._store.summaries("study", states=StudyState.unfinished(), limit=1):
                    await self._launcher.own_studies()
                if anew:
                    await self._evaluations.restore([run async for run in self._unfinished(EvaluationRun)])
            except BaseException:
                self._stale = self._stale or anew
                raise
            self._restored.set()
            await self._update_weights()
            await self._enforce()
            await self._trainings.move(await self._launcher.leaving())
            await self._trainings.reap()
            await self._launcher.prepare()

    async def drain(self, grace_s: float = DRAIN_S) -> None:
        """Stop admitting, let evaluations end, let trainings save a checkpoint and exit, and remove every container.

        Runs that have not ended after ``grace_s`` seconds are interrupted; the next start adopts them.
        """
        self._draining = True
        self._wake.set()
        await asyncio.gather(self._evaluations.drain(grace_s), self._trainings.suspend(grace_s))
        async with self._reconciling:
            await self._launcher.close()
        await self._evaluations.drain(SETTLE_S)
        await self._trainings.reap()
        await self._probes.close()

    async def drain_node(self, node: str, within_s: float) -> NodeLoad:
        """Begin to drain a node: nothing new is placed there, trainings move with a checkpoint, evaluations end there.

        Args:
            node: Id of the node, its beginning, or the node's address.
            within_s: Seconds after which the node ends, whatever still runs there.

        Returns:
            The node as it is now.

        Raises:
            NotFound: no living node, or more than one, is meant.
            Conflict: the cluster refuses.
        """
        found = [one for one in await self._launcher.nodes() if one.node.startswith(node) or one.address == node]
        if len(found) != 1:
            what = "no living node has" if not found else f"{len(found)} nodes have"
            raise NotFound(f"{what} the id or address {node!r}; rlp admin top lists them")
        await self._launcher.drain(found[0].node, within_s)
        self._wake.set()
        return next((one for one in await self._launcher.nodes() if one.node == found[0].node), found[0])

    async def status(self) -> PlatformStatus:
        """Return the state of the platform's parts (see the port)."""
        store_ok, store_detail = True, None
        try:
            await with_timeout(self._clock, 2, self._store.summaries("training", limit=1))
        except (PlatformError, TimeoutError) as error:
            store_ok, store_detail = False, str(error) or "no answer within 2 s"
        sandbox_ok, sandbox_detail = self._evaluations.evaluators.availability()
        ray_ok = self._restored.is_set()
        return PlatformStatus(
            dependencies=(
                Dependency("store", store_ok, store_detail),
                Dependency("sandbox", sandbox_ok, sandbox_detail),
                Dependency("ray", ray_ok, None if ray_ok else "the supervisor is starting"),
            ),
            queued_evaluations=self._evaluations.queued,
            running_evaluations=self._evaluations.running,
            running_trainings=self._trainings.running,
        )

    async def load(self) -> PlatformLoad:
        """Return the load of the platform (see the port)."""
        began = self._clock.monotonic()
        answer_s = None
        with suppress(PlatformError, TimeoutError):
            await with_timeout(self._clock, 2, self._store.summaries("training", limit=1))
            answer_s = round(self._clock.monotonic() - began, 6)
        now = self._clock.now()
        oldest = min((created_at(run_id) for run_id in self._evaluations.queue.items()), default=now)
        return PlatformLoad(
            at=now,
            tenants=self._tenants(),
            oldest_queued_s=max(0.0, round((now - oldest).total_seconds(), 3)),
            sandboxes=self._evaluations.sandboxes(),
            nodes=list(await self._launcher.nodes()),
            store=StoreLoad(kind=self._settings.store.url.partition(":")[0], answer_s=answer_s),
        )

    def _tenants(self) -> list[TenantLoad]:
        evaluations, trainings = self._evaluations.running_by_tenant(), self._trainings.running_by_tenant()
        queues = self._evaluations.queue, self._trainings.queue
        found = [
            TenantLoad(
                tenant=tenant,
                queued_evaluations=queues[0].waiting(tenant),
                running_evaluations=evaluations[tenant],
                queued_trainings=queues[1].waiting(tenant),
                running_trainings=trainings[tenant],
            )
            for tenant in {*queues[0].tenants(), *queues[1].tenants(), *evaluations, *trainings}
        ]
        return sorted(found, key=lambda one: (-one.total, one.tenant))

    def places(self, run_ids: Sequence[str]) -> list[QueuePlace | None]:
        """Return the place of each run in the queue (see the port)."""
        return [self._evaluations.place(run_id) or self._trainings.place(run_id) for run_id in run_ids]

    async def delete_run(self, run_id: str, principal: Principal) -> None:
        """Delete a finished run (see the port)."""
        await self._open()
        try:
            run = await self._store.get(check_id(run_id, Kind.EVALUATION, Kind.TRAINING))
        except NotFound:
            return
        principal.require_visible(run.tenant, run.created_by, run.kind)
        await self._uncancellable(self._retention.delete_run(run))
        self._accounts.measure(run.tenant)

    def images(self) -> list[ImageInfo]:
        """Return the images that submissions can run in (see the port)."""
        return self._evaluations.evaluators.images()

    async def _update_weights(self) -> None:
        """Give waiting tenants their current shares, including tenants that an earlier supervisor admitted."""
        for queue in (self._evaluations.queue, self._trainings.queue):
            for tenant in queue.tenants():
                queue.weigh(tenant, (await self._accounts.quotas(tenant)).weight)

    async def _enforce(self) -> None:
        """Stop the trainings of tenants that have used up their environment steps of the day."""
        for tenant in self._trainings.tenants():
            try:
                await self._accounts.check_progress(tenant)
            except QuotaExceeded as exceeded:
                await self._trainings.stop_all(tenant, f"quota_{exceeded.extra['quota']}")

    async def _unfinished(self, cls: type[R]) -> AsyncIterator[R]:
        kind, states = _UNFINISHED[cls]
        before = None
        while page := await self._store.find(kind, states=states, before=before, limit=PAGE):
            for run in page:
                assert isinstance(run, cls)
                yield run
            before = page[-1].id
