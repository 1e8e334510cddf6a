"""The browser page at ``/``: the files that its build made, held in memory, under a policy of its own.

The policy lets the page run its own scripts and styles and talk to its own origin: nothing inline, nothing from
elsewhere, no HTML made from text (``require-trusted-types-for``). There is no catch-all: a path that is none of the
page's files is answered as everywhere in the API.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response

BUILT = Path(__file__).parents[1] / "web" / "dist"

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
_TEXT = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
_MIN_GZIP = 1024


class _File:
    """One file, compressed once. ``hashed``: its name changes with its content, so it can be kept for ever."""

    def __init__(self, content: bytes, media_type: str, *, hashed: bool) -> None:
        self._content = content
        self._compressed = (
            gzip.compress(content, mtime=0) if media_type in _TEXT and len(content) >= _MIN_GZIP else None
        )
        self._media_type = media_type
        self._headers = {
            "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Opener-Policy": "same-origin",
            "Vary": "Accept-Encoding",
        }

    async def answer(self, request: Request) -> Response:
        if self._headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self._headers)
        headers, body = self._headers, self._content
        if self._compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers, body = headers | {"Content-Encoding": "gzip"}, self._compressed
        return Response(body, media_type=self._media_type, headers=headers)


def install(app: FastAPI, built: Path = BUILT) -> None:
    """Answer the paths of the page, if it has been built. What is built later is there after a restart."""
    if not (built / "index.html").is_file():
        return
    for path in sorted(path for path in built.rglob("*") if path.is_file()):
        name = path.relative_to(built).as_posix()
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = _File(path.read_bytes(), media_type, hashed=name.startswith("assets/"))
        for place in ("/", "/index.html") if name == "index.html" else (f"/{name}",):
            app.add_route(place, file.answer, methods=["GET", "HEAD"], include_in_schema=False)
