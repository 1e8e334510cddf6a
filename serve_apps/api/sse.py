"""Server-sent events: ``id:`` is the sequence number, ``data:`` the event's JSON; unnamed, for ``onmessage``.

The one named event is ``reconnect``, sent when a connection has reached its capped life: come again with
``Last-Event-ID``. After a stream's final event the connection ends; a browser that comes again all the same gets 204,
which stops it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection
from contextlib import AbstractContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rlplatform.errors import PlatformError
from rlplatform.ports import Clock
from rlplatform.settings import ApiSettings
from serve_apps.api.hub import Cursor, Hubs, wanted

_RETRY_MS = 1000
_STALL_S = 30.0
_HEARTBEAT = b": heartbeat\n\n"


class EventStream(Response):
    """The events of ``stream`` behind ``after``, until the final one. A client that does not read is cut off.

    :param held: entered for as long as the connection lives; may refuse it.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        hubs: Hubs,
        clock: Clock,
        settings: ApiSettings,
        stream: str,
        held: AbstractContextManager[None],
        *,
        after: int,
        types: Collection[str] = (),
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hubs = hubs
        self._clock = clock
        self._settings = settings
        self._stream = stream
        self._held = held
        self._after = after
        self._types = types

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await self._run(receive, send)

    async def _run(self, receive: Receive, send: Send) -> None:
        writing = asyncio.ensure_future(self._write(send))
        leaving = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            writing.cancel()
            results = await asyncio.gather(writing, leaving, return_exceptions=True)
        gone = isinstance(results[0], OSError)  # the client left, or did not read
        if isinstance(results[0], Exception) and not gone:
            raise results[0]

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _send(send, f"retry: {_RETRY_MS}\n\n".encode())
        ends_at = self._clock.monotonic() + self._settings.stream_max_life_s * random.uniform(0.9, 1.0)
        heartbeat_s = self._settings.stream_heartbeat_s
        quiet_until = self._clock.monotonic() + heartbeat_s  # whatever is left out of the stream meanwhile
        async with self._hubs.open(self._stream, self._after) as cursor:
            try:
                while not cursor.done and (now := self._clock.monotonic()) < ends_at:
                    body = await self._next(cursor, min(ends_at, quiet_until) - now)
                    if not body and self._clock.monotonic() < quiet_until:
                        continue
                    await _send(send, body or _HEARTBEAT)
                    quiet_until = self._clock.monotonic() + heartbeat_s
            except PlatformError:
                pass  # the log does not answer: the client comes again, and goes on where it was
            if not cursor.done:
                await _send(send, f'event: reconnect\ndata: {{"after": {cursor.seq}}}\n\n'.encode())
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, cursor: Cursor, wait_s: float) -> bytes:
        try:
            async with asyncio.timeout(wait_s):
                chunks = await cursor.next()
        except TimeoutError:
            return b""
        return b"".join(chunk.sse for chunk in chunks if wanted(chunk, self._types))


async def _send(send: Send, body: bytes) -> None:
    async with asyncio.timeout(_STALL_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def disconnected(receive: Receive) -> None:
    """Wait until the client has left. Nothing else may read the request meanwhile."""
    while (await receive())["type"] != "http.disconnect":
        pass
