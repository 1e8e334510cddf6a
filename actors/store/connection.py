"""The one store of a cluster, from any process of it."""

from __future__ import annotations

from functools import partial

from actors import options
from actors.rpc.named_actor import NamedActor
from actors.rpc.ray_calls import find
from actors.store.client import StoreHandle
from actors.store.metered import MeteredStore
from actors.store.server import EventHub
from rlplatform.errors import Unavailable
from rlplatform.settings import Settings
from rlplatform.storage import open_store
from rlplatform.store import Store
from rlplatform.telemetry.metrics import Telemetry


def shared_store(settings: Settings, telemetry: Telemetry | None = None) -> Store:
    """Connect to the store, from any process of the cluster: through the event hub, or to a server of its own.

    With ``telemetry``, appended events are measured there.
    """
    if settings.store.embedded:
        name = str(options.EVENT_HUB["name"])
        if find(name) is None:
            raise Unavailable("the event hub is not running")
        reach = partial(NamedActor(name).call, "call")
    else:
        reach = EventHub(partial(open_store, settings.store.url)).call
    shared = settings.store.embedded
    return MeteredStore(reach, telemetry, shared=shared) if telemetry else StoreHandle(reach, shared=shared)
