"""Create, find, call and end actors of Ray.

Only this module calls ``.remote(``. Ray's errors leave it as the platform's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import ray
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
from actors.rpc.serialization import pack, packing, unpack
from rlplatform.errors import PlatformError, ServiceError, Unavailable

_GONE = (RayActorError, ActorPlacementGroupRemoved, NodeDiedError, OwnerDiedError, GetTimeoutError)

T = TypeVar("T")


def spawn(cls: type, options: Mapping[str, Any], *args: Any) -> ActorHandle:
    """Create an actor of the plain class ``cls``, or return the living actor of the same name."""
    options = {"namespace": NAMESPACE, "get_if_exists": "name" in options, **options}
    actor_class: Any = ray.remote(packing(cls))
    return actor_class.options(**options).remote(*args)


def find(name: str) -> ActorHandle | None:
    """Return the living actor of this name; None if there is none."""
    try:
        return ray.get_actor(name, namespace=NAMESPACE)
    except ValueError:
        return None


def living() -> set[str]:
    """Return the names of the platform's living actors. Blocks."""
    entries = list_named_actors(all_namespaces=True)
    return {entry["name"] for entry in entries if entry["namespace"] == NAMESPACE}


async def kill(actor: ActorHandle) -> None:
    """End ``actor`` permanently, if it lives."""
    await in_thread(ray.kill, actor)


async def in_thread(function: Callable[..., T], *args: Any) -> T:
    """Call the blocking ``function`` in a thread and return its value."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def to_its_end(function: Callable[..., T], *args: Any) -> T:
    """Call ``function`` as :func:`in_thread` does, and wait for its end even when cancelled.

    A thread cannot be cancelled. Because of the wait, the cancelled caller can undo what the thread has done.
    """
    working = asyncio.ensure_future(in_thread(function, *args))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise


async def call(actor: ActorHandle, method: str, *args: Any, **kwargs: Any) -> Any:
    """Call ``actor.method(*args, **kwargs)`` and return its value.

    Raises:
        PlatformError: the method raised it.
        ServiceError: the method raised an error that is not one of the platform's.
        Unavailable: the actor is gone or does not answer. The call may have been carried out.
    """
    return unpack(await result(submit(actor, method, *args, **kwargs), method))


async def run_on(node: str, function: Callable[..., T], *args: Any) -> T:
    """Call ``function``, from a module of the platform, on ``node``, even if the node is busy; return its value.

    Raises:
        PlatformError: the function raised, or the node is gone.
    """
    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    options = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": strategy}
    found: T = await result(ray.remote(function).options(**options).remote(*args), function.__name__)
    return found


def submit(actor: ActorHandle, method: str, *args: Any, **kwargs: Any) -> ray.ObjectRef:
    """Start ``actor.method(*args, **kwargs)``; return a reference to its packed value."""
    return getattr(actor, method).remote(pack(args, kwargs))


def submit_named(name: str, actor: ActorHandle, method: str, *args: Any) -> ray.ObjectRef:
    """Start ``actor.method(*args)`` as :func:`submit` does, under a name that Ray's dashboard lists the task by."""
    return getattr(actor, method).options(name=name).remote(pack(args, {}))


def ask(deployment: Any, method: str, *args: Any) -> Any:
    """Start ``deployment.method(*args)`` on one of its replicas. The result is not packed."""
    return getattr(deployment, method).remote(*args)


async def result(ref: Any, what: str) -> Any:
    """Wait for a reference of :func:`submit` or :func:`ask`, and return its value."""
    try:
        return await ref
    except RayTaskError as error:
        cause = error.cause
        if isinstance(cause, PlatformError):
            raise cause from None
        raise ServiceError(f"{what} failed: {type(cause).__name__}: {cause}") from error
    except _GONE as error:
        raise Unavailable(f"{what}: the actor is gone: {first_line(error)}") from None
    except RayError as error:
        raise ServiceError(f"{what} failed: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Return the first line of an error of Ray; its whole text is pages long."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
