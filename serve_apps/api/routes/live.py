"""``/v1/live``: the WebSocket, and an explanation for those who send plain HTTP."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Sequence
from contextlib import suppress

from fastapi import APIRouter
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from rlplatform.access.principals import Principal
from rlplatform.errors import (
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    PlatformError,
    TooLarge,
    TooManyRequests,
    UpgradeRequired,
    problem,
)
from serve_apps.api.dependencies import Context
from serve_apps.api.http.parsing import parse
from serve_apps.api.http.validation import invalid_request
from serve_apps.api.live_messages import (
    AnyClientMessage,
    ClientMessage,
    LiveAuth,
    LiveAuthenticated,
    LiveError,
    LiveHeartbeat,
    LiveReconnect,
    LiveStreamEnd,
    LiveSubscribe,
    LiveSubscribed,
    LiveUnsubscribed,
    LiveWatch,
    ServerMessage,
)
from serve_apps.api.openapi.document import problems
from serve_apps.api.openapi.headers import headers
from serve_apps.api.openapi.schemas import REF
from serve_apps.api.streams.fan_out import Chunk, types_of, wanted
from serve_apps.api.streams.frames import REFUSED_S, Frames, Pending

MAX_MESSAGE = 16 * 1024
_AUTH_S = 10.0
_STALL_S = 30.0
_MAX_STREAMS = 200
_MAX_FIELDS = 20
_POLICY_VIOLATION, _SERVICE_RESTART, _TRY_AGAIN = 1008, 1012, 1013
_CLIENT_MESSAGE: TypeAdapter[ClientMessage] = TypeAdapter(AnyClientMessage)
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


class LiveConnection:
    """One socket: a pump for each subscription, all writing through one lock. Who does not read is cut off."""

    def __init__(self, socket: WebSocket, context: Context) -> None:
        self._socket = socket
        self._context = context
        self._settings = context.settings.api
        self._lock = asyncio.Lock()
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._cursors: dict[str, int] = {}
        self._credential = ""
        services = context.services
        self._frames = Frames(services.player, services.clock, context.training)
        self._picture = Pending()

    async def run(self) -> None:
        """Serve the socket until it closes."""
        await self._socket.accept()
        heartbeats: list[asyncio.Task[None]] = []
        try:
            async with asyncio.timeout(self._settings.stream_max_life_s * random.uniform(0.9, 1.0)):
                principal = await self._admit()
                if principal is not None:
                    heartbeats.append(asyncio.create_task(self._heartbeats()))
                    await self._converse(principal)
        except TimeoutError:
            with suppress(TimeoutError, WebSocketDisconnect):
                await self._send(LiveReconnect(cursors=self._cursors))
            await self._close(_SERVICE_RESTART, "reconnect with your cursors")
        except WebSocketDisconnect:
            pass
        finally:
            tasks = [*heartbeats, *self._pumps.values(), *self._picture.tasks()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _converse(self, principal: Principal) -> None:
        try:
            with self._context.limiter.connection(principal.id):
                await self._send(LiveAuthenticated())
                while True:
                    await self._handle(await self._receive(), principal)
        except TooManyRequests as error:
            await self._fail(error)
            await self._close(_TRY_AGAIN, error.title)

    async def _admit(self) -> Principal | None:
        """Authenticate, if not too many others are still to say who they are."""
        try:
            with self._context.limiter.stranger():
                return await self._authenticate()
        except TooManyRequests as error:
            await self._fail(error)
            await self._close(_TRY_AGAIN, error.title)
            return None

    async def _authenticate(self) -> Principal | None:
        try:
            scheme, _, token = self._socket.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                token = await self._token()
            principal = await self._context.access.either(token)
            self._credential = token
            await self._context.limiter.spend(self._socket.scope, principal.id, "requests")
        except PlatformError as error:
            await self._fail(error)
            await self._close(_POLICY_VIOLATION, error.title)
            return None
        return principal

    async def _token(self) -> str:
        try:
            async with asyncio.timeout(_AUTH_S):
                message = _message(await self._receive())
        except TimeoutError:
            raise NotAuthenticated(f"no auth message within {_AUTH_S:.0f} s") from None
        if not isinstance(message, LiveAuth):
            raise NotAuthenticated('the first message must be {"type": "auth", "token": "rlp_…"}')
        return message.token

    async def _handle(self, text: str | bytes, principal: Principal) -> None:
        stream = None
        try:
            message = await self._paid(text, principal)
            if isinstance(message, LiveWatch):
                self._picture.start(self._watch(message, principal))
                return
            if isinstance(message, LiveAuth):
                raise Conflict("this connection is authenticated already")
            stream = message.stream
            if isinstance(message, LiveSubscribe):
                await self._subscribe(message, principal)
            else:
                await self._unsubscribe(stream)
        except PlatformError as error:
            await self._fail(error, stream)

    async def _paid(self, text: str | bytes, principal: Principal) -> ClientMessage:
        """Return the message, counted as a request. Pictures that are asked for one after the other are not counted:
        the player sets their pace."""
        message: ClientMessage | None = None
        try:
            message = _message(text)
            return message
        finally:
            if not isinstance(message, LiveWatch) or self._picture.tasks():
                await self._context.limiter.spend(self._socket.scope, principal.id, "requests")

    async def _subscribe(self, message: LiveSubscribe, principal: Principal) -> None:
        if message.stream in self._pumps:
            raise Conflict(f"already subscribed to {message.stream}")
        if len(self._pumps) >= _MAX_STREAMS:
            raise TooManyRequests(f"at most {_MAX_STREAMS} streams on one connection")
        types = types_of(message.types)
        run = await self._context.of_stream(message.stream, principal)
        if message.after > run.seq:
            raise InvalidRequest(f"after is {message.after}, but the stream has come to {run.seq}", field="after")
        await self._send(LiveSubscribed(stream=message.stream, after=message.after))
        if run.final and message.after == run.seq:
            await self._send(LiveStreamEnd(stream=message.stream))
            return
        self._cursors[message.stream] = message.after
        pump = self._pump(message.stream, message.after, types, staff=principal.sees_hidden)
        self._pumps[message.stream] = asyncio.create_task(pump)

    async def _watch(self, message: LiveWatch, principal: Principal) -> None:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):  # the receiving side notices by itself
            try:
                frame = await self._frames.next(message, principal)
            except PlatformError as error:
                await self._fail(error, training=message.training)
                await self._context.services.clock.sleep(REFUSED_S)
            else:
                await self._send(frame)

    async def _unsubscribe(self, stream: str) -> None:
        pump = self._pumps.pop(stream, None)
        if pump is None:
            raise InvalidRequest(f"not subscribed to {stream[:80]!r}", field="stream")
        self._cursors.pop(stream, None)
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        await self._send(LiveUnsubscribed(stream=stream))

    async def _pump(self, stream: str, after: int, types: Collection[str], *, staff: bool) -> None:
        try:
            async with self._context.hubs.open(stream, after) as cursor:
                while not cursor.done:
                    batch = await cursor.next()
                    await self._send_all(batch.unredacted if staff else batch, stream, types)
            await self._send(LiveStreamEnd(stream=stream))
        except TimeoutError:
            await self._close(_TRY_AGAIN, f"too slow; resume {stream} after {self._cursors.get(stream, after)}"[:120])
        except PlatformError as error:
            await self._fail(error, stream)
        except (WebSocketDisconnect, RuntimeError):
            return  # the socket has closed; the receiving side notices by itself
        self._pumps.pop(stream, None)
        self._cursors.pop(stream, None)

    async def _heartbeats(self) -> None:
        """Also looks whether the key that opened the socket still holds: it closes, if not."""
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            while True:
                await self._context.services.clock.sleep(self._settings.stream_heartbeat_s)
                try:
                    await self._context.access.renew(self._credential)
                except NotAuthenticated as error:
                    await self._fail(error)
                    await self._close(_POLICY_VIOLATION, error.title)
                    return
                await self._send(LiveHeartbeat(time=self._context.services.clock.now()))

    async def _receive(self) -> str | bytes:
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect(message.get("code", 1005))
        found: str | bytes = message.get("text") or message.get("bytes") or ""
        return found

    async def _fail(self, error: PlatformError, stream: str | None = None, **about: str) -> None:
        about |= {"stream": stream} if stream else {}
        await self._send(LiveError(**problem(error) | about | {"type": "error"}))

    async def _send(self, message: ServerMessage) -> None:
        text = message.model_dump_json(exclude_unset=isinstance(message, LiveError))
        async with asyncio.timeout(_STALL_S), self._lock:
            await self._socket.send_text(text)

    async def _send_all(self, chunks: Sequence[Chunk], stream: str, types: Collection[str]) -> None:
        async with asyncio.timeout(_STALL_S), self._lock:
            for chunk in chunks:
                if wanted(chunk, types):
                    await self._socket.send_text(chunk.json)
                self._cursors[stream] = chunk.seq

    async def _close(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(code, reason)


def _message(text: str | bytes) -> ClientMessage:
    if len(text) > MAX_MESSAGE:
        raise TooLarge(f"a message is larger than {MAX_MESSAGE} bytes")
    value = parse(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    if isinstance(value, dict) and len(value) > _MAX_FIELDS:
        raise InvalidRequest(f"a message has {len(value)} fields; at most {_MAX_FIELDS} are accepted")
    try:
        return _CLIENT_MESSAGE.validate_python(value)
    except ValidationError as error:
        raise invalid_request(error.errors(include_url=False, include_input=False), body=value) from None
