"""The shelf: publishes checkpoints' policies, and acts with those that are asked for, many requests in one computation.

Only archives that the platform wrote are loaded, and only if they are what the policy's record says by SHA-256.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rlplatform.access.principals import Principal
from rlplatform.algorithms.base import LoadedPolicy
from rlplatform.algorithms.registry import ALGORITHMS
from rlplatform.clock import Clock
from rlplatform.errors import CheckpointError, Conflict, InvalidRequest, NotFound, PlatformError
from rlplatform.ids import Kind, check_id, new_id
from rlplatform.policies.events import PolicyDeleted, PolicyPublished
from rlplatform.policies.exporter import Export, Exporter
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.policies.ports import ActResult, PolicyArchives
from rlplatform.policies.record import PolicyRecord
from rlplatform.quotas.service import QuotaService
from rlplatform.runs.idempotency import replay_or_raise
from rlplatform.runs.ports import Idempotency
from rlplatform.store import Store
from rlplatform.training.checkpoints.retention import best
from rlplatform.training.models import CheckpointInfo
from rlplatform.training.ports import CheckpointStore
from rlplatform.training.record import TrainingRun

MAX_LOADED = 16
MAX_LOADED_BYTES = 1 << 30


class PendingAct(NamedTuple):
    """One request to act, with observations [B, *observation_space.shape]."""

    policy: PolicyInfo
    observations: NDArray[Any]
    deterministic: bool


class LocalPolicyService:
    """The ``PolicyService`` port in this process.

    At most ``max_loaded`` policies are held, those that were used last, with parameters of ``max_bytes`` together; the
    last one whatever its size.
    """

    def __init__(
        self,
        store: Store,
        checkpoints: CheckpointStore,
        files: PolicyArchives,
        clock: Clock,
        accounts: QuotaService,
        *,
        max_loaded: int = MAX_LOADED,
        max_bytes: int = MAX_LOADED_BYTES,
        export: Export | None = None,
    ) -> None:
        self._store = store
        self._checkpoints = checkpoints
        self._files = files
        self._clock = clock
        self._accounts = accounts
        self._max_loaded = max_loaded
        self._max_bytes = max_bytes
        self._loaded: OrderedDict[str, LoadedPolicy] = OrderedDict()
        self._using = threading.Lock()  # kernels have one workspace each
        self._exporter = Exporter(files, export)

    @property
    def loaded(self) -> list[str]:
        """The ids of the policies that are held, least recently used first."""
        return list(self._loaded)

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        try:
            await self._accounts.check_policies(principal.tenant)
            run, checkpoint = await self._source(request, principal)
        except PlatformError as refusal:
            return await replay_or_raise(self._store, PolicyRecord, idempotency, refusal)
        policy_id = new_id(Kind.POLICY)
        info = await asyncio.to_thread(self._copy, policy_id, request.name, run, checkpoint)
        record = PolicyRecord(id=policy_id, tenant=principal.tenant, created_by=principal.id, document=info)
        published = PolicyPublished(stream=record.stream, time=info.created_at, policy=info)
        try:
            stored, new = await self._store.create(record, published, idempotency=idempotency)
        except PlatformError as error:
            if not error.retryable:  # else it may have been stored
                await asyncio.to_thread(self._files.delete, policy_id)
            raise
        assert isinstance(stored, PolicyRecord)
        if not new:
            await asyncio.to_thread(self._files.delete, policy_id)
        return stored, new

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        record = await self._record(policy_id, principal)
        if not record.final:
            deleted = PolicyDeleted(stream=record.stream, time=self._clock.now(), by=principal.id)
            with suppress(Conflict):  # somebody else has just done it
                await self._store.append(record.stream, [deleted])
        await asyncio.to_thread(self._files.delete, policy_id)
        return await self._record(policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> ActResult:
        (acted,) = await self.act_all([PendingAct(policy, observations, deterministic)])
        if isinstance(acted, PlatformError):
            raise acted
        return acted

    async def act_all(self, asked: Sequence[PendingAct]) -> list[ActResult | PlatformError]:
        """Answer many requests, those of one policy in one computation; an error is the answer of those it concerns."""
        return await asyncio.to_thread(self._act_all, asked)

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await asyncio.to_thread(self._archive, policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self._exporter.model(policy, partial(self._archive, policy))

    # -- publishing ----------------------------------------------------------------------------------------------------

    async def _source(self, request: PolicyRequest, principal: Principal) -> tuple[TrainingRun, CheckpointInfo]:
        """The checkpoint that is meant, and its training."""
        if request.checkpoint_id is not None:
            check_id_of(request.checkpoint_id, Kind.CHECKPOINT, "checkpoint_id")
            try:
                checkpoint = await asyncio.to_thread(self._checkpoints.find, request.checkpoint_id)
            except NotFound:
                raise NotFound("no such checkpoint") from None
            return await self._training(checkpoint.training_id, principal, "checkpoint"), checkpoint
        assert request.training_id is not None
        check_id_of(request.training_id, Kind.TRAINING, "training_id")
        run = await self._training(request.training_id, principal, "training")
        found = await asyncio.to_thread(self._checkpoints.list, run.id)
        if not found:
            raise Conflict(f"{run.id} has no checkpoint{'' if run.final else ' yet'}", state=run.state)
        return run, found[-1] if request.which == "last" else best(found) or found[-1]

    async def _training(self, training_id: str, principal: Principal, what: str) -> TrainingRun:
        try:
            run = await self._store.get(training_id)
        except NotFound:
            raise NotFound(f"no such {what}") from None
        principal.require_visible(run.tenant, run.created_by, what)
        assert isinstance(run, TrainingRun)
        return run

    async def _record(self, policy_id: str, principal: Principal) -> PolicyRecord:
        try:
            record = await self._store.get(check_id(policy_id, Kind.POLICY))
        except (InvalidRequest, NotFound):
            raise NotFound("no such policy") from None
        principal.require_visible(record.tenant, record.created_by, "policy")
        assert isinstance(record, PolicyRecord)
        return record

    def _copy(self, policy_id: str, name: str | None, run: TrainingRun, checkpoint: CheckpointInfo) -> PolicyInfo:
        algorithm = ALGORITHMS[run.document.request.algorithm]
        with tempfile.TemporaryDirectory(prefix="rlp-publish-") as directory:
            self._checkpoints.fetch(checkpoint.training_id, checkpoint.id, Path(directory))
            folder = algorithm.policy_folder(Path(directory))
            if not folder.is_dir():
                raise Conflict(
                    f"{checkpoint.id} holds no policy that can be served: its training is simulated, or is RLlib's own "
                    "PPO rather than the fast path"
                )
            policy = algorithm.load_policy(folder)
        archive = policy.pack()
        if not policy.finite:
            raise Conflict(f"{checkpoint.id} holds no policy that can be served: its training has diverged")
        info = PolicyInfo(
            **dict(policy.card()),
            id=policy_id,
            name=name,
            env=run.document.request.env,
            env_config=run.document.request.env_config,
            env_backend=run.document.request.env_backend,
            max_episode_steps=run.document.request.max_episode_steps,
            wrappers=run.document.request.wrappers,
            algorithm=run.document.request.algorithm,
            training_id=run.id,
            checkpoint_id=checkpoint.id,
            iteration=checkpoint.iteration,
            env_steps=checkpoint.env_steps,
            episode_return_mean=checkpoint.episode_return_mean,
            size_bytes=len(archive),
            sha256=hashlib.sha256(archive).hexdigest(),
            created_at=self._clock.now(),
        )
        self._files.put(policy_id, archive)
        return info

    # -- acting --------------------------------------------------------------------------------------------------------

    def _act_all(self, asked: Sequence[PendingAct]) -> list[ActResult | PlatformError]:
        groups: dict[tuple[str, bool], list[int]] = {}
        for place, one in enumerate(asked):
            groups.setdefault((one.policy.id, one.deterministic), []).append(place)
        answers: dict[int, ActResult | PlatformError] = {}
        with self._using:
            for places in groups.values():
                try:
                    answers.update(zip(places, self._act_together([asked[place] for place in places]), strict=True))
                except PlatformError as error:
                    answers.update(dict.fromkeys(places, error))
        return [answers[place] for place in range(len(asked))]

    def _act_together(self, asked: Sequence[PendingAct]) -> list[ActResult | PlatformError]:
        """One computation for requests of one policy."""
        policy = self._load(asked[0].policy)
        observations = np.concatenate([one.observations for one in asked]) if len(asked) > 1 else asked[0].observations
        began = time.perf_counter()
        actions, logp = policy.act(observations, deterministic=asked[0].deterministic)
        compute_s = time.perf_counter() - began
        ends = np.cumsum([len(one.observations) for one in asked])[:-1]
        parts = zip(np.split(actions, ends), np.split(logp, ends), strict=True)
        return [_beyond(*part) or ActResult(part[0], len(observations), compute_s) for part in parts]

    def _load(self, info: PolicyInfo) -> LoadedPolicy:
        policy = self._loaded.pop(info.id, None)
        if policy is None:
            policy = ALGORITHMS[info.algorithm].unpack_policy(self._archive(info))
        self._loaded[info.id] = policy
        while len(self._loaded) > self._max_loaded or (len(self._loaded) > 1 and self._held() > self._max_bytes):
            self._loaded.popitem(last=False)
        return policy

    def _held(self) -> int:
        """Bytes of the parameters of all that are loaded."""
        return sum(policy.nbytes for policy in self._loaded.values())

    def _archive(self, info: PolicyInfo) -> bytes:
        archive = self._files.get(info.id)
        if hashlib.sha256(archive).hexdigest() != info.sha256:
            raise CheckpointError(f"the archive of {info.id} is damaged: it is not what was published")
        return archive


def _beyond(actions: NDArray[Any], logp: NDArray[np.float32]) -> InvalidRequest | None:
    """Return an error message for finite observations for which the policy computed a result that is not finite."""
    rows = np.flatnonzero(np.isnan(logp) | ~np.isfinite(actions.reshape(len(actions), -1)).all(1))
    if not rows.size:
        return None
    field = f"observations.{rows[0]}"
    return InvalidRequest(f"{field}: the policy gives no finite action here; the numbers are too large", field=field)


def check_id_of(text: str, kind: Kind, field: str) -> None:
    """:raises InvalidRequest: ``text``, in ``field``, is no id of ``kind``."""
    try:
        check_id(text, kind)
    except InvalidRequest as error:
        raise InvalidRequest(f"{field}: {error}", field=field) from None
