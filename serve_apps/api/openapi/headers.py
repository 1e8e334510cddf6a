"""Response headers in the OpenAPI document: each is described once, and responses refer to it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

_TEXT = {"type": "string"}
_RATE = 'of the principal, for example `"requests"'

_HEADERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "Accept-Ranges": ("Unit of the ranges that `Range` may ask for.", {"type": "string", "const": "bytes"}),
    "Cache-Control": ("Rules for caches: nothing is stored unless it says so.", _TEXT),
    "Connection": ("`close`: the connection is closed after this response. `Upgrade`: with `Upgrade`.", _TEXT),
    "Content-Disposition": ("File name to save the download under.", _TEXT),
    "Content-Range": ("First and last byte of this part, and the size of the whole.", _TEXT),
    "ETag": ("Tag of this version of the content, for `If-None-Match`.", _TEXT),
    "Idempotency-Replayed": (
        "`true` if an earlier request with the same `Idempotency-Key` created the resource; absent otherwise.",
        {"type": "string", "const": "true"},
    ),
    "Last-Modified": ("Time of the last change of the content.", _TEXT),
    "Link": ('Address of the next page (`rel="next"`); absent on the last page.', _TEXT),
    "Location": ("Path of the resource.", {"type": "string", "format": "uri-reference"}),
    "RateLimit": (f"Rest of each rate limit {_RATE};r=119999;t=60` (`t`: seconds until it resets).", _TEXT),
    "RateLimit-Policy": (f"Rate limits {_RATE};q=120000;w=60` (`w`: the window, in seconds).", _TEXT),
    "Retry-After": ("Time to wait before another attempt, in seconds.", {"type": "integer", "minimum": 1}),
    "Server-Timing": ("Time of the computation (`dur`, in milliseconds), and the observations in its batch.", _TEXT),
    "Set-Cookie": ("Ends the session of the browser.", _TEXT),
    "Upgrade": ("Protocol to connect with.", {"type": "string", "const": "websocket"}),
    "WWW-Authenticate": ("Scheme to authenticate with.", {"type": "string", "const": "Bearer"}),
    "X-Accel-Buffering": ("`no`: proxies pass each event on at once.", {"type": "string", "const": "no"}),
    "X-Request-Id": ("Id of the request: the client's own `X-Request-Id`, or a new one. The log has it.", _TEXT),
}
_REQUESTED: Mapping[str, tuple[str, str]] = {  # headers of a request, by the status that they can lead to
    "304": ("If-None-Match", "`ETag` of the version that you have: answered with 304 if it is still the same."),
    "206": ("Range", "Part of the file to send, for example `bytes=0-1023`: answered with 206."),
}
_ALWAYS = ("Cache-Control", "X-Request-Id")
_LIMITED = ("RateLimit", "RateLimit-Policy")
_OF_STATUS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    408: ("Connection",),
    413: ("Connection",),
    416: ("Content-Range",),
    426: ("Connection", "Upgrade"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def headers(*names: str) -> dict[str, Any]:
    """Return the ``headers`` of a response that has these, besides those of every response."""
    for name in names:
        assert name in _HEADERS, name
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def usual_headers(*, limited: bool) -> dict[str, Any]:
    """Return the headers of every response; with those of the rate limits if ``limited``."""
    return headers(*_ALWAYS, *(_LIMITED if limited else ()))


def problem_headers(status: int) -> dict[str, Any]:
    """Return the headers of a problem document of this status."""
    return usual_headers(limited=status != 401) | headers(*_OF_STATUS.get(status, ()))


def request_headers(statuses: Container[str]) -> list[dict[str, Any]]:
    """Return the parameters for the headers that an operation with these statuses reads."""
    return [
        {"name": name, "in": "header", "required": False, "description": description, "schema": _TEXT}
        for status, (name, description) in _REQUESTED.items()
        if status in statuses
    ]


def components() -> dict[str, Any]:
    """Return ``components.headers``."""
    return {
        name: {"description": description, "schema": schema} | ({"required": True} if name in _ALWAYS else {})
        for name, (description, schema) in _HEADERS.items()
    }
