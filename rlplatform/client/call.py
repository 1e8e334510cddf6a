"""One call as a value: its method, path, body, and how its answer is read. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import quote
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from rlplatform.errors import InvalidRequest, PlatformError, ServiceError, error_from

T = TypeVar("T")

POLICY_WAIT_S = 90.0  # the first request for a policy starts the process that serves it


class Unchanged(Enum):
    """Mark of a field that an update does not change."""

    UNCHANGED = "unchanged"


UNCHANGED = Unchanged.UNCHANGED

_JSON = {"Content-Type": "application/json"}
_PLAIN = TypeAdapter(dict[str, Any], config=ConfigDict(ser_json_inf_nan="constants"))  # NaN is refused, not made null


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and the reader of its answer.

    Args:
        read: parses the body of an accepted answer.
        wait_s: seconds that the server may take in addition to the usual time limit.
        accepted: status codes of an answer that ``read`` can parse.
        repeatable: True if the call is idempotent, or carries an Idempotency-Key.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    accepted: frozenset[int] = frozenset({200, 201, 202, 204})
    repeatable: bool = True


def create(
    path: str,
    body: bytes,
    read: Callable[[bytes], T],
    idempotency_key: str | None,
    *,
    params: Mapping[str, Any] | None = None,
    wait_s: float = 0.0,
) -> Call[T]:
    """Return a POST that creates something once, however often it is sent."""
    headers = _JSON | {"Idempotency-Key": idempotency_key or uuid4().hex}
    return Call("POST", path, read, params or {}, body, headers, wait_s)


def with_json(
    method: str,
    path: str,
    body: BaseModel | Mapping[str, Any],
    model: type[T],
    *,
    wait_s: float = 0.0,
    repeatable: bool = True,
) -> Call[T]:
    """Return a call with a JSON body and without an Idempotency-Key."""
    return Call(method, path, reads(model), body=encode(body), headers=_JSON, wait_s=wait_s, repeatable=repeatable)


def encode(request: BaseModel | Mapping[str, Any]) -> bytes:
    """Encode the fields that were set: the server's defaults hold, and an older server is not sent newer fields.

    Raises:
        InvalidRequest: something in it cannot be encoded as JSON.
    """
    try:
        if isinstance(request, BaseModel):
            return request.model_dump_json(exclude_unset=True).encode()
        return _PLAIN.dump_json(dict(request))
    except PydanticSerializationError as error:
        raise InvalidRequest(f"the request cannot be sent: {error}") from None


def reads(model: type[T]) -> Callable[[bytes], T]:
    """Return a reader of ``model`` that skips fields which only a newer server knows."""
    adapter: TypeAdapter[T] = TypeAdapter(model)

    def read(body: bytes) -> T:
        try:
            return adapter.validate_json(body, extra="ignore")
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, wrong["loc"])) or "the body"
            raise ServiceError(f"what answered is no platform of this version: {where}: {wrong['msg']}") from error

    return read


def nothing(_: bytes) -> None:
    """Read an answer without a body."""


def segment(text: str) -> str:
    """Quote ``text`` as one segment of a path, so that no id can lead to another resource.

    Raises:
        InvalidRequest: it cannot be one.
    """
    if text in ("", ".", ".."):
        raise InvalidRequest(f"{text!r} is neither an id nor a name")
    return quote(text, safe="")


def failure(status: int, media_type: str, body: bytes) -> PlatformError:
    """Return the exception for an answer with an unexpected status."""
    if media_type.startswith("application/problem+json"):
        try:
            return error_from(TypeAdapter(dict[str, Any]).validate_json(body))
        except ValidationError:
            pass
    return ServiceError(f"the server answered {status}: {body[:200].decode('utf-8', 'replace')}", status_code=status)
