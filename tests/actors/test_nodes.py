"""The loss of a whole node, on a cluster of several."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from actors import options
from actors.actor_classes import EvaluatorActor, StudyOwnerActor, TrainerActor
from actors.placement.launcher import RayLauncher
from actors.rpc.ray_calls import call, find
from actors.training.controller import MOVES
from rlplatform.clock import SystemClock
from rlplatform.ids import Kind, new_id
from rlplatform.settings import Settings
from tests.actors.conftest import Stage, eventually, placements

pytestmark = [pytest.mark.ray, pytest.mark.anyio]

QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 4,
    "worker_niceness": 0,
}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    """A head that hub and supervisor leave no room for a trainer on, and one node that has."""
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": QUICK_TO_NOTICE}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, namespace=options.NAMESPACE, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def cluster(nodes: Cluster) -> None:
    """In the place of the cluster that other tests run on."""


async def test_a_training_moves_to_another_node(stage: Stage, nodes: Cluster) -> None:
    run = await stage.train(iterations=200)
    await stage.until_iteration(run, 8)
    (worker,) = nodes.worker_nodes
    nodes.remove_node(worker, allow_graceful=False)
    nodes.add_node(num_cpus=1)
    done = await stage.until(run, lambda found: found.final, 90)
    assert (done.state, done.document.progress.iteration) == ("succeeded", 200)
    recovered = [event for event in await stage.events(run) if event["type"] == "training.recovered"]
    assert recovered
    assert recovered[0]["iteration"] >= 5
    await eventually(lambda: not placements())


async def test_a_drained_node_gives_its_training_to_a_node_that_was_added(stage: Stage, nodes: Cluster) -> None:
    run = await stage.train(iterations=10_000)
    await stage.until_iteration(run, 8)
    before = (await call(find(await stage.trainer(run)), "location"))[0]
    added = nodes.add_node(num_cpus=1)
    drained = await stage.commands.drain_node(before, 300)
    assert (drained.node, drained.draining) == (before, True)

    async def recovered() -> bool:
        return "recovered" in await stage.types(run)

    await eventually(recovered, 90)
    assert (await call(find(await stage.trainer(run)), "location"))[0] == added.node_id
    events = {event["type"].removeprefix("training."): event for event in await stage.events(run)}
    assert (events["interrupted"]["planned"], events["interrupted"]["reason"]) == (True, MOVES)
    assert events["recovered"]["redone_iterations"] == 0, "it saved a checkpoint before it left"
    assert (await stage.get(run)).document.restarts == 0
    left = [node for node in await RayLauncher(*launcher_of(stage)).nodes() if node.node == before]
    assert all(node.draining and not node.moving for node in left), "it leaves as soon as it is empty"


def launcher_of(stage: Stage) -> tuple[Settings, type, type, type, SystemClock]:
    return stage.settings, EvaluatorActor, TrainerActor, StudyOwnerActor, SystemClock()


async def test_run_folders_go_on_every_node_however_busy(stage: Stage, nodes: Cluster, tmp_path: Path) -> None:
    settings = stage.settings.model_copy(
        update={"training": stage.settings.training.model_copy(update={"run_dir": str(tmp_path)})}
    )
    gone, kept = new_id(Kind.TRAINING), new_id(Kind.TRAINING)
    for training_id in (gone, kept):
        (tmp_path / training_id / "checkpoints").mkdir(parents=True)
    busy = await stage.train(iterations=10_000)
    await stage.until_iteration(busy, 1)
    placement = RayLauncher(settings, *launcher_of(stage)[1:])
    for _ in range(2):
        await placement.delete_run_folders([gone, new_id(Kind.TRAINING)])
    assert [folder.name for folder in tmp_path.iterdir()] == [kept]
