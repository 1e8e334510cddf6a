"""Limits on WebSockets of Serve's servers: bounded buffers for each client, and no compression.

Clients send short messages: one of more than :data:`MAX_MESSAGE` bytes closes the socket (1009) before it has been
read. Compression would be repeated for every socket, although all of them get the same event.

Serve makes the configuration of its servers itself. It leaves open only the class for the name ``auto`` in uvicorn's
table of protocols.
"""

from __future__ import annotations

from typing import Any

from uvicorn import Config
from uvicorn.config import WS_PROTOCOLS
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from serve_apps.api.routes.live import MAX_MESSAGE

MAX_MESSAGE = 4 * MAX_MESSAGE  # messages up to this size, too large for the API, get an error


class SmallMessages(WebSocketsSansIOProtocol):
    """uvicorn's protocol with these limits, whatever the configuration says."""

    def __init__(self, config: Config, *args: Any, **kwargs: Any) -> None:
        config.ws_max_size = MAX_MESSAGE
        config.ws_per_message_deflate = False
        super().__init__(config, *args, **kwargs)


def install() -> None:
    """Make every server that this process creates from now on use these limits."""
    WS_PROTOCOLS["auto"] = f"{__name__}:{SmallMessages.__name__}"
