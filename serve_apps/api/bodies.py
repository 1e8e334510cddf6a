"""Request bodies: read within ``api.body_timeout_s``, parsed as JSON that can mean one thing only, validated strictly.

A body is read after its sender has been authenticated. What JSON leaves open is refused: duplicate names, NaN, lone
surrogates, numbers beyond what a double or a thousand digits can hold, deep nesting.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from rlplatform.errors import InvalidRequest, Malformed, RequestTimeout, UnsupportedMediaType
from rlplatform.jsonvalues import MAX_DEPTH, why_not_json
from serve_apps.api.validation import invalid_request

_MAX_DIGITS = 1000
_BIG = 256 * 1024

M = TypeVar("M", bound=BaseModel)


def body_of(model: type[M]) -> Callable[[Request], Coroutine[Any, Any, M]]:
    """A dependency: the request's body as ``model``. ``openapi.accepts`` is its part of the document."""

    async def read(request: Request) -> M:
        value = await read_json(request)
        return validate(value, model, await request.body())

    return read


async def read_json(request: Request) -> Any:
    """The body as JSON values.

    :raises Malformed: it is not JSON, or JSON that could mean two things.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise UnsupportedMediaType(f"a body of type {media_type[:80]!r} is not accepted; send application/json")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(f"content-encoding {encoding[:80]!r} is not accepted; send the body as it is")
    deadline_s = request.app.state.context.settings.api.body_timeout_s
    try:
        async with asyncio.timeout(deadline_s):
            body = await request.body()
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within {deadline_s:g} s") from None
    except ClientDisconnect:
        raise Malformed("the body broke off") from None
    return await asyncio.to_thread(parse, body) if len(body) > _BIG else parse(body)


def parse(body: bytes) -> Any:
    """``body`` as JSON values. :raises Malformed: see above."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise Malformed(f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Malformed(f"the body is nested more than {MAX_DEPTH} levels deep") from None
    if (why := why_not_json(value)) is not None:
        raise Malformed(f"the body {why}")
    return value


def validate(value: Any, model: type[M], text: bytes | None = None) -> M:
    """JSON values as ``model``, strictly: ``"1"`` is no number, ``0`` is no boolean.

    :param text: ``value`` as it was sent, if it is at hand.
    :raises InvalidRequest: naming the field.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(f"the body must be a JSON object, not {type(value).__name__}")
    try:
        return model.model_validate_json(text or json.dumps(value), strict=True)
    except ValidationError as error:
        raise invalid_request(error.errors(include_url=False, include_input=False), body=value, model=model) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Malformed(f"the name {twice[:80]!r} is there twice in one object")
    return found


def _refuse_constant(name: str) -> Any:
    raise Malformed(f"{name} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed(f"the number {text[:40]} is too large")
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise Malformed(f"a number has more than {_MAX_DIGITS} digits")
    return int(text)
