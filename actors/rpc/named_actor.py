"""Calls to an actor by its name, over its Unix socket where it is on this node, else through Ray."""

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
    """Actor of a name, called over its socket if it is on this node, else through Ray. It has a method ``line``.

    If the actor is gone, the next call looks it up again, because it may have been replaced or have restarted
    elsewhere. For one event loop at a time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._title = name.replace("_", " ")
        self._reaching: asyncio.Task[_Way] | None = None

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call ``actor.method(*args)`` and return its value.

        Raises:
            Unavailable: the actor is gone, or there is none; whether the call was carried out is unknown.
        """
        way = await asyncio.shield(self._way())
        return await way.call(method, *args, **kwargs)

    def _way(self) -> asyncio.Task[_Way]:
        """Return the way that all calls of this event loop share, for as long as it works."""
        loop = asyncio.get_running_loop()
        if self._reaching is None or self._reaching.get_loop() is not loop or _ended(self._reaching):
            self._reaching = loop.create_task(self._reach())
            self._reaching.add_done_callback(_ended)  # reads its exception: all who wait for it may be cancelled
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
    """Way to call an actor."""

    @property
    def gone(self) -> bool:
        """True if the way no longer leads anywhere."""

    async def call(self, method: str, *args: Any, **kwargs: Any) -> Any: ...


class _ThroughRay:
    """Way to an actor on another node or without a socket; for ``for_s`` to one whose socket should be there."""

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
            self._refused = True  # if only for something else that is gone
            raise


def _ended(reaching: asyncio.Task[_Way]) -> bool:
    """Return True if opening the way failed, or if the way no longer leads anywhere."""
    return reaching.done() and (reaching.cancelled() or reaching.exception() is not None or reaching.result().gone)
