"""Text and JSON values that survive being stored: finite numbers, text that UTF-8 can hold, bounded depth.

Python's own ``json`` lets NaN, lone surrogates and any depth through; they would be lost, or refused, when written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import NoneType
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

MAX_DEPTH = 48  # with MAX_INT_BITS: what rlplatform.sandbox.guest.values carries, with room for an argument list
MAX_INT_BITS = 14_284  # 4,300 decimal digits: what JSON parsers accept; larger numbers take quadratic time


class Survey(NamedTuple):
    """Result of a walk over a value: the reason ``why`` it is not a storable JSON value (None: it is one), and its
    names."""

    why: str | None
    names: int


def survey(value: object, max_depth: int = MAX_DEPTH) -> Survey:
    """Walk over ``value`` level by level. A level is looked at as a whole: a million numbers take milliseconds."""
    level: list[Any] = [value]
    names = 0
    for _ in range(max_depth + 1):
        kinds = set(map(type, level))
        if (why := _why_not(level, kinds)) is not None:
            return Survey(why, names)
        below: list[Any] = []
        for item in level if any(issubclass(kind, list | dict) for kind in kinds) else ():
            if isinstance(item, list):
                below += item
            elif isinstance(item, dict):
                names += len(item)
                below += item
                below += item.values()
        if not below:
            return Survey(None, names)
        level = below
    return Survey(f"is nested more than {max_depth} levels deep", names)


def why_not_json(value: object) -> str | None:
    """Return the reason why ``value`` is not a storable JSON value; None if it is one."""
    return survey(value).why


def _why_not(level: list[Any], kinds: set[type]) -> str | None:
    """Return the reason why an item of ``level``, whose types are ``kinds``, is not storable, without looking inside
    it."""
    for kind in kinds:
        if not issubclass(kind, str | float | int | list | dict | NoneType):
            return f"holds a {kind.__name__}, which is not JSON"
    if any(issubclass(kind, str) for kind in kinds) and not _encodable(_of(level, kinds, str)):
        return "holds a lone surrogate, which UTF-8 cannot encode"
    if any(issubclass(kind, float) for kind in kinds):
        for number in _of(level, kinds, float):
            if not math.isfinite(number):
                return f"holds {number}, which is not a JSON number"
    if any(issubclass(kind, int) for kind in kinds):
        whole = _of(level, kinds, int)
        if max(max(whole), -min(whole)).bit_length() > MAX_INT_BITS:
            return f"holds an integer of more than {MAX_INT_BITS} bits"
    return None


def _of(level: list[Any], kinds: set[type], kind: type) -> list[Any]:
    """The items of ``level`` that are of ``kind``."""
    return level if len(kinds) == 1 else [item for item in level if isinstance(item, kind)]


def _encodable(texts: list[str]) -> bool:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(value: Any) -> Any:
    if (why := why_not_json(value)) is not None:
        raise ValueError(why)
    return value


def _check_each(values: Any) -> Any:
    """Check what a list or an object holds, all at once: a call for each of a million numbers would take seconds."""
    if (why := survey(values, MAX_DEPTH + 1).why) is not None:
        raise ValueError(why)
    return values


def check_text(text: str) -> str:
    """Return ``text`` if it can be stored. Raises ``ValueError`` if it cannot."""
    if not _encodable([text]):
        raise ValueError("holds a lone surrogate, which UTF-8 cannot encode")
    return text


Json = Annotated[JsonValue, AfterValidator(_check)]
JsonList = Annotated[list[JsonValue], AfterValidator(_check_each)]
JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_check_each)]
Text = Annotated[str, AfterValidator(check_text)]


class FieldError(ValueError):
    """Contradiction between fields of a model, at the dotted ``path`` of one of them (``tests.0.expected``)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class StrictModel(BaseModel):
    """Base of all models on the wire: unknown fields are refused, instances are frozen, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def with_old_names(**names: str) -> Callable[[dict[str, Any]], None]:
    """Describe old names of fields, which requests may still use, as deprecated in a model's JSON schema.

    ``json_schema_extra=with_old_names(memory_mib="memory_mb")``; the field itself takes both by its
    ``validation_alias``.
    """

    def describe(schema: dict[str, Any]) -> None:
        properties = schema["properties"]
        for name, old in names.items():
            field = {key: value for key, value in properties[name].items() if key != "default"}
            properties[old] = field | {"deprecated": True, "description": f"Old name of `{name}`."}

    return describe
