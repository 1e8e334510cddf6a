"""Typed handles on the actors. The only module with ``.remote(``; Ray's errors leave it as ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, TypeVar

import ray
from numpy.typing import NDArray
from ray.actor import ActorHandle
from ray.exceptions import (
    ActorPlacementGroupRemoved,
    GetTimeoutError,
    NodeDiedError,
    OwnerDiedError,
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.options import NAMESPACE
from rlplatform.access.principals import ApiKey, Principal
from rlplatform.clock import SystemClock
from rlplatform.errors import PlatformError, ServiceError, Unavailable
from rlplatform.evaluation.models import EvaluationRequest
from rlplatform.events import EventBase
from rlplatform.policies.models import PolicyInfo, PolicyRequest
from rlplatform.ports import Acted, Clock, Document, EncodedEvent, Finished, Idempotency, Place, PlatformStatus
from rlplatform.retries import Backoff
from rlplatform.runs import EvaluationRun, PolicyRecord, Run, RunSummary, TrainingRun
from rlplatform.sandbox.models import PoolStatus
from rlplatform.training.models import TrainingRequest

STORE_PATIENCE_S = 20.0
CLOSE_S = 10.0
POLICY_PATIENCE_S = 120.0

_GONE = (RayActorError, ActorPlacementGroupRemoved, NodeDiedError, OwnerDiedError, GetTimeoutError)

T = TypeVar("T")


def spawn(cls: type, options: Mapping[str, Any], *args: Any) -> ActorHandle:
    """An actor of the plain class ``cls``. Of a named one that lives already: that one."""
    options = {"namespace": NAMESPACE, "get_if_exists": "name" in options, **options}
    return ray.remote(cls).options(**options).remote(*args)


def find(name: str) -> ActorHandle | None:
    """The living actor of this name."""
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return None


def living() -> set[str]:
    """The names of our living actors. Blocking."""
    entries = list_named_actors(all_namespaces=True)
    return {entry["name"] for entry in entries if entry["namespace"] == NAMESPACE}


async def kill(actor: ActorHandle) -> None:
    """End ``actor`` for good, if it lives."""
    await in_thread(ray.kill, actor)


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """What the blocking ``function`` returns, called in a thread."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def to_its_end(function: Callable[..., T], *args: Any) -> T:
    """As :func:`in_thread`. A thread cannot be cancelled: whoever is, meanwhile, still waits for it, and so can take
    away what it has made.
    """
    working = asyncio.ensure_future(in_thread(function, *args))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise


async def call(actor: ActorHandle, method: str, *args: Any, **kwargs: Any) -> Any:
    """What ``actor.method(*args)`` returns or raises.

    :raises Unavailable: the actor is gone or does not answer; whether the call was carried out is unknown.
    """
    return await result(submit(actor, method, *args, **kwargs), method)


async def run_on(node: str, function: Callable[..., T], *args: Any) -> T:
    """What ``function`` of one of our modules returns, called on ``node``, however busy that is.

    :raises PlatformError: it raised, or the node is gone.
    """
    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    options = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": strategy}
    found: T = await result(ray.remote(function).options(**options).remote(*args), function.__name__)
    return found


def submit(actor: ActorHandle, method: str, *args: Any, **kwargs: Any) -> ray.ObjectRef:
    """Begin ``actor.method(*args)``."""
    return getattr(actor, method).remote(*args, **kwargs)


async def result(ref: ray.ObjectRef, what: str) -> Any:
    """Wait for what :func:`submit` began."""
    try:
        return await ref
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, PlatformError):
            raise cause from None
        raise ServiceError(f"{what} failed: {type(cause).__name__}: {cause}") from error
    except _GONE as error:
        raise Unavailable(f"{what}: the actor is gone: {_first_line(error)}") from None
    except RayError as error:
        raise ServiceError(f"{what} failed: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


class StoreHandle:
    """The ``Store`` port over ``EventHub.call``, here or in its actor. While that is away, calls are tried again: all
    bear repeating."""

    def __init__(self, call: Callable[..., Awaitable[Any]], clock: Clock | None = None, *, shared: bool = True) -> None:
        """``shared``: others use that store too, so :meth:`close` leaves it open."""
        self._hub = call
        self._shared = shared
        self._clock = clock or SystemClock()

    async def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        deadline: float | None = None
        backoff = Backoff(self._clock, 0.1, 1.0)
        while True:
            try:
                return await self._hub(name, *args, **kwargs)
            except Unavailable:
                deadline = deadline or self._clock.monotonic() + STORE_PATIENCE_S
                if self._clock.monotonic() > deadline:
                    raise
            await backoff.wait()

    async def create(self, run: Run, first: EventBase, *, idempotency: Idempotency | None = None) -> tuple[Run, bool]:
        stored, created = await self._call("create", run, first, idempotency=idempotency)
        return stored, created or stored.id == run.id  # ids are never given twice: an earlier try of ours got through

    async def recall(self, idempotency: Idempotency) -> Run | None:
        return await self._call("recall", idempotency)

    async def get(self, run_id: str) -> Run:
        return await self._call("get", run_id)

    async def find(self, kind: str, **query: Any) -> list[Run]:
        return await self._call("find", kind, **query)

    async def summaries(self, kind: str, **query: Any) -> list[RunSummary]:
        return await self._call("summaries", kind, **query)

    async def remove(self, run_id: str) -> None:
        await self._call("remove", run_id)

    async def acquire(self, run_id: str) -> int:
        return await self._call("acquire", run_id)

    async def append(
        self, stream: str, events: Sequence[EventBase], *, epoch: int | None = None
    ) -> Sequence[EncodedEvent]:
        return await self._call("append", stream, events, epoch=epoch)

    async def read(self, stream: str, *, after: int = 0, limit: int = 1000) -> Sequence[EncodedEvent]:
        return await self._call("read", stream, after=after, limit=limit)

    async def tail(
        self, cursors: Mapping[str, int], *, wait_s: float, limit: int = 1000
    ) -> Mapping[str, Sequence[EncodedEvent]]:
        return await self._call("tail", cursors, wait_s=wait_s, limit=limit)

    async def used(self, tenant: str, day: date) -> Mapping[str, float]:
        return await self._call("used", tenant, day)

    async def finished(self, *, after: int = 0, limit: int = 100) -> Sequence[Finished]:
        return await self._call("finished", after=after, limit=limit)

    async def settle(self, position: int) -> None:
        await self._call("settle", position)

    async def put_document(self, document: Document) -> None:
        await self._call("put_document", document)

    async def get_document(self, kind: str, document_id: str) -> Document | None:
        return await self._call("get_document", kind, document_id)

    async def list_documents(self, kind: str, **query: Any) -> Sequence[Document]:
        return await self._call("list_documents", kind, **query)

    async def delete_document(self, kind: str, document_id: str) -> None:
        await self._call("delete_document", kind, document_id)

    async def put_key(self, key: ApiKey) -> None:
        await self._call("put_key", key)

    async def get_key(self, key_id: str) -> ApiKey | None:
        return await self._call("get_key", key_id)

    async def list_keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        return await self._call("list_keys", tenant)

    async def close(self) -> None:
        if not self._shared:
            await self._hub("close")


class SupervisorHandle:
    """The ``Commands`` port over the supervisor actor, looked up anew when it has been replaced."""

    def __init__(self, lookup: Callable[[], ActorHandle | None]) -> None:
        self._lookup = lookup
        self._actor: ActorHandle | None = None

    async def _call(self, method: str, *args: Any) -> Any:
        self._actor = self._actor or await in_thread(self._lookup)
        if self._actor is None:
            raise Unavailable("the supervisor is not running")
        try:
            return await call(self._actor, method, *args)
        except Unavailable:
            self._actor = None
            raise

    async def submit_evaluation(
        self, request: EvaluationRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[EvaluationRun, bool]:
        return await self._call("submit_evaluation", request, principal, idempotency)

    async def cancel_evaluation(self, run_id: str, principal: Principal) -> EvaluationRun:
        return await self._call("cancel_evaluation", run_id, principal)

    async def start_training(
        self, request: TrainingRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[TrainingRun, bool]:
        return await self._call("start_training", request, principal, idempotency)

    async def command_training(self, run_id: str, command: str, principal: Principal) -> TrainingRun:
        return await self._call("command_training", run_id, command, principal)

    async def delete_checkpoint(self, checkpoint_id: str, principal: Principal) -> None:
        await self._call("delete_checkpoint", checkpoint_id, principal)

    async def status(self) -> PlatformStatus:
        return await self._call("status")

    async def places(self, run_ids: Sequence[str]) -> list[Place | None]:
        return await self._call("places", run_ids)

    async def drain(self) -> None:
        await self._call("drain")


class EvaluatorHandle:
    """An ``EvaluatorLink`` over Ray."""

    def __init__(self, name: str, slots: int, actor: ActorHandle) -> None:
        self.name = name
        self.slots = slots
        self._actor = actor

    async def status(self) -> PoolStatus:
        return await call(self._actor, "status")

    async def active(self) -> list[str]:
        return await call(self._actor, "active")

    async def evaluate(self, run: EvaluationRun, attempt: int, epoch: int) -> None:
        await call(self._actor, "evaluate", run, attempt, epoch)

    async def cancel(self, run_id: str) -> None:
        await call(self._actor, "cancel", run_id)

    async def end(self) -> None:
        await kill(self._actor)

    async def close(self) -> None:
        """Remove its containers and end it; one that does not answer within ``CLOSE_S`` is ended all the same."""
        with suppress(PlatformError, TimeoutError):
            await asyncio.wait_for(call(self._actor, "close"), CLOSE_S)
        await kill(self._actor)


class TrainerHandle:
    """A ``TrainerLink`` over Ray. A call of ``run`` is pending all along: the trainer's end is noticed at once."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor
        self._over = submit(actor, "run")

    async def wait(self) -> None:
        await result(self._over, "the training session")

    async def command(self, command: str, *details: str) -> None:
        await call(self._actor, "command", command, *details)

    async def release(self) -> None:
        await kill(self._actor)


class PoliciesHandle:
    """The ``Policies`` port over the Serve deployment of policies."""

    def __init__(self, lookup: Callable[[], Any]) -> None:
        self._lookup = lookup
        self._deployment: Any = None

    async def _call(self, method: str, *args: Any) -> Any:
        from ray.serve.exceptions import RayServeException  # seconds, and here Serve runs already

        self._deployment = self._deployment or self._lookup()
        response = getattr(self._deployment, method).remote(*args)
        try:
            return await asyncio.wait_for(result(response, method), POLICY_PATIENCE_S)
        except TimeoutError:
            raise Unavailable(f"{method}: no replica for policies answered within {POLICY_PATIENCE_S:g} s") from None
        except RayServeException as error:
            raise Unavailable(f"{method}: {_first_line(error)}") from None

    async def publish(
        self, request: PolicyRequest, principal: Principal, idempotency: Idempotency | None = None
    ) -> tuple[PolicyRecord, bool]:
        return await self._call("publish", request, principal, idempotency)

    async def delete(self, policy_id: str, principal: Principal) -> PolicyRecord:
        return await self._call("delete", policy_id, principal)

    async def act(self, policy: PolicyInfo, observations: NDArray[Any], *, deterministic: bool = True) -> Acted:
        acted = await self._call("act", (policy, observations, deterministic))
        if isinstance(acted, PlatformError):
            raise acted
        return acted

    async def archive(self, policy: PolicyInfo) -> bytes:
        return await self._call("archive", policy)

    async def onnx(self, policy: PolicyInfo) -> bytes:
        return await self._call("onnx", policy)
