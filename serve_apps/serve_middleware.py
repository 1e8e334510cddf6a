"""Middleware around Serve's own code, in its proxy and in its replicas; Serve loads it by :data:`CALLBACK`.

Serve obeys some request headers, and answers some requests itself, before the application sees them. This middleware
drops those headers and turns Serve's answers into problem documents. It sends the paths that hold a connection open to
a separate application, so that streams and commands have separate replicas.

A replica that speaks HTTP itself reads a connection only as fast as the application does, and the application notices
when a client disconnects. Serve, and its proxy, would read ahead without bound.
"""

from __future__ import annotations

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rlplatform.errors import PlatformError, RequestTimeout, TooManyRequests, Unavailable
from serve_apps import connections, websocket_limits
from serve_apps.api.http.middleware import SECURITY, request_id_of
from serve_apps.api.http.problems import internal_error, problem_response
from serve_apps.stream_paths import STREAM_PATHS, STREAMS

CALLBACK = "serve_apps.serve_middleware:middlewares"

_STREAM = re.compile(STREAM_PATHS)
_PROBES = frozenset({"/-/healthz", "/-/routes"})
_LOG = logging.getLogger("rlplatform.api")


def middlewares() -> list[Middleware]:
    """Return the middleware for Serve's HTTP servers. Also installs the limits of connections and WebSockets."""
    connections.install()
    websocket_limits.install()
    return [Middleware(ServeMiddleware, replica=_in_replica())]


def _in_replica() -> bool:
    from ray import serve
    from ray.serve.exceptions import RayServeException

    try:
        serve.get_replica_context()
    except RayServeException:
        return False
    return True


class ServeMiddleware:
    """The outermost layer. Its ``x-request-id`` is the only one, inbound and outbound."""

    def __init__(self, app: ASGIApp, *, replica: bool = False) -> None:
        """Wrap ``app``. ``replica`` is True in a replica, where no code of Serve is between server and application."""
        self._app = app
        self._further = [_NO_READING_AHEAD] if replica else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope))
        named = (b"x-request-id", request_id.encode())
        kept = [pair for pair in scope["headers"] if not _overrides(pair[0])]
        inner = {**scope, "headers": [*kept, named, *self._further]}
        if _STREAM.fullmatch(scope["path"]):
            inner |= {"path": STREAMS + scope["path"], "raw_path": STREAMS.encode() + scope.get("raw_path", b"")}
        answer = _Answer(scope, receive, send, request_id)
        try:
            await self._app(inner, receive, answer.send)
        except Exception:
            if answer.started or scope["type"] != "http":
                raise
            _LOG.exception("%s %s failed [%s]", scope["method"], scope["path"], request_id)
            await problem_response(internal_error(request_id), request_id, SECURITY)(scope, receive, send)


class StripStreamsPrefix:
    """Wraps the application, and restores the path that the client sent in either of Serve's applications."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope = {**scope, "path": scope["path"].removeprefix(STREAMS), "root_path": ""}
        await self._app(scope, receive, send)


class _Answer:
    """Forwards an answer. An answer made by Serve is replaced by a problem document."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self.started = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._request_id = request_id
        self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            del headers["x-request-id"]
            headers["X-Request-Id"] = self._request_id
            error = self._problem(message["status"], headers)
            if error is not None:
                self._replaced = True
                response = problem_response(error, self._request_id, {**SECURITY, "X-Request-Id": self._request_id})
                await response(self._scope, self._receive, self._send)
        if not self._replaced:
            await self._send(message)

    def _problem(self, status: int, headers: Headers) -> PlatformError | None:
        """Return the error for an answer made by Serve, recognised by its plain text; None for the application's
        answers."""
        if status < 400 or not headers.get("content-type", "").startswith("text/plain") or self._probes():
            return None
        if status == 408:
            return RequestTimeout("the request took too long")
        if status == 429:
            return TooManyRequests("too many requests wait already", retry_after_s=_seconds(headers, 1.0))
        if status in (404, 503):
            return Unavailable(
                "no part of the API is there to answer; come again", retry_after_s=_seconds(headers, 2.0)
            )
        return internal_error(self._request_id)

    def _probes(self) -> bool:
        return self._scope["path"] in _PROBES


def _overrides(name: bytes) -> bool:
    """True if Serve or the platform would obey this request header: deadlines, cancellation, choice of a replica."""
    plain = name.lower().replace(b"_", b"-")
    return plain in _OBEYED or plain.startswith(b"x-serve-router-")


_NO_READING_AHEAD = (b"x-request-disconnect-disabled", b"?1")
_OBEYED = frozenset(
    {
        b"serve-multiplexed-model-id",
        _NO_READING_AHEAD[0],
        b"x-request-id",
        b"x-request-timeout-seconds",
        b"x-session-id",
    }
)


def _seconds(headers: Headers, default: float) -> float:
    given = headers.get("retry-after", "")
    return float(given) if given.isdecimal() else default
