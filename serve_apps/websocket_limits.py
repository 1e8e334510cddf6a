"""WebSockets as uvicorn speaks them in Serve's servers: nothing large is buffered for a client, nothing is compressed.

Clients have little to say: a message of more than :data:`MAX_MESSAGE` bytes closes the socket (1009) before it has been
read. Compressing would be done anew for every socket, for an event that all of them get.

Serve makes the configuration of its servers itself. What it leaves to others is the class that the name ``auto`` in
uvicorn's table of protocols stands for.
"""

from __future__ import annotations

from typing import Any

from uvicorn import Config
from uvicorn.config import WS_PROTOCOLS
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from serve_apps.api.routes.live import MAX_MESSAGE

MAX_MESSAGE = 4 * MAX_MESSAGE  # what is too large for the API, but no larger than this, is told so


class SmallMessages(WebSocketsSansIOProtocol):
    """uvicorn's own, with these limits, whatever the configuration says."""

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        config.ws_max_size = MAX_MESSAGE
        config.ws_per_message_deflate = False
        super().__init__(config, *args, **kwargs)


def install() -> None:
    """Have every server that is made in this process from now on speak so."""
    WS_PROTOCOLS["auto"] = f"{__name__}:{SmallMessages.__name__}"
