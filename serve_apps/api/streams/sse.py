"""Server-sent events: ``id:`` is the sequence number, ``data:`` the event's JSON; unnamed, for ``onmessage``.

A stream that may have nothing to send at first begins with an ``id:`` alone. A browser then sends ``Last-Event-ID``
even if the connection breaks before any event.

The only named event is ``reconnect``, sent when a connection has reached its longest life: reconnect with ``Last-Event-
ID``. After a stream's final event the connection ends. A browser that reconnects then gets 204, which stops it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager, suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rlplatform.clock import Clock
from rlplatform.errors import NotAuthenticated, PlatformError
from rlplatform.settings import ApiSettings
from serve_apps.api.streams.fan_out import StreamFanOuts

_RETRY_MS = 1000
_STALL_S = 30.0
_HEARTBEAT = b": heartbeat\n\n"


class EventStream(Response):
    """Response with the events of ``stream`` after ``after``, up to the final one.

    A client that does not read is cut off.

    Args:
        held: Context manager entered while the connection lives; it may refuse the connection.
        renew: Awaited at each heartbeat; :class:`NotAuthenticated` ends the connection.
        staff: True: hidden tests are shown.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        hubs: StreamFanOuts,
        clock: Clock,
        settings: ApiSettings,
        stream: str,
        held: AbstractContextManager[None],
        renew: Callable[[], Awaitable[None]],
        *,
        after: int,
        types: Collection[str] = (),
        staff: bool = False,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hubs = hubs
        self._clock = clock
        self._stream = stream
        self._held = held
        self._renew = renew
        self._after = after  # the last that was sent, or left out
        self._types = types
        self._staff = staff
        self._ends_at = clock.monotonic() + settings.stream_max_life_s * random.uniform(0.9, 1.0)
        self._heartbeat_s = settings.stream_heartbeat_s
        self._sending_since: float | None = None
        self._sent_at = clock.monotonic()

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        with self._held:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            writing = asyncio.ensure_future(self._write(send))
            beating = asyncio.ensure_future(self._beat(send))
            leaving = asyncio.ensure_future(disconnected(receive))
            tasks = (writing, beating, leaving)
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(OSError):  # the client has left, or does not read
                if not writing.cancelled():
                    await self._end(send, whole=writing.result())
                elif not beating.cancelled():
                    beating.result()
                    await self._end(send, whole=False)

    async def _write(self, send: Send) -> bool:
        """Send events as they arrive. Return True after the final one, False if the log does not answer."""
        place = f"id: {self._after}\n" if self._after or self._types else ""
        await self._send(send, f"{place}retry: {_RETRY_MS}\n\n".encode())
        async with self._hubs.open(self._stream, self._after) as cursor:
            try:
                while not cursor.done:
                    batch = await cursor.next()
                    batch = batch.unredacted if self._staff else batch
                    if body := batch.wanted(self._types).sse:
                        await self._send(send, body)
                    self._after = cursor.seq
            except PlatformError:
                return False
        return True

    async def _beat(self, send: Send) -> None:
        """Send heartbeats while nothing else is sent, until the connection's life ends or its key is no longer valid.

        Raises:
            TimeoutError: the client does not read.
        """
        renewed_at = self._clock.monotonic()
        while (now := self._clock.monotonic()) < self._ends_at:
            if now >= renewed_at + self._heartbeat_s:
                try:
                    await self._renew()
                except NotAuthenticated:
                    return
                renewed_at = now
            if (since := self._sending_since) is not None:
                due = since + _STALL_S
                if now >= due:
                    raise TimeoutError
            elif now >= (due := self._sent_at + self._heartbeat_s):
                async with asyncio.timeout(_STALL_S):
                    await self._send(send, _HEARTBEAT)
                continue
            await self._clock.sleep(min(due, renewed_at + self._heartbeat_s, self._ends_at) - now)

    async def _send(self, send: Send, body: bytes) -> None:
        self._sending_since = self._clock.monotonic()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        self._sending_since = None
        self._sent_at = self._clock.monotonic()

    async def _end(self, send: Send, *, whole: bool) -> None:
        body = b"" if whole else f'event: reconnect\ndata: {{"after": {self._after}}}\n\n'.encode()
        async with asyncio.timeout(_STALL_S):
            await send({"type": "http.response.body", "body": body, "more_body": False})


async def disconnected(receive: Receive) -> None:
    """Wait until the client disconnects. No other code may read the request meanwhile."""
    while (await receive())["type"] != "http.disconnect":
        pass
