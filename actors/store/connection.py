"""Connect to the cluster's store from any of its processes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from actors import options
from actors.rpc.named_actor import NamedActor
from actors.rpc.ray_calls import find
from actors.store.client import StoreClient
from actors.store.metered import MeteredStore
from actors.store.server import StoreServer
from rlplatform.errors import Unavailable
from rlplatform.settings import THROUGH_ACTOR, Settings
from rlplatform.storage import open_platform_store
from rlplatform.store import Store
from rlplatform.telemetry.metrics import Telemetry


def connect_store(settings: Settings, telemetry: Telemetry | None = None) -> Store:
    """Connect to the store from any process of the cluster: through its server or relay, or directly to a database
    server.

    With ``telemetry``, appended events are measured.
    """
    shared = settings.store.embedded
    reach = _through_actor(settings) if shared else StoreServer(partial(open_platform_store, settings)).call
    return MeteredStore(reach, telemetry, shared=shared) if telemetry else StoreClient(reach, shared=shared)


def _through_actor(settings: Settings) -> Callable[..., Awaitable[Any]]:
    """Return the call of the actor that serves the store.

    Raises:
        Unavailable: it is not running.
    """
    names = [str(options.STORE_SERVER["name"])]
    if settings.store.url == THROUGH_ACTOR:
        names.append(str(options.STORE_RELAY["name"]))
    for name in names:
        if find(name) is not None:
            return partial(NamedActor(name).call, "call")
    raise Unavailable("the store server is not running")


async def close_store() -> None:
    """Close the embedded store: its file is then complete, without a write-ahead log.

    Call it before the server is ended.

    Raises:
        Unavailable: the store server does not answer.
    """
    await NamedActor(str(options.STORE_SERVER["name"])).call("call", "close")
