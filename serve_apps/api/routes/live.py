"""``WS /v1/live``."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from serve_apps.api.live import LiveConnection

router = APIRouter(prefix="/v1")


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    await LiveConnection(socket, socket.app.state.context).run()
