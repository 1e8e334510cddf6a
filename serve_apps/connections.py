"""Limits on HTTP connections of Serve's servers: clients that do not complete a request's headers are disconnected.

uvicorn waits for headers without end, and accepts any number of them. Here :attr:`~Patient.headers_timeout_s` limits
the time for the headers of the first request, and of each request that has begun. Of the connections without a request,
the oldest is closed when there are too many.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from uvicorn.config import HTTP_PROTOCOLS
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rlplatform.errors import RequestTimeout, problem

HEADERS_TIMEOUT_S = 20.0
MAX_HEADER_BYTES = 64 * 1024
MAX_WAITING = 2000


class Patient(HttpToolsProtocol):
    """uvicorn's protocol with time and size limits for headers."""

    headers_timeout_s: ClassVar[float] = HEADERS_TIMEOUT_S
    max_waiting: ClassVar[int] = MAX_WAITING
    _waiting: ClassVar[dict[Patient, None]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._within_headers = False
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        self._waiting[self] = None
        if len(self._waiting) > self.max_waiting:
            next(iter(self._waiting))._give_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._within_headers = True
        self._header_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._within_headers = False
        self._arrived()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._within_headers and not self.transport.is_closing():
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self.send_400_response(f"The headers have more than {MAX_HEADER_BYTES} bytes.")
            elif self._timer is None:
                self._wait()

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.headers_timeout_s, self._give_up)

    def _arrived(self) -> None:
        self._waiting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._arrived()
        body = json.dumps(problem(RequestTimeout("the request did not arrive in time"))).encode()
        head = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/problem+json\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        self.transport.close()


def install() -> None:
    """Make every server that this process creates from now on use these limits."""
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{Patient.__name__}"
