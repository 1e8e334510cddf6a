"""The ports of policies without files, and without anything that learns."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rlplatform.access.principals import Principal
from rlplatform.clock import Clock
from rlplatform.environments.models import SpaceInfo
from rlplatform.errors import CheckpointError, Conflict, NotFound
from rlplatform.ids import Kind, new_id
from rlplatform.policies.events import PolicyDeleted, PolicyPublished
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import ActResult
from rlplatform.policies.record import PolicyRecord
from rlplatform.runs.ports import Idempotency
from rlplatform.store import Store
from rlplatform.training.checkpoints.retention import best
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun


class MemoryPolicyFiles:
    """The ``PolicyArchives`` port over a dictionary; :meth:`damage` breaks one."""

    def __init__(self) -> None:
        self.archives: dict[str, bytes] = {}
        self.models: dict[str, bytes] = {}

    def put(self, policy_id: str, archive: bytes) -> None:
        self.archives[policy_id] = archive

    def get(self, policy_id: str) -> bytes:
        try:
            return self.archives[policy_id]
        except KeyError:
            raise NotFound(f"no such policy: {policy_id}") from None

    def put_model(self, policy_id: str, model: bytes) -> None:
        self.models[policy_id] = model

    def get_model(self, policy_id: str) -> bytes | None:
        return self.models.get(policy_id)

    def delete(self, policy_id: str) -> None:
        self.archives.pop(policy_id, None)
        self.models.pop(policy_id, None)

    def damage(self, policy_id: str) -> None:
        """Change the first byte."""
        self.archives[policy_id] = b"X" + self.archives[policy_id][1:]


class FakePolicies:
    """The ``PolicyService`` port: any checkpoint is a policy of CartPole-v1, which goes the way that the pole leans.

    ``model`` is the ONNX model of all policies; None: bytes that name the archive.
    """

    def __init__(self, store: Store, checkpoints: CheckpointStore, clock: Clock) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._clock = clock
        self.files = MemoryPolicyFiles()
        self.model: bytes | None = None

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        if request.checkpoint_id is not None:
            try:
                checkpoint = self._checkpoints.find(request.checkpoint_id)
            except NotFound:
                raise NotFound("no such checkpoint") from None
        else:
            try:
                training = await self._store.get(str(request.training_id))
            except NotFound:
                raise NotFound("no such training") from None
            principal.require_visible(training.tenant, training.created_by, "training")
            found = self._checkpoints.list(training.id)
            if not found:
                raise Conflict("there is no checkpoint yet")
            checkpoint = found[-1] if request.which == "last" else best(found) or found[-1]
        run = await self._store.get(checkpoint.training_id)
        principal.require_visible(run.tenant, run.created_by, "checkpoint")
        assert isinstance(run, TrainingRun)
        policy_id = new_id(Kind.POLICY)
        archive = policy_id.encode()
        info = PolicyInfo(
            id=policy_id,
            name=request.name,
            observation_space=SpaceInfo(kind="box", shape=[4], dtype="float32"),
            action_space=SpaceInfo(kind="discrete", shape=[], dtype="int64", n=2),
            parameters=0,
            env="CartPole-v1",
            algorithm="ppo",
            training_id=run.id,
            checkpoint_id=checkpoint.id,
            iteration=checkpoint.iteration,
            env_steps=checkpoint.env_steps,
            episode_return_mean=checkpoint.episode_return_mean,
            size_bytes=len(archive),
            sha256=hashlib.sha256(archive).hexdigest(),
            created_at=self._clock.now(),
        )
        record = PolicyRecord(id=policy_id, tenant=principal.tenant, created_by=principal.id, document=info)
        published = PolicyPublished(stream=record.stream, time=info.created_at, policy=info)
        stored, new = await self._store.create(record, published, idempotency=idempotency)
        assert isinstance(stored, PolicyRecord)
        if new:
            self.files.put(policy_id, archive)
        return stored, new

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        record = await self._record(policy_id, principal)
        if not record.final:
            deleted = PolicyDeleted(stream=record.stream, time=self._clock.now(), by=principal.id)
            await self._store.append(record.stream, [deleted])
        self.files.delete(policy_id)
        return await self._record(policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> ActResult:
        await self.archive(policy)
        leaning = observations[:, 2] > 0
        chosen = leaning if deterministic else np.random.default_rng().random(len(leaning)) < 0.5
        return ActResult(chosen.astype(np.int64), len(observations), 0.0)

    async def archive(self, policy: PolicyInfo) -> bytes:
        archive = self.files.get(policy.id)
        if hashlib.sha256(archive).hexdigest() != policy.sha256:
            raise CheckpointError(f"the archive of {policy.id} is damaged")
        return archive

    async def onnx(self, policy: PolicyInfo) -> bytes:
        archive = await self.archive(policy)
        return self.model or b"ONNX of " + archive

    async def _record(self, policy_id: str, principal: Principal) -> PolicyRecord:
        try:
            record = await self._store.get(policy_id)
        except NotFound:
            raise NotFound("no such policy") from None
        principal.require_visible(record.tenant, record.created_by, "policy")
        assert isinstance(record, PolicyRecord)
        return record
