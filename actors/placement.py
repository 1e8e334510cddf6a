"""Placement: evaluators on nodes with sandboxes, trainers in placement groups of their own. A ``Launcher`` over Ray."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import ray
from ray.util import list_named_actors
from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy, PlacementGroupSchedulingStrategy

from actors import options
from actors.handles import EvaluatorHandle, TrainerHandle, find, spawn, submit
from rlplatform.errors import CapacityExhausted, PlatformError
from rlplatform.runs import TrainingRun
from rlplatform.settings import Settings
from rlplatform.training.models import TrainingRequest

log = logging.getLogger(__name__)

_OURS = re.compile(r"trainer:(?P<training>train_\w+):(?P<epoch>\d+)")


def bundles_of(request: TrainingRequest) -> list[dict[str, float]]:
    """What a session is placed on: the trainer first, then its env runners (RLlib's layout), then its learners."""
    wanted = request.resources
    learner = {"CPU": 1.0} | ({"GPU": wanted.num_gpus_per_learner} if wanted.num_gpus_per_learner else {})
    local_gpu = {} if wanted.num_learners else {k: v for k, v in learner.items() if k == "GPU"}
    return [
        {"CPU": 1.0} | local_gpu,
        *({"CPU": 1.0} for _ in range(wanted.num_env_runners)),
        *(learner for _ in range(wanted.num_learners)),
    ]


class Placement:
    """Starts evaluators and trainers. ``evaluator`` and ``trainer`` are the actor classes, built from settings."""

    def __init__(self, settings: Settings, evaluator: type, trainer: type) -> None:
        self._settings = settings
        self._evaluator = evaluator
        self._trainer = trainer
        self._evaluators: dict[str, EvaluatorHandle] = {}

    async def evaluators(self) -> list[EvaluatorHandle]:
        """One for each living node with the resource ``sandbox`` (see the link)."""
        nodes = await _in_thread(ray.nodes)
        alive = {
            node["NodeID"]
            for node in nodes
            if node["Alive"] and node["Resources"].get(options.SANDBOX_RESOURCE, 0) >= 1
        }
        names = await _in_thread(_names)
        found = {}
        for node in sorted(alive):
            name = options.evaluator_name(node)
            known = self._evaluators.get(node)
            found[node] = known if known and name in names else await _in_thread(self._start_evaluator, node)
        self._evaluators = found
        return list(found.values())

    def _start_evaluator(self, node: str) -> EvaluatorHandle:
        name = options.evaluator_name(node)
        pinned = NodeAffinitySchedulingStrategy(node, soft=False)
        actor = spawn(
            self._evaluator, {**options.EVALUATOR, "name": name, "scheduling_strategy": pinned}, self._settings
        )
        return EvaluatorHandle(name, self._settings.sandbox.slots, actor)

    def check(self, request: TrainingRequest) -> None:
        """Whether the cluster is large enough (see the link)."""
        have = ray.cluster_resources()
        wanted: dict[str, float] = {}
        for bundle in bundles_of(request):
            for name, amount in bundle.items():
                wanted[name] = wanted.get(name, 0.0) + amount
        for name, amount in wanted.items():
            if amount > have.get(name, 0.0):
                raise CapacityExhausted(
                    f"this training needs {amount:g} {name}; the whole cluster has {have.get(name, 0.0):g}. "
                    "Ask for fewer env runners or learners, or add nodes",
                    field="resources",
                )

    async def launch(self, run: TrainingRun, epoch: int) -> TrainerHandle:
        """Place a trainer (see the link)."""
        name = options.trainer_name(run.id, epoch)
        group = placement_group(bundles_of(run.document.request), strategy="PACK", name=name, lifetime="detached")
        timeout = self._settings.training.placement_timeout_s
        try:
            await asyncio.wait_for(_until_ready(group), timeout)
            actor = await _in_thread(self._start_trainer, name, group, run, epoch)
        except BaseException as error:
            remove_placement_group(group)
            if isinstance(error, TimeoutError):
                raise CapacityExhausted(f"no room in the cluster within {timeout:g} s") from None
            raise
        return TrainerHandle(actor, submit(actor, "run"), _release(name))

    def _start_trainer(self, name: str, group: PlacementGroup, run: TrainingRun, epoch: int) -> Any:
        strategy = PlacementGroupSchedulingStrategy(group, 0, placement_group_capture_child_tasks=True)
        chosen = {**options.TRAINER, "name": name, "scheduling_strategy": strategy}
        if gpus := bundles_of(run.document.request)[0].get("GPU"):
            chosen["num_gpus"] = gpus
        return spawn(self._trainer, chosen, self._settings, run, epoch)

    async def find(self, run: TrainingRun) -> TrainerHandle | None:
        """The living trainer of a run's present epoch (see the link)."""
        name = options.trainer_name(run.id, run.epoch)
        actor = await _in_thread(find, name)
        return TrainerHandle(actor, submit(actor, "join"), _release(name)) if actor else None

    async def reap(self, keep: Collection[str]) -> None:
        """End what belongs to nobody (see the link)."""
        await _in_thread(_reap, frozenset(keep))

    async def close(self) -> None:
        """End all evaluators (see the link)."""
        for handle in self._evaluators.values():
            with suppress(PlatformError):
                await handle.close()
        self._evaluators = {}


def _names() -> set[str]:
    return {
        entry["name"] for entry in list_named_actors(all_namespaces=True) if entry["namespace"] == options.NAMESPACE
    }


def _groups() -> dict[str, str]:
    """Placement groups that stand, by name."""
    table = placement_group_table()
    return {group["name"]: key for key, group in table.items() if group["state"] != "REMOVED" and group["name"]}


def _release(name: str) -> Callable[[], None]:
    def release() -> None:
        if actor := find(name):
            ray.kill(actor)
        if key := _groups().get(name):
            remove_placement_group(PlacementGroup(ray.PlacementGroupID(bytes.fromhex(key))))

    return release


def _reap(keep: frozenset[str]) -> None:
    for name in _names() | set(_groups()):
        match = _OURS.fullmatch(name)
        if match and match["training"] not in keep:
            log.warning("reaping %s: no training of ours", name)
            _release(name)()


async def _until_ready(group: PlacementGroup) -> None:
    await group.ready()


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)
