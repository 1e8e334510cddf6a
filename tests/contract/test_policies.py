"""The contracts of policies against all adapters, and what is the shelf's alone."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import numpy as np
import pytest
from gymnasium import spaces
from pyarrow import fs

from rlplatform.algorithms.ppo.hyperparameters import Hyperparameters
from rlplatform.algorithms.ppo.network.action_heads import ActionHead
from rlplatform.algorithms.ppo.network.actor_critic import ActorCritic
from rlplatform.algorithms.ppo.network.normalizers import ObservationNormalizer
from rlplatform.algorithms.ppo.policy import PPOPolicy, policy_folder
from rlplatform.environments.observation_encoder import ObservationEncoder
from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, QuotaExceeded
from rlplatform.ids import Kind, new_id
from rlplatform.policies.models import PolicyRequest
from rlplatform.policies.ports import ActResult
from rlplatform.policies.service import LocalPolicyService, PendingAct
from rlplatform.quotas.service import QuotaService
from rlplatform.runs.ports import Idempotency
from rlplatform.settings import Quotas, TrainingSettings
from rlplatform.storage import open_policies, open_store
from rlplatform.storage.blobs import ArrowBlobs, LocalBlobs
from rlplatform.storage.memory import MemoryStore
from rlplatform.storage.policy_archives import BlobPolicies
from rlplatform.store import Store
from rlplatform.testing import samples
from rlplatform.testing.checkpoints import MemoryCheckpoints
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.contracts.policies import (
    OBSERVATIONS,
    OWNER,
    PoliciesContract,
    PolicyFilesContract,
    start_training,
)
from rlplatform.testing.policies import FakePolicies, MemoryPolicyFiles
from rlplatform.testing.redis_server import installed, redis_server
from rlplatform.training.models import CheckpointInfo


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class TestMemoryPolicyFiles(PolicyFilesContract):
    @pytest.fixture
    def files(self) -> MemoryPolicyFiles:
        return MemoryPolicyFiles()


class TestObjectPolicyFiles(PolicyFilesContract):
    @pytest.fixture
    def files(self) -> BlobPolicies:
        return BlobPolicies(ArrowBlobs(fs._MockFileSystem(datetime(2026, 1, 1, tzinfo=UTC)), "bucket/policies"))


class TestLocalPolicyFiles(PolicyFilesContract):
    @pytest.fixture
    def files(self, tmp_path: Path) -> BlobPolicies:
        return BlobPolicies(LocalBlobs(tmp_path / "policies"))

    def test_what_breaks_off_leaves_nothing(self, tmp_path: Path) -> None:
        files = BlobPolicies(LocalBlobs(tmp_path))
        policy_id = new_id(Kind.POLICY)
        with pytest.raises(TypeError):
            files.put(policy_id, "text")  # type: ignore[arg-type]
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"checkpoint_url": "here/checkpoints"}, "here/policies"),
        ({"checkpoint_url": "checkpoints"}, "policies"),
        ({"checkpoint_url": "checkpoints", "policy_url": "there"}, "there"),
    ],
)
def test_policies_are_kept_beside_checkpoints(
    settings: dict[str, str], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy_id = new_id(Kind.POLICY)
    open_policies(TrainingSettings.model_validate(settings)).put(policy_id, b"")
    assert (tmp_path / path / f"{policy_id}.tar").exists()


def make_policy(seed: int = 4, actions: spaces.Space[Any] | None = None) -> PPOPolicy:
    observation_space, action_space = spaces.Box(-np.inf, np.inf, (4,), np.float32), actions or spaces.Discrete(2)
    hyperparameters = Hyperparameters.of(
        {"normalize": True} if actions is None else {"policy_kwargs": {"activation_fn": "relu"}}
    )
    encoder, head = ObservationEncoder.of(observation_space), ActionHead.of(action_space)
    network = ActorCritic(encoder, head, hyperparameters.architecture(image=False), seed=seed)
    network.flat_numpy[:] += np.random.default_rng(seed).normal(0, 0.3, network.flat_numpy.shape).astype(np.float32)
    normalizer = ObservationNormalizer(encoder.shape)
    normalizer.update(np.random.default_rng(3).normal(0.2, 1.5, (100, 4)))
    return PPOPolicy(network, hyperparameters, observation_space, action_space, normalizer if actions is None else None)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Iterator[str]:
    if not installed():
        missing("no redis-server")
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
async def store(anyio_backend: str) -> AsyncIterator[Store]:
    store = MemoryStore(FakeClock())
    yield store
    await store.close()


@pytest.fixture
def checkpoints() -> MemoryCheckpoints:
    return MemoryCheckpoints()


async def save(store: Store, checkpoints: MemoryCheckpoints, folder: Path, policy: PPOPolicy | None) -> CheckpointInfo:
    run = await start_training(store)
    (folder / "files").mkdir()
    (folder / "files" / "session.json").write_text("{}")
    if policy is not None:
        policy.save(policy_folder(folder / "files"))
    info = samples.checkpoint(run.id, 1, episode_return_mean=20.0)
    return checkpoints.commit(info, folder / "files")


@pytest.fixture
async def checkpoint(
    anyio_backend: str, store: Store, checkpoints: MemoryCheckpoints, tmp_path: Path
) -> CheckpointInfo:
    return await save(store, checkpoints, tmp_path, make_policy())


class TestFakePolicies(PoliciesContract):
    @pytest.fixture
    def policies(self, store: Store, checkpoints: MemoryCheckpoints) -> FakePolicies:
        return FakePolicies(store, checkpoints, FakeClock())


class TestFakePoliciesOnOtherStores(TestFakePolicies):
    """The records, their replays and their ends are the same in every store."""

    @pytest.fixture(params=["sqlite", "redis"])
    async def store(
        self, anyio_backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> AsyncIterator[Store]:
        if request.param == "redis":
            url = request.getfixturevalue("redis")
        else:
            url = f"sqlite:///{tmp_path_factory.mktemp('store')}/platform.db"
        store = await open_store(url, clock=FakeClock(), namespace=uuid4().hex)
        yield store
        await store.close()


class TestPolicyShelf(PoliciesContract):
    @pytest.fixture
    def files(self) -> MemoryPolicyFiles:
        return MemoryPolicyFiles()

    @pytest.fixture
    def policies(self, store: Store, checkpoints: MemoryCheckpoints, files: MemoryPolicyFiles) -> LocalPolicyService:
        clock = FakeClock()
        return LocalPolicyService(
            store, checkpoints, files, clock, QuotaService(store, Quotas(policies=4), clock), max_loaded=2
        )

    async def test_acts_as_the_checkpoint_s_policy_long_after_the_checkpoint(
        self, policies: LocalPolicyService, checkpoints: MemoryCheckpoints, checkpoint: CheckpointInfo
    ) -> None:
        info = (await self.publish(policies, checkpoint)).document
        checkpoints.delete(checkpoint.training_id, checkpoint.id)
        acted = await policies.act(info, OBSERVATIONS)
        assert acted.actions.tolist() == make_policy()(OBSERVATIONS).tolist()
        assert len(set(acted.actions.tolist())) == 2
        assert info.normalizer is not None
        assert len(info.normalizer.mean) == 4

    async def test_requests_of_one_policy_are_computed_together(
        self, policies: LocalPolicyService, checkpoint: CheckpointInfo, files: MemoryPolicyFiles
    ) -> None:
        one, other, broken = [(await self.publish(policies, checkpoint)).document for _ in range(3)]
        files.damage(broken.id)
        asked = [
            PendingAct(one, OBSERVATIONS[:3], True),
            PendingAct(broken, OBSERVATIONS, True),
            PendingAct(other, OBSERVATIONS[:5], True),
            PendingAct(one, OBSERVATIONS[3:10], True),
            PendingAct(one, OBSERVATIONS[:1], False),
        ]
        first, failed, second, third, drawn = await policies.act_all(asked)
        assert isinstance(failed, CheckpointError)
        assert isinstance(first, ActResult)
        assert isinstance(second, ActResult)
        assert isinstance(third, ActResult)
        assert isinstance(drawn, ActResult)
        assert [first.batch, second.batch, third.batch, drawn.batch] == [10, 5, 10, 1]
        expected = make_policy()(OBSERVATIONS).tolist()
        assert [*first.actions.tolist(), *third.actions.tolist()] == expected[:10]
        assert second.actions.tolist() == expected[:5]

    @pytest.mark.parametrize("deterministic", [True, False])
    @pytest.mark.parametrize(
        "actions", [spaces.Box(-1, 1, (2,), np.float32), spaces.Discrete(3), spaces.MultiDiscrete([2, 4])], ids=str
    )
    async def test_observations_beyond_the_policy_are_their_senders_fault(
        self,
        policies: LocalPolicyService,
        store: Store,
        checkpoints: MemoryCheckpoints,
        tmp_path: Path,
        actions: spaces.Space[Any],
        deterministic: bool,
    ) -> None:
        checkpoint = await save(store, checkpoints, tmp_path, make_policy(actions=actions))
        info = (await self.publish(policies, checkpoint)).document
        huge = np.full((3, 4), 0.1, np.float32)
        huge[1] = [3e38, -3e38, 3e38, 3e38]
        asked = [PendingAct(info, observations, deterministic) for observations in (OBSERVATIONS, huge)]
        good, bad = await policies.act_all(asked)
        assert isinstance(good, ActResult)
        assert isinstance(bad, InvalidRequest)
        assert bad.extra["field"] == "observations.1"

    async def test_few_policies_are_held(self, policies: LocalPolicyService, checkpoint: CheckpointInfo) -> None:
        published = [(await self.publish(policies, checkpoint)).document for _ in range(3)]
        for place in (0, 1, 0, 2):
            await policies.act(published[place], OBSERVATIONS)
        assert policies.loaded == [published[0].id, published[2].id]

    async def test_what_is_held_is_bounded_in_bytes_too(
        self,
        store: Store,
        checkpoints: MemoryCheckpoints,
        files: MemoryPolicyFiles,
        policies: LocalPolicyService,
        checkpoint: CheckpointInfo,
    ) -> None:
        published = [(await self.publish(policies, checkpoint)).document for _ in range(3)]
        size = 4 * published[0].parameters
        for most, held in ((1, published[2:]), (2 * size, published[1:])):
            clock = FakeClock()
            shelf = LocalPolicyService(
                store, checkpoints, files, clock, QuotaService(store, Quotas(), clock), max_bytes=most
            )
            for info in published:
                await shelf.act(info, OBSERVATIONS)
            assert shelf.loaded == [info.id for info in held]

    async def test_no_more_are_published_than_the_quota_says(
        self, policies: LocalPolicyService, files: MemoryPolicyFiles, checkpoint: CheckpointInfo
    ) -> None:
        key = Idempotency(OWNER.tenant, "policies:k", "1" * 64)
        request = PolicyRequest(checkpoint_id=checkpoint.id)
        first, _ = await policies.publish(request, OWNER, key)
        for _ in range(3):
            await self.publish(policies, checkpoint)
        with pytest.raises(QuotaExceeded, match="policies"):
            await self.publish(policies, checkpoint)
        assert len(files.archives) == 4
        assert await policies.publish(request, OWNER, key) == (first, False), "what the key has made stands"
        await policies.delete(first.id, OWNER)
        await self.publish(policies, checkpoint)

    async def test_nothing_is_left_of_a_publication_that_was_none(
        self, policies: LocalPolicyService, checkpoint: CheckpointInfo, files: MemoryPolicyFiles
    ) -> None:
        await self.test_the_same_idempotency_key_is_the_same_policy(policies, policies._store, checkpoint)
        assert len(files.archives) == 1

    async def test_a_checkpoint_without_a_policy_is_refused(
        self, policies: LocalPolicyService, store: Store, checkpoints: MemoryCheckpoints, tmp_path: Path
    ) -> None:
        checkpoint = await save(store, checkpoints, tmp_path, None)
        with pytest.raises(Conflict, match="no policy that can be served"):
            await policies.publish(PolicyRequest(checkpoint_id=checkpoint.id), OWNER)

    async def test_a_training_that_diverged_has_no_policy(
        self, policies: LocalPolicyService, store: Store, checkpoints: MemoryCheckpoints, tmp_path: Path
    ) -> None:
        diverged = make_policy()
        diverged.network.flat_numpy[3] = np.nan
        checkpoint = await save(store, checkpoints, tmp_path, diverged)
        with pytest.raises(Conflict, match="diverged"):
            await policies.publish(PolicyRequest(checkpoint_id=checkpoint.id), OWNER)

    async def test_what_is_no_archive_is_damaged_whatever_its_hash(
        self, policies: LocalPolicyService, checkpoint: CheckpointInfo, files: MemoryPolicyFiles
    ) -> None:
        info = (await self.publish(policies, checkpoint)).document
        files.put(info.id, b"no archive")
        info = info.model_copy(update={"sha256": hashlib.sha256(b"no archive").hexdigest()})
        with pytest.raises(CheckpointError):
            await policies.act(info, OBSERVATIONS)

    async def test_the_onnx_model_acts_as_the_policy(
        self, policies: LocalPolicyService, checkpoint: CheckpointInfo, tmp_path: Path
    ) -> None:
        onnxruntime = pytest.importorskip("onnxruntime")
        info = (await self.publish(policies, checkpoint)).document
        session = onnxruntime.InferenceSession(await policies.onnx(info), providers=["CPUExecutionProvider"])
        exported = session.run(None, {"observation": OBSERVATIONS})[0]
        assert exported.tolist() == (await policies.act(info, OBSERVATIONS)).actions.tolist()
