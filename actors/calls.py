"""Actors as Ray has them: made, found, called, ended. Here alone is ``.remote(``; Ray's errors leave it as ours."""

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
from actors.packing import pack, packing, unpack
from rlplatform.errors import PlatformError, ServiceError, Unavailable

_GONE = (RayActorError, ActorPlacementGroupRemoved, NodeDiedError, OwnerDiedError, GetTimeoutError)

T = TypeVar("T")


def spawn(cls: type, options: Mapping[str, Any], *args: Any) -> ActorHandle:
    """An actor of the plain class ``cls``. Of a named one that lives already: that one."""
    options = {"namespace": NAMESPACE, "get_if_exists": "name" in options, **options}
    return ray.remote(packing(cls)).options(**options).remote(*args)


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
    return unpack(await result(submit(actor, method, *args, **kwargs), method))


async def run_on(node: str, function: Callable[..., T], *args: Any) -> T:
    """What ``function`` of one of our modules returns, called on ``node``, however busy that is.

    :raises PlatformError: it raised, or the node is gone.
    """
    strategy = NodeAffinitySchedulingStrategy(node, soft=False)
    options = {"num_cpus": 0, "max_retries": 0, "scheduling_strategy": strategy}
    found: T = await result(ray.remote(function).options(**options).remote(*args), function.__name__)
    return found


def submit(actor: ActorHandle, method: str, *args: Any, **kwargs: Any) -> ray.ObjectRef:
    """Begin ``actor.method(*args)``. What it returns comes packed."""
    return getattr(actor, method).remote(pack(args, kwargs))


def ask(deployment: Any, method: str, *args: Any) -> Any:
    """Begin ``deployment.method(*args)`` on some replica. What it returns comes as it is."""
    return getattr(deployment, method).remote(*args)


async def result(ref: Any, what: str) -> Any:
    """Wait for what :func:`submit` or :func:`ask` began."""
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
    """What there is to say of one of Ray's errors, which go on for pages."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
