"""Cookies of browsers: the session, and the state of a sign-in on its way.

The session cookie alone authenticates nothing: a request must also have the header :data:`SESSION_HEADER`, which pages
of other origins cannot send, and must not come from another site.
"""

from __future__ import annotations

from typing import Literal

from fastapi import Request
from starlette.responses import Response

SESSION_HEADER = "rlp-session"
_SESSION, _OWN = "rlp_session", frozenset({"same-origin", "none"})
SameSite = Literal["strict", "lax", "none"]


class Cookies:
    """Cookies of one deployment. ``secure``: browsers reach it by HTTPS, and only that."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._session = f"__Host-{_SESSION}" if secure else _SESSION

    def session_of(self, request: Request) -> str | None:
        """Return the text of the session that authenticates ``request``; None if there is none."""
        given = SESSION_HEADER in request.headers and request.headers.get("sec-fetch-site", "none") in _OWN
        return self.session(request) if given else None

    def session(self, request: Request) -> str | None:
        """Return the text of the browser's session, which may be of another site's making; None if there is none."""
        return request.cookies.get(self._session) or None

    def begin_session(self, response: Response, text: str, life_s: float) -> None:
        """Give the browser a session."""
        self._set(response, self._session, text, life_s, "strict", "/")

    def end_session(self, response: Response) -> None:
        """Take the browser's session away."""
        self._set(response, self._session, "", 0, "strict", "/")

    def set_state(self, response: Response, name: str, text: str, life_s: float, *, posted: bool = False) -> None:
        """Give the browser the state of a sign-in.

        Args:
            posted: the browser comes back with a form that another site posts.
        """
        self._set(response, self._named(name), text, life_s, "none" if posted else "lax", "/")

    def state(self, request: Request, name: str) -> str:
        """Return the state of a sign-in; empty: there is none."""
        return request.cookies.get(self._named(name), "")

    def end_state(self, response: Response, name: str, *, posted: bool = False) -> None:
        """Take the state of a sign-in away."""
        self._set(response, self._named(name), "", 0, "none" if posted else "lax", "/")

    def _named(self, name: str) -> str:
        return f"__Host-rlp_{name}" if self._secure else f"rlp_{name}"

    def _set(self, response: Response, name: str, text: str, life_s: float, same_site: SameSite, path: str) -> None:
        parts = [f"{name}={text}", f"Path={path}", f"Max-Age={life_s:.0f}", "HttpOnly"]
        if same_site != "none":
            parts.append(f"SameSite={same_site.capitalize()}")
        elif self._secure:  # browsers take "None" with "Secure" alone
            parts += ["SameSite=None", "Partitioned"]
        if self._secure:
            parts.append("Secure")
        response.headers.append("Set-Cookie", "; ".join(parts))
