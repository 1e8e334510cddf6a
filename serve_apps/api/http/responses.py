"""Documents as responses: entity tags, pages, and acceptance of new runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

from rlplatform.runs.pages import Page

T = TypeVar("T", bound=BaseModel)


def document(request: Request, model: BaseModel) -> Response:
    """Return 200 with an entity tag, or 304 if the client already has this version."""
    body = model.model_dump_json().encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if unchanged(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def unchanged(request: Request, tag: str) -> bool:
    """True if the client already has the version with the entity tag ``tag`` (``If-None-Match``)."""
    asked = [candidate.strip().removeprefix("W/") for candidate in request.headers.get("if-none-match", "").split(",")]
    return tag in asked or "*" in asked


def accepted(location: str, model: BaseModel, *, new: bool = True, status: int = 202) -> Response:
    """Return 202 with the run's location. ``Idempotency-Replayed`` marks a repeated Idempotency-Key."""
    headers = {"Location": location} | ({} if new else {"Idempotency-Replayed": "true"})
    return Response(model.model_dump_json(), status_code=status, media_type="application/json", headers=headers)


def page(request: Request, rows: Sequence[T], cursor: str | None) -> Response:
    """Return a page of ``rows`` with a link to the next page."""
    body = Page[BaseModel].model_construct(items=list(rows), next_cursor=cursor)
    url = request.url.include_query_params(cursor=cursor)  # relative: whatever host and scheme the client came by
    headers = {"Link": f'<{url.path}?{url.query}>; rel="next"'} if cursor else {}
    text = body.model_dump_json(serialize_as_any=True)
    return Response(text, media_type="application/json", headers=headers)
