"""Calls of an actor by its name: over its Unix socket if it is on this node, else through Ray."""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Any, Protocol

import ray
from ray.actor import ActorHandle

from actors.rpc.ray_calls import call, find, in_thread
from actors.rpc.unix_rpc import UnixRpcClient
from rlplatform.errors import Unavailable

log = logging.getLogger(__name__)

DETOUR_S = 10.0


class NamedActor:
    """Actor with a name. It must have a method ``line``.

    Calls go over its socket if it is on this node, else through Ray. If the actor is gone, the next call looks it up
    again, because it may have been replaced or have restarted elsewhere. Use an object in one event loop at a time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._title = name.replace("_", " ")
        self._reaching: asyncio.Task[_Way] | None = None

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``actor.method(*args)`` and return its value.

        Raises:
            Unavailable: the actor is gone, or does not exist. The call may have been carried out.
        """
        way = await asyncio.shield(self._way())
        return await way.call(method, *args, **kwargs)

    def _way(self) -> asyncio.Task[_Way]:
        """Return the connection that all calls of this event loop share while it works."""
        loop = asyncio.get_running_loop()
        if self._reaching is None or self._reaching.get_loop() is not loop or _ended(self._reaching):
            self._reaching = loop.create_task(self._reach())
            self._reaching.add_done_callback(
                _ended
            )  # retrieves its exception, since all waiting calls may be cancelled
        return self._reaching

    async def _reach(self) -> _Way:
        actor = await in_thread(find, self._name)
        if actor is None:
            raise Unavailable(f"the {self._title} is not running")
        try:
            address = await call(actor, "line")
        except Unavailable as error:
            log.warning("%s", error)
            raise Unavailable(f"the {self._title} is being started again") from None
        if address is not None and address.node == ray.get_runtime_context().get_node_id():
            try:
                return await UnixRpcClient.open(address)
            except OSError as error:
                log.warning("calls of the %s go through Ray for %g s: %s", self._title, DETOUR_S, error)
                return _ThroughRay(actor, DETOUR_S)
        return _ThroughRay(actor)


class _Way(Protocol):
    """Connection to an actor."""

    @property
    def gone(self) -> bool:
        """True if the connection no longer works."""

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any: ...


class _ThroughRay:
    """Connection through Ray, for an actor on another node or without a socket.

    It is used for ``for_s`` seconds if the actor's socket should exist but does not.
    """

    def __init__(self, actor: ActorHandle, for_s: float = math.inf) -> None:
        self._actor = actor
        self._until = asyncio.get_running_loop().time() + for_s
        self._refused = False

    @property
    def gone(self) -> bool:
        return self._refused or asyncio.get_running_loop().time() > self._until

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await call(self._actor, method, *args, **kwargs)
        except Unavailable:
            self._refused = True  # even if the method reported something else as unavailable
            raise


def _ended(reaching: asyncio.Task[_Way]) -> bool:
    """Return True if opening the connection failed, or if it no longer works."""
    return reaching.done() and (reaching.cancelled() or reaching.exception() is not None or reaching.result().gone)
