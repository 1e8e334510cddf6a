"""Outermost ASGI layer: request ids, security headers, the body limit, the audit log, and unexpected errors.

``HEAD`` is answered as ``GET`` without the body.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rlplatform.errors import InvalidRequest, TooLarge
from rlplatform.spans import span
from rlplatform.telemetry import log_context
from serve_apps.api import rate_limits
from serve_apps.api.http import audit_log
from serve_apps.api.http.problems import internal_error, problem_response

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SECURITY: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SEALS = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]
MAX_PARAMETERS = 100
_LINGER_S, _LINGER_BYTES = 2.0, 64 * 2**20  # seconds and bytes for which a refused body is still read
_PROBES = frozenset({"/healthz", "/readyz"})
_LOG = logging.getLogger("rlplatform.api")


def request_id_of(headers: Headers) -> str:
    """Return the client's id of the request if it is valid, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _seal(headers: list[tuple[bytes, bytes]], request_id: str, further: Mapping[str, str]) -> None:
    """Add the headers that every answer has. A handler's own values stay, except the request id."""
    given = {name for name, _ in headers}
    headers += [pair for pair in _SEALS if pair[0] not in given]
    headers += [(name.lower().encode(), value.encode()) for name, value in further.items()]
    headers.append((b"x-request-id", request_id.encode()))


class HttpMiddleware:
    """Wraps the whole application. It never sends a CORS header, so that pages of other origins cannot read answers.

    Args:
        uploads: Largest body of each POST path that accepts larger bodies than usual.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int, uploads: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._uploads = uploads or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_of(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        ids = {"request": request_id, **log_context.of_traceparent(headers.get("traceparent"))}
        probe = scope["path"] in _PROBES
        with log_context.bound(ids), nullcontext() if probe else _recorded(scope):
            await self._answer(scope, receive, send, headers, request_id)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: Headers, request_id: str) -> None:
        began = time.monotonic()
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
            receive, send = _bodiless(receive, send)
        started = begun = False
        complete = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers

        async def receive_watched() -> Message:
            nonlocal begun, complete
            message = await receive()
            begun = True
            complete = complete or not message.get("more_body")
            return message

        async def send_sealed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _seal(message["headers"], request_id, rate_limits.headers(scope))
                if not complete:  # a client that keeps sending must not keep the connection open
                    message["headers"].append((b"connection", b"close"))
                    if scope["path"] in self._uploads and (begun or "expect" not in headers):
                        await _discard(receive_watched)
                if message["status"] < 300 and (cookie := scope["state"].get("cookie")):
                    message["headers"].append((b"set-cookie", cookie.encode()))
                audit_log.note(scope, message["status"], message["headers"])
                scope["state"]["status"] = message["status"]
                _note(scope, message["status"], time.monotonic() - began)
            await send(message)

        if (given := scope.get("query_string", b"").count(b"&") + 1) > MAX_PARAMETERS:
            error = InvalidRequest(f"the query has {given} parameters; at most {MAX_PARAMETERS} are accepted")
            await problem_response(error, request_id)(scope, receive, send_sealed)
            return
        most = self._uploads.get(scope["path"], 0) if scope["method"] == "POST" else 0
        most = max(most, self._max_body_bytes)
        if (declared := headers.get("content-length", "0")).isdecimal() and int(declared[:20]) > most:
            if (
                "expect" not in headers and scope["path"] not in self._uploads
            ):  # otherwise the client has not started to send
                await _discard(receive_watched)
            await problem_response(_too_large(most), request_id)(scope, receive, send_sealed)
            return
        try:
            await self._app(scope, _limited(receive_watched, most), send_sealed)
        except Exception:
            _LOG.exception("%s %s failed [%s]", scope["method"], scope["path"], request_id)
            if started:
                raise
            await problem_response(internal_error(request_id), request_id)(scope, receive, send_sealed)


@contextmanager
def _recorded(scope: Scope) -> Iterator[None]:
    """Record a request as a span, named by its route: a path has ids in it."""
    with span(scope["method"], root=True, request=scope["state"]["request_id"]) as recorded:
        yield
        if (route := scope.get("route")) is not None:
            recorded.rename(f"{scope['method']} {route.path}")
        who = scope["state"].get("principal")
        recorded.set(status=scope["state"].get("status"), tenant=who.tenant if who else None)


def _note(scope: Scope, status: int, duration_s: float) -> None:
    """Log an answer. Probes are left out."""
    if scope["path"] in _PROBES or not _LOG.isEnabledFor(logging.INFO):
        return
    who = scope["state"].get("principal")
    fields = {"status": status, "duration_s": round(duration_s, 4), "principal": who.id if who else None}
    extra = {"tenant": who.tenant if who else None, "fields": fields}
    _LOG.info("%s %s", scope["method"], quote(scope["path"], safe="/:"), extra=extra)


def _limited(receive: Receive, most: int) -> Receive:
    """Return a ``receive`` that raises :class:`TooLarge` after more than ``most`` bytes."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > most:
                if message.get("more_body"):
                    await _discard(receive)
                raise _too_large(most)
        return message

    return receive_limited


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"the body is larger than {most} bytes", max_body_bytes=most)


async def _discard(receive: Receive) -> None:
    """Read the rest of the body for a moment: a client that still sends when its connection closes misses the
    answer."""
    left = _LINGER_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_S):
            while left > 0 and (message := await receive()).get("more_body"):
                left -= len(message.get("body", b""))


def _bodiless(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return ``receive`` and ``send`` for a HEAD request: after the headers the client counts as disconnected."""
    left = asyncio.Event()

    async def receive_until_left() -> Message:
        reading, leaving = asyncio.ensure_future(receive()), asyncio.ensure_future(left.wait())
        try:
            await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
            return {"type": "http.disconnect"} if leaving.done() else reading.result()
        finally:
            reading.cancel()
            leaving.cancel()

    async def send_start(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b""})
            left.set()

    return receive_until_left, send_start
