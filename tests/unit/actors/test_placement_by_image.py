"""Evaluations go to nodes that have their image."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actors.supervisor import Supervisor
from rlplatform.access.principals import Principal
from rlplatform.errors import InvalidRequest, UnknownName
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.settings import Settings
from rlplatform.storage.memory import MemoryStore
from rlplatform.testing.actors import FakeEvaluator, FakeLauncher
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.settling import settle

pytestmark = pytest.mark.anyio

PRINCIPAL = Principal(id="key_0", tenant="acme", scopes=frozenset({"evaluate", "read"}))


class Cluster:
    """Two nodes with one slot each, of which only the second has the image *torch*."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(self.clock)
        self.one = FakeEvaluator("one", self.store, self.clock)
        self.two = FakeEvaluator("two", self.store, self.clock)
        self.one.images = ["python-rl", "python"]
        self.two.images = ["python-rl", "torch"]
        launcher = FakeLauncher(self.store, self.clock)
        launcher.evaluators_ = [self.one, self.two]
        self.supervisor = Supervisor(Settings(), self.store, MemoryCheckpoints(), launcher, self.clock)

    async def submit(self, image: str | None) -> str:
        request = EvaluationRequest.model_validate({"source": "1", "tests": [{"id": "t"}], "image": image})
        run, _ = await self.supervisor.submit_evaluation(request, PRINCIPAL)
        await settle()
        return run.id


@pytest.fixture
async def cluster(anyio_backend: str) -> AsyncIterator[Cluster]:
    cluster = Cluster()
    await cluster.supervisor.reconcile()
    yield cluster
    for evaluator in (cluster.one, cluster.two):
        for run_id in list(evaluator.at_work):
            evaluator.finish(run_id)
    await settle()


async def test_an_image_is_used_where_it_is(cluster: Cluster) -> None:
    first, second = await cluster.submit("torch"), await cluster.submit("python")
    assert list(cluster.two.at_work) == [first]
    assert list(cluster.one.at_work) == [second]


async def test_what_waits_for_a_node_with_its_image_holds_up_no_other(cluster: Cluster) -> None:
    busy, waiting, other = await cluster.submit("torch"), await cluster.submit("torch"), await cluster.submit(None)
    assert list(cluster.two.at_work) == [busy]
    assert list(cluster.one.at_work) == [other]
    cluster.two.finish(busy)
    await settle()
    assert list(cluster.two.at_work) == [waiting]


async def test_an_unknown_image_is_refused_with_those_that_exist(cluster: Cluster) -> None:
    with pytest.raises(UnknownName, match=r"unknown image 'torsch'; did you mean torch\?.*rlp image build") as refused:
        await cluster.submit("torsch")
    assert refused.value.status == 422
    assert refused.value.extra["field"] == "image"
    assert refused.value.extra["accepted"] == ["python", "python-rl", "torch"]


async def test_an_image_without_a_package_of_the_grader_is_refused(cluster: Cluster) -> None:
    fields = {"source": "", "grader": {"kind": "pytest", "suite": "def test_it(): pass"}, "tests": [{"id": "t"}]}
    request = EvaluationRequest.model_validate(fields)
    with pytest.raises(InvalidRequest, match="pytest is not installed in image 'python-rl'") as refused:
        await cluster.supervisor.submit_evaluation(request, PRINCIPAL)
    assert refused.value.extra["field"] == "image"


async def test_what_waits_for_an_image_that_was_removed_is_tried_and_not_kept_for_ever(cluster: Cluster) -> None:
    busy, waiting = await cluster.submit("torch"), await cluster.submit("torch")
    cluster.two.images.remove("torch")
    await cluster.supervisor.reconcile()
    await settle()
    assert busy in cluster.two.at_work
    assert list(cluster.one.at_work) == [waiting]


async def test_images_are_listed_with_their_nodes(cluster: Cluster) -> None:
    assert [(image.name, image.default, image.nodes) for image in cluster.supervisor.images()] == [
        ("python", False, ["one"]),
        ("python-rl", True, ["one", "two"]),
        ("torch", False, ["two"]),
    ]
    cluster.one.unavailable = "no engine"
    await cluster.supervisor.reconcile()
    assert [(image.name, image.nodes) for image in cluster.supervisor.images()] == [
        ("python-rl", ["two"]),
        ("torch", ["two"]),
    ]
