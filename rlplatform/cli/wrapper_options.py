"""Wrappers on the command line: ``frame_stack:n=4``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from rlplatform.environments.wrappers.models import WRAPPERS
from rlplatform.errors import InvalidRequest, UnknownName

_FIELD = "--wrapper"


def wrappers_of(given: Sequence[str]) -> list[dict[str, Any]]:
    """Return the wrappers of a request.

    Raises:
        InvalidRequest: there is no such wrapper, or it has no such setting.
    """
    return [_wrapper(text) for text in given]


def _wrapper(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    if name not in WRAPPERS:
        raise UnknownName("wrapper", name, WRAPPERS, field=_FIELD)
    settings: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise InvalidRequest(f"give settings as {name}:key=value,key=value; got {text!r}", field=_FIELD)
        settings[key.strip()] = _number(value)
    try:
        WRAPPERS[name].model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidRequest(f"{name}: {f'{where}: ' if where else ''}{first['msg']}", field=_FIELD) from None
    return {"name": name, **settings}


def _number(text: str) -> int | float | str:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
