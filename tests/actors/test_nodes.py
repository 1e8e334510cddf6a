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
from rlplatform.clock import SystemClock
from rlplatform.ids import Kind, new_id
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


async def test_run_folders_go_on_every_node_however_busy(stage: Stage, nodes: Cluster, tmp_path: Path) -> None:
    settings = stage.settings.model_copy(
        update={"training": stage.settings.training.model_copy(update={"run_dir": str(tmp_path)})}
    )
    gone, kept = new_id(Kind.TRAINING), new_id(Kind.TRAINING)
    for training_id in (gone, kept):
        (tmp_path / training_id / "checkpoints").mkdir(parents=True)
    busy = await stage.train(iterations=10_000)
    await stage.until_iteration(busy, 1)
    placement = RayLauncher(settings, EvaluatorActor, TrainerActor, StudyOwnerActor, SystemClock())
    for _ in range(2):
        await placement.delete_run_folders([gone, new_id(Kind.TRAINING)])
    assert [folder.name for folder in tmp_path.iterdir()] == [kept]
