"""Start evaluators on nodes with sandboxes, and trainers in placement groups. Implements the ``Launcher`` over Ray."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import ray
from ray._private.state import available_resources_per_node
from ray.actor import ActorHandle
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy

from actors import options
from actors.handles import EvaluatorHandle, TrainerHandle
from actors.placement import draining
from actors.placement.cluster_capacity import Room, bundles_of, bundles_of_request, check_request
from actors.placement.groups import PlacementGroups
from actors.placement.sandbox_nodes import SandboxNodes
from actors.placement.warm_trainers import WarmTrainerPool
from actors.rpc.ray_calls import find, in_thread, kill, living, run_on, spawn, submit, to_its_end
from rlplatform.clock import Clock
from rlplatform.errors import CapacityExhausted, PlatformError
from rlplatform.load import NodeLoad
from rlplatform.retries import with_timeout
from rlplatform.settings import Settings
from rlplatform.spans import span
from rlplatform.training.models import TrainingRequest
from rlplatform.training.record import TrainingRun

log = logging.getLogger(__name__)

FORGET_S = 60.0


class RayLauncher:
    """Starts evaluators and trainers. The three types are actor classes, built from settings.

    On nodes that run nothing but submissions, actors get no secret: they reach the store through another actor.
    """

    def __init__(self, settings: Settings, evaluator: type, trainer: type, study_owner: type, clock: Clock) -> None:
        self._settings = settings
        self._worker_settings = settings.without_pepper()
        self._evaluator = evaluator
        self._trainer = trainer
        self._study_owner = study_owner
        self._clock = clock
        self._evaluators: dict[str, EvaluatorHandle] = {}
        self._groups = PlacementGroups(clock)
        self._sandbox_nodes = SandboxNodes(settings.cluster.max_resources, settings.sandbox.slots, clock)
        self._warm = WarmTrainerPool(settings.training.warm_trainers, self._start_warm_trainer, clock)
        self._waiters = ThreadPoolExecutor(2, thread_name_prefix="placing")

    @property
    def grows(self) -> bool:
        """True if an autoscaler adds nodes for waiting actors (see the port)."""
        return bool(self._settings.cluster.max_resources)

    @property
    def brings_sandboxes(self) -> bool:
        """True if an autoscaler adds nodes with sandboxes (see the port)."""
        return self._sandbox_nodes.scales

    async def capacity(self) -> int:
        """Return how many trainings of one CPU have room (see the port)."""
        rooms = await in_thread(_rooms)
        return max(sum(room.cpus for room in rooms), int(self._settings.cluster.max_resources.get("CPU", 0)))

    async def scale(self, evaluations: int) -> None:
        """Ask for nodes with sandboxes (see the port)."""
        await in_thread(self._sandbox_nodes.want, evaluations)

    async def evaluators(self) -> list[EvaluatorHandle]:
        """Return the evaluator of each living node with the resource ``sandbox`` (see the port).

        Idle evaluators are ended on nodes that are about to leave, and beyond those that an autoscaler is asked for: it
        gives back only nodes that are empty.
        """
        leaving = await in_thread(draining.draining_nodes)
        self._evaluators = await in_thread(self._find_evaluators, leaving)
        for node, evaluator in self._evaluators.items():
            evaluator.leaving = node in leaving
        for node, evaluator in self._beyond_target():
            with suppress(PlatformError):
                if not await evaluator.active():
                    await evaluator.close()
                    del self._evaluators[node]
        return list(self._evaluators.values())

    def _beyond_target(self) -> list[tuple[str, EvaluatorHandle]]:
        target = self._sandbox_nodes.target
        staying = [(node, evaluator) for node, evaluator in self._evaluators.items() if not evaluator.leaving]
        leaving = [(node, evaluator) for node, evaluator in self._evaluators.items() if evaluator.leaving]
        return leaving + ([] if target is None else staying[target:])

    async def nodes(self) -> list[NodeLoad]:
        """Return the living nodes of the cluster (see the port)."""
        return await in_thread(self._nodes)

    async def drain(self, node_id: str, within_s: float) -> None:
        """Place nothing more on a node (see the port)."""
        await in_thread(draining.drain, node_id, within_s)

    async def leaving(self) -> set[str]:
        """Return the trainings on nodes that are about to leave (see the port)."""
        nodes = await in_thread(draining.draining_nodes)
        placed = await in_thread(self._nodes_of_trainings) if nodes else {}
        return {training for training, used in placed.items() if used & nodes}

    def _nodes(self) -> list[NodeLoad]:
        free, leaving = available_resources_per_node(), draining.draining_nodes()
        placed = self._nodes_of_trainings() if leaving else {}
        return [
            NodeLoad(
                node=node["NodeID"],
                address=node["NodeManagerAddress"],
                role=_role(node),
                cpus=node["Resources"].get("CPU", 0),
                free_cpus=round(free.get(node["NodeID"], {}).get("CPU", 0), 3),
                gpus=node["Resources"].get("GPU", 0),
                draining=node["NodeID"] in leaving,
                moving=sum(node["NodeID"] in used for used in placed.values()) if node["NodeID"] in leaving else 0,
            )
            for node in _living()
        ]

    def _nodes_of_trainings(self) -> dict[str, set[str]]:
        """Return the nodes that each training has resources on; Ray is asked about one after the other."""
        found: dict[str, set[str]] = {}
        for name in self._groups.names():
            training, group = options.training_of(name), self._groups.find(name)
            if training is not None and group is not None:
                found[training] = set(placement_group_table(group).get("bundles_to_node_id", {}).values())
        return found

    async def check(self, request: TrainingRequest) -> None:
        """Check that the cluster is large enough, or can become so (see the port)."""
        check_request(request, await in_thread(_rooms), self._settings.cluster.max_resources)

    async def launch(self, run: TrainingRun, epoch: int) -> TrainerHandle:
        """Start a trainer on the run's placement group (see the port)."""
        await self._end_trainers(run.id)
        timeout = self._settings.training.placement_timeout_s
        name = options.placement_name(run.id, run.tenant)
        group = await in_thread(self._groups.find, name)
        if group is None:
            group = await to_its_end(self._make_group, run)
        try:
            with span("placement"):
                ready = await asyncio.get_running_loop().run_in_executor(self._waiters, group.wait, timeout)
            if not ready:
                raise CapacityExhausted(f"no room in the cluster within {timeout:g} s")
            actor = await self._warm_trainer(group, run, epoch)
            if actor is None:
                actor = await to_its_end(self._start_trainer, group, run, epoch)
        except BaseException:
            self._groups.remove(name)
            raise
        return TrainerHandle(actor, options.task_name("train", run.id, run.tenant))

    async def find(self, run: TrainingRun) -> TrainerHandle | None:
        """Return the living trainer of a run's current epoch (see the port)."""
        actor = await in_thread(find, options.trainer_name(run.id, run.epoch, run.tenant))
        actor = actor or await self._warm.find(run.id, run.epoch)
        return TrainerHandle(actor, options.task_name("train", run.id, run.tenant)) if actor else None

    async def placed(self) -> set[str]:
        """Return the ids of trainings with a trainer or a placement group (see the port)."""
        names = await in_thread(living) | await in_thread(self._groups.names)
        return {training for name in names if (training := options.training_of(name))} | await self._warm.owners()

    async def free(self, training_id: str) -> None:
        """End a training's trainers and remove its placement group (see the port)."""
        await self._end_trainers(training_id)
        for name in await in_thread(self._groups.names):
            if options.training_of(name) == training_id:
                await in_thread(self._groups.remove, name)

    async def close(self) -> None:
        """End all evaluators (see the port)."""
        names = [name for name in await in_thread(living) if name.startswith(options.EVALUATOR_PREFIX)]
        actors = [(name, await in_thread(find, name)) for name in names]
        await asyncio.gather(*(EvaluatorHandle(name, 0, actor).close() for name, actor in actors if actor))
        self._evaluators = {}
        await self._warm.end()
        if owner := await in_thread(find, str(options.STUDY_OWNER["name"])):
            await kill(owner)

    async def delete_run_folders(self, training_ids: Sequence[str]) -> None:
        """Remove the run folders of trainings (see the port). Folders on nodes that do not answer stay."""
        folders = [str(folder) for training_id in training_ids if (folder := self._settings.run_folder(training_id))]
        if folders:
            nodes = [node["NodeID"] for node in await in_thread(_living)]
            await asyncio.gather(*(self._remove_folders(node, folders) for node in nodes))

    async def prepare(self) -> None:
        """Keep some trainers warm (see the port)."""
        await self._warm.refill()

    async def own_studies(self) -> None:
        """Start the owner of studies and wake it (see the port)."""
        owner = await in_thread(spawn, self._study_owner, options.STUDY_OWNER, self._worker_settings)
        submit(owner, "wake")  # not waited for: a new owner looks by itself, once it has started

    async def _remove_folders(self, node: str, folders: Sequence[str]) -> None:
        try:
            await with_timeout(self._clock, FORGET_S, run_on(node, remove_folders, folders))
        except (PlatformError, TimeoutError) as error:
            log.warning("run folders stay on node %s: %s", node, error)

    async def _end_trainers(self, training_id: str) -> None:
        await in_thread(_end_trainers, training_id)
        await self._warm.end(training_id)

    def _find_evaluators(self, leaving: set[str]) -> dict[str, EvaluatorHandle]:
        names = living()
        nodes = {
            node["NodeID"]: node
            for node in _living()
            if node["Resources"].get(options.SANDBOX_RESOURCE, 0) >= 1
            and (node["NodeID"] not in leaving or options.evaluator_name(node["NodeID"]) in names)
        }
        known = {node: handle for node, handle in self._evaluators.items() if handle.name in names}
        in_use = {node for node in nodes if options.evaluator_name(node) in names}
        in_order = sorted(nodes, key=lambda node: (node not in in_use, node))
        wanted = in_use.union(in_order[: self._sandbox_nodes.target])
        return {node: known.get(node) or self._start_evaluator(nodes[node]) for node in in_order if node in wanted}

    def _start_evaluator(self, node: dict[str, Any]) -> EvaluatorHandle:
        name = options.evaluator_name(node["NodeID"])
        strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        chosen = {**options.EVALUATOR, "name": name, "scheduling_strategy": strategy}
        actor = spawn(self._evaluator, chosen, self._settings_on(node))
        return EvaluatorHandle(name, self._settings.sandbox.slots, actor)

    def _settings_on(self, node: dict[str, Any]) -> Settings:
        """Return the settings of actors on a node."""
        return self._settings.without_secrets() if _role(node) == options.SANDBOX_ROLE else self._worker_settings

    async def _warm_trainer(self, group: PlacementGroup, run: TrainingRun, epoch: int) -> ActorHandle | None:
        if not self._warm.suits(run.document.request):
            return None
        table = await in_thread(placement_group_table, group)
        return await self._warm.adopt(table["bundles_to_node_id"][0], run, epoch)

    def _start_warm_trainer(self, name: str) -> Any:
        return spawn(self._trainer, {**options.WARM_TRAINER, "name": name}, self._worker_settings)

    def _make_group(self, run: TrainingRun) -> PlacementGroup:
        bundles = bundles_of_request(run.document.request)
        nodes = [{} if options.SANDBOX_RESOURCE in bundle else options.OFF_SANDBOX_NODES for bundle in bundles]
        name = options.placement_name(run.id, run.tenant)
        group = placement_group(bundles, strategy="PACK", name=name, lifetime="detached", bundle_label_selector=nodes)
        self._groups.add(name, group)
        return group

    def _start_trainer(self, group: PlacementGroup, run: TrainingRun, epoch: int) -> ActorHandle:
        strategy = PlacementGroupSchedulingStrategy(group, 0, placement_group_capture_child_tasks=True)
        name = options.trainer_name(run.id, epoch, run.tenant)
        chosen = {**options.TRAINER, "name": name, "scheduling_strategy": strategy}
        if gpus := bundles_of(run.document.request.resources)[0].get("GPU"):
            chosen["num_gpus"] = gpus
        first = placement_group_table(group)["bundles_to_node_id"][0]
        settings = next((self._settings_on(node) for node in _living() if node["NodeID"] == first), None)
        return spawn(self._trainer, chosen, settings or self._worker_settings, run, epoch)


def remove_folders(folders: Sequence[str]) -> None:
    """Remove the ``folders`` that exist on this node."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _rooms() -> list[Room]:
    """Return the room of each living node for trainings, free or in use."""
    free = available_resources_per_node()
    leaving = draining.draining_nodes()
    return [
        Room.of(node["Resources"], free.get(node["NodeID"], {}), _role(node))
        for node in _living()
        if node["NodeID"] not in leaving
    ]


def _living() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _role(node: dict[str, Any]) -> str | None:
    role: str | None = node["Labels"].get(options.ROLE_LABEL)
    return role


def _end_trainers(training_id: str) -> None:
    for name in living():
        if name.startswith(f"trainer:{training_id}:") and (actor := find(name)):
            ray.kill(actor)
