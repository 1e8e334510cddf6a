"""A policy is exported once, elsewhere, and the model is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from rlplatform.environments.models import SpaceInfo
from rlplatform.environments.options import EnvOptions
from rlplatform.errors import CheckpointError, EngineError
from rlplatform.ids import Kind, new_id
from rlplatform.policies.exporter import Exporter
from rlplatform.policies.models import PolicyInfo
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.policies import MemoryPolicyFiles

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def info(**changes: Any) -> PolicyInfo:
    fields: dict[str, Any] = {
        "id": new_id(Kind.POLICY),
        "observation_space": SpaceInfo(kind="box", shape=[4], dtype="float32"),
        "action_space": SpaceInfo(kind="discrete", shape=[], dtype="int64", n=2),
        "parameters": 0,
        "env": "CartPole-v1",
        "algorithm": "ppo",
        "training_id": new_id(Kind.TRAINING),
        "checkpoint_id": new_id(Kind.CHECKPOINT),
        "iteration": 1,
        "env_steps": 1,
        "size_bytes": 1,
        "sha256": "1" * 64,
        "created_at": FakeClock().now(),
    }
    return PolicyInfo.model_validate(fields | changes)


class Counting:
    """An export that counts, and waits for ``go``."""

    def __init__(self) -> None:
        self.made: list[bytes] = []
        self.at_once = self.most_at_once = 0
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def __call__(
        self, algorithm: str, archive: bytes, env: str, env_config: Mapping[str, Any], options: EnvOptions
    ) -> bytes:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            assert self.go.wait(10)
            self.made.append(archive)
            if self.error:
                raise self.error
            return b"model of " + archive
        finally:
            self.at_once -= 1


async def test_requests_at_the_same_time_share_one_export() -> None:
    files, export, policy = MemoryPolicyFiles(), Counting(), info()
    files.put(policy.id, b"one")
    exporter = Exporter(files, export)
    export.go.clear()
    asked = [asyncio.ensure_future(exporter.model(policy, lambda: b"one")) for _ in range(8)]
    await asyncio.sleep(0.05)
    asked[0].cancel()
    export.go.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert set(answers[1:]) == {b"model of one"}
    assert export.made == [b"one"]


async def test_a_model_is_kept_for_later_requests_and_other_replicas() -> None:
    files, export, policy = MemoryPolicyFiles(), Counting(), info()
    files.put(policy.id, b"one")
    first = await Exporter(files, export).model(policy, lambda: b"one")
    assert await Exporter(files, export).model(policy, lambda: b"one") == first
    assert len(export.made) == 1


@pytest.mark.parametrize("what", ["damaged", "of another archive"])
async def test_a_kept_model_that_does_not_fit_is_made_again(what: str) -> None:
    files, export, policy = MemoryPolicyFiles(), Counting(), info()
    files.put(policy.id, b"one")
    model = await Exporter(files, export).model(policy, lambda: b"one")
    if what == "damaged":
        files.models[policy.id] = files.models[policy.id][:-1] + b"X"
    else:
        policy = policy.model_copy(update={"sha256": "2" * 64})
    assert await Exporter(files, export).model(policy, lambda: b"one") == model
    assert len(export.made) == 2


async def test_exports_are_made_one_at_a_time() -> None:
    files, export = MemoryPolicyFiles(), Counting()
    exporter, policies = Exporter(files, export), [info() for _ in range(5)]
    for policy in policies:
        files.put(policy.id, b"one")
    await asyncio.gather(*(exporter.model(policy, lambda: b"one") for policy in policies))
    assert (len(export.made), export.most_at_once) == (5, 1)


async def test_a_failure_is_told_to_all_and_tried_again_by_the_next() -> None:
    files, export, policy = MemoryPolicyFiles(), Counting(), info()
    files.put(policy.id, b"one")
    exporter = Exporter(files, export)
    export.error = EngineError("it acts otherwise")
    for answer in await asyncio.gather(
        *(exporter.model(policy, lambda: b"one") for _ in range(3)), return_exceptions=True
    ):
        assert isinstance(answer, EngineError)
    export.error = None
    assert await exporter.model(policy, lambda: b"one") == b"model of one"

    def damaged() -> bytes:
        raise CheckpointError("damaged")

    with pytest.raises(CheckpointError):
        await exporter.model(info(), damaged)


async def test_nothing_is_left_of_a_policy_that_was_deleted_during_its_export() -> None:
    files, export, policy = MemoryPolicyFiles(), Counting(), info()
    assert await Exporter(files, export).model(policy, lambda: b"one") == b"model of one"
    assert not files.models
