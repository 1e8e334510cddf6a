"""Connect to the cluster's store from any of its processes."""

from __future__ import annotations

from functools import partial

from actors import options
from actors.rpc.named_actor import NamedActor
from actors.rpc.ray_calls import find
from actors.store.client import StoreClient
from actors.store.metered import MeteredStore
from actors.store.server import StoreServer
from rlplatform.errors import Unavailable
from rlplatform.settings import Settings
from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.telemetry.metrics import Telemetry


def connect_store(settings: Settings, telemetry: Telemetry | None = None) -> Store:
    """Connect to the store from any process of the cluster: through the store server, or directly to a database server.

    With ``telemetry``, appended events are measured.
    """
    if settings.store.embedded:
        name = str(options.STORE_SERVER["name"])
        if find(name) is None:
            raise Unavailable("the store server is not running")
        reach = partial(NamedActor(name).call, "call")
    else:
        reach = StoreServer(partial(open_store, settings.store.url)).call
    shared = settings.store.embedded
    return MeteredStore(reach, telemetry, shared=shared) if telemetry else StoreClient(reach, shared=shared)


async def close_store() -> None:
    """Close the embedded store: its file is then complete, without a write-ahead log.

    Call it before the server is ended.

    Raises:
        Unavailable: the store server does not answer.
    """
    await NamedActor(str(options.STORE_SERVER["name"])).call("call", "close")
