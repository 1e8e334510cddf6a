"""Contract suite of every adapter of the ports of policies. Subclass it, and give the fixtures."""

from __future__ import annotations

import asyncio
import hashlib

import numpy as np
import pytest

from rlplatform.access.principals import Principal, Scope
from rlplatform.errors import CheckpointError, Conflict, IdempotencyMismatch, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.policies.models import PolicyRequest
from rlplatform.policies.ports import PolicyArchives, PolicyService
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency
from rlplatform.store import Store
from rlplatform.testing.clock import FakeClock
from rlplatform.testing.commands import FakeCommands
from rlplatform.training.models import CheckpointInfo, TrainingRequest
from rlplatform.training.record import TrainingRun

OWNER = Principal(id="key_1", tenant="school", scopes=frozenset({Scope.TRAIN}))
COLLEAGUE = Principal(id="key_2", tenant="school", scopes=frozenset({Scope.TRAIN}))
STRANGER = Principal(id="key_3", tenant="other", scopes=frozenset(Scope))
OBSERVATIONS = np.random.default_rng(0).normal(0, 1, (32, 4)).astype(np.float32)


async def start_training(store: Store) -> TrainingRun:
    """A training of ``OWNER`` on CartPole-v1."""
    request = TrainingRequest.model_validate({"env": "CartPole-v1", "stop": {"iterations": 1}})
    return (await FakeCommands(store, FakeClock()).start_training(request, OWNER))[0]


class PolicyFilesContract:
    """``files`` is a fixture."""

    def test_what_was_put_is_there_until_it_is_deleted(self, files: PolicyArchives) -> None:
        one, other = new_id(Kind.POLICY), new_id(Kind.POLICY)
        files.put(one, b"one")
        files.put(other, b"other")
        assert (files.get(one), files.get(other)) == (b"one", b"other")
        files.delete(one)
        files.delete(one)
        with pytest.raises(NotFound, match="no such policy"):
            files.get(one)
        assert files.get(other) == b"other"

    def test_a_model_is_kept_beside_its_archive_and_goes_with_it(self, files: PolicyArchives) -> None:
        policy_id = new_id(Kind.POLICY)
        assert files.get_model(policy_id) is None
        files.put(policy_id, b"archive")
        files.put_model(policy_id, b"first")
        files.put_model(policy_id, b"model")
        assert (files.get(policy_id), files.get_model(policy_id)) == (b"archive", b"model")
        files.delete(policy_id)
        assert files.get_model(policy_id) is None


@pytest.mark.anyio
class PoliciesContract:
    """``policies``, ``store`` and ``checkpoint`` (of a training that :func:`start_training` made) are fixtures."""

    async def publish(self, policies: PolicyService, checkpoint: CheckpointInfo) -> PolicyRecord:
        record, new = await policies.publish(PolicyRequest(checkpoint_id=checkpoint.id, name="mine"), OWNER)
        assert new
        return record

    async def test_a_published_policy_says_what_it_is(
        self, policies: PolicyService, store: Store, checkpoint: CheckpointInfo
    ) -> None:
        record = await self.publish(policies, checkpoint)
        info = record.document
        assert await store.get(record.id) == record
        assert (record.tenant, record.created_by, record.state) == (OWNER.tenant, OWNER.id, "published")
        assert (info.name, info.env, info.algorithm) == ("mine", "CartPole-v1", "ppo")
        assert (info.training_id, info.checkpoint_id) == (checkpoint.training_id, checkpoint.id)
        assert (info.observation_space.shape, info.action_space.n) == ([4], 2)
        archive = await policies.archive(info)
        assert (len(archive), hashlib.sha256(archive).hexdigest()) == (info.size_bytes, info.sha256)
        assert [record.id for record in await store.find("policy", tenant=OWNER.tenant)] == [record.id]

    async def test_the_best_and_the_last_of_a_training(
        self, policies: PolicyService, checkpoint: CheckpointInfo
    ) -> None:
        for which in ("best", "last", None):
            request = PolicyRequest.model_validate({"training_id": checkpoint.training_id, "which": which})
            assert (await policies.publish(request, OWNER))[0].document.checkpoint_id == checkpoint.id

    async def test_a_training_without_checkpoints_has_no_policy(self, policies: PolicyService, store: Store) -> None:
        run = await start_training(store)
        with pytest.raises(Conflict, match="no checkpoint"):
            await policies.publish(PolicyRequest(training_id=run.id), OWNER)

    async def test_what_is_another_s_is_not_there(self, policies: PolicyService, checkpoint: CheckpointInfo) -> None:
        record = await self.publish(policies, checkpoint)
        for other in (COLLEAGUE, STRANGER):
            with pytest.raises(NotFound):
                await policies.publish(PolicyRequest(checkpoint_id=checkpoint.id), other)
            with pytest.raises(NotFound):
                await policies.publish(PolicyRequest(training_id=checkpoint.training_id), other)
            with pytest.raises(NotFound):
                await policies.delete(record.id, other)
        with pytest.raises(NotFound):
            await policies.publish(PolicyRequest(checkpoint_id=new_id(Kind.CHECKPOINT)), OWNER)

    async def test_the_same_idempotency_key_is_the_same_policy(
        self, policies: PolicyService, store: Store, checkpoint: CheckpointInfo
    ) -> None:
        request, key = PolicyRequest(checkpoint_id=checkpoint.id), Idempotency("school", "policies:k", "1" * 64)
        answers = await asyncio.gather(*(policies.publish(request, OWNER, key) for _ in range(3)))
        assert sum(new for _, new in answers) == 1
        (policy_id,) = {record.id for record, _ in answers}
        assert [record.id for record in await store.find("policy")] == [policy_id]
        assert (await policies.act(answers[0][0].document, OBSERVATIONS)).batch == 32
        with pytest.raises(IdempotencyMismatch):
            await policies.publish(request, OWNER, key._replace(body_sha256="2" * 64))

    async def test_acts_the_same_alone_and_in_company(
        self, policies: PolicyService, checkpoint: CheckpointInfo
    ) -> None:
        policy = (await self.publish(policies, checkpoint)).document
        whole = (await policies.act(policy, OBSERVATIONS)).actions
        assert whole.shape == (32,)
        assert set(whole.tolist()) <= {0, 1}
        parts = await asyncio.gather(*(policies.act(policy, OBSERVATIONS[row : row + 1]) for row in range(32)))
        assert [int(part.actions[0]) for part in parts] == whole.tolist()

    async def test_drawn_actions_differ(self, policies: PolicyService, checkpoint: CheckpointInfo) -> None:
        policy = (await self.publish(policies, checkpoint)).document
        drawn = [(await policies.act(policy, OBSERVATIONS, deterministic=False)).actions.tolist() for _ in range(8)]
        assert len({tuple(actions) for actions in drawn}) > 1

    async def test_a_deleted_policy_is_gone_for_good(
        self, policies: PolicyService, store: Store, checkpoint: CheckpointInfo
    ) -> None:
        record = await self.publish(policies, checkpoint)
        deleted = await policies.delete(record.id, OWNER)
        assert (deleted.state, deleted.final) == ("deleted", True)
        assert deleted.document.deleted_at is not None
        assert await policies.delete(record.id, OWNER) == deleted
        assert await store.find("policy", states=["published"]) == []
        with pytest.raises(NotFound):
            await policies.archive(record.document)

    async def test_a_damaged_archive_is_not_used(self, policies: PolicyService, checkpoint: CheckpointInfo) -> None:
        policy = (await self.publish(policies, checkpoint)).document
        forged = policy.model_copy(update={"sha256": "0" * 64})
        with pytest.raises(CheckpointError, match="damaged"):
            await policies.act(forged, OBSERVATIONS)
        with pytest.raises(CheckpointError, match="damaged"):
            await policies.archive(forged)
