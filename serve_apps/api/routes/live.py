"""``/v1/live``: the WebSocket, and an explanation for those who send plain HTTP."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket
from starlette.responses import Response

from rlplatform.errors import UpgradeRequired
from serve_apps.api.headers import headers
from serve_apps.api.live import LiveConnection
from serve_apps.api.openapi import problems
from serve_apps.api.schemas import REF

router = APIRouter(prefix="/v1", tags=["live"])
_MESSAGES = {
    "send": {"$ref": REF.format(model="LiveClientMessage")},
    "receive": {
        "anyOf": [{"$ref": REF.format(model="LiveServerMessage")}, {"$ref": REF.format(model="Event")}],
    },
}


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    await LiveConnection(socket, socket.app.state.context).run()


@router.get(
    "/live",
    name="connect",
    summary="Follow many runs on one WebSocket",
    status_code=101,
    response_class=Response,
    responses={
        101: {
            "description": "The connection speaks WebSocket now.",
            "headers": headers("Upgrade", "Connection"),
        },
        **problems(426),
    },
    openapi_extra={"security": [{"api_key": []}, {}], "x-websocket-messages": _MESSAGES},
)
async def explain() -> Response:
    """Open a WebSocket. The client sends `LiveClientMessage`s, the server `LiveServerMessage`s and `Event`s, each as
    one JSON text. Send `auth` first, unless the handshake has an `Authorization` header; then `subscribe` to streams.

    A request that does not ask for a WebSocket is answered with 426."""
    raise UpgradeRequired("this path speaks WebSocket: connect with a WebSocket client, to ws:// or wss://")
