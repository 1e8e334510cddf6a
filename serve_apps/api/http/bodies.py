"""Request bodies: read within ``api.body_timeout_s``, parsed as unambiguous JSON, and validated strictly.

A body is read after its sender was authenticated. Large bodies are parsed and validated in a thread, one at a time, so
that the event loop and other requests are not delayed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from rlplatform.errors import InvalidRequest, Malformed, RequestTimeout, UnsupportedMediaType
from serve_apps.api.http.fields import wrong_fields
from serve_apps.api.http.parsing import parse
from serve_apps.api.http.validation import MAX_ERRORS, invalid_request

_LARGE = 64 * 1024
_LARGE_BODIES = ThreadPoolExecutor(1, "large-bodies")

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def body_of(model: type[M]) -> Callable[[Request], Coroutine[Any, Any, M]]:
    """Return a dependency that reads the request's body as ``model``. ``openapi.accepts`` documents it."""

    async def read(request: Request) -> M:
        body = await _read_json(request)
        return await beside(len(body), lambda: validate(parse(body), model, body))

    return read


async def beside(size: int, work: Callable[[], T]) -> T:
    """Do ``work`` on a body of ``size`` bytes: in this thread, or in the thread for large bodies."""
    if size < _LARGE:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_LARGE_BODIES, work)


async def read_bytes(request: Request) -> bytes:
    """Return the body as it was sent.

    Raises:
        UnsupportedMediaType: it is compressed on the way.
        RequestTimeout: it did not arrive within ``api.body_timeout_s``.
        Malformed: it was interrupted.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"content-encoding {encoding[:80]!r} is not accepted; send the body as it is")
    deadline_s = request.app.state.context.settings.api.body_timeout_s
    try:
        async with asyncio.timeout(deadline_s):
            return await request.body()
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {deadline_s:g} s") from None
    except ClientDisconnect:
        raise Malformed("the body broke off") from None


async def _read_json(request: Request) -> bytes:
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(f"a body of type {media_type[:80]!r} is not accepted; send application/json")
    return await read_bytes(request)


def validate(value: Any, model: type[M], text: bytes | None = None, max_errors: int = MAX_ERRORS) -> M:
    """Validate JSON values as ``model``, strictly: ``"1"`` is not a number, ``0`` is not a boolean.

    Args:
        value: Parsed JSON.
        model: Model to validate.
        text: ``value`` as it was sent, if available.
        max_errors: Largest number of errors to describe.

    Raises:
        InvalidRequest: names the field.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {type(value).__name__}")
    wrong = wrong_fields(value, model, max_errors)
    if wrong.count > (0 if text is not None and len(text) >= _LARGE else max_errors):
        # pydantic would describe every error, and copy all values of an object that lacks a field
        raise invalid_request(wrong.errors, body=value, model=model, max_errors=max_errors, count=wrong.count)
    try:
        return model.model_validate_json(text or json.dumps(value), strict=True)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise invalid_request(errors, body=value, model=model, max_errors=max_errors) from None
