"""Validation errors as people want to read them: a dotted path into what they sent, and what they probably meant."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from rlplatform.errors import InvalidRequest
from rlplatform.jsonvalues import FieldError
from rlplatform.names import ACCEPTED

_PARTS = ("body", "query", "path", "header")
_MANY = 20


def invalid_request(errors: Sequence[Any], *, body: Any = None, model: type[BaseModel] | None = None) -> InvalidRequest:
    """The errors of pydantic as one exception: the first in ``detail`` and ``field``, all of them in ``errors``.

    :param errors: an unknown field comes first: it is often why another is missing.
    :param body: the parsed JSON that was validated, to tell a field's name from the tag of a union.
    :param model: what it was validated as, to suggest a field for an unknown one.
    """
    errors = sorted(errors, key=lambda error: bool(error["type"] != "extra_forbidden"))
    described = [_describe(error, body, model) for error in errors[:_MANY]]
    found = [row for row, _ in described]
    first, near = described[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    if len(errors) > 1:
        detail += f" (and {len(errors) - 1} more)"
    hint = {"did_you_mean": near} if near else {}
    return InvalidRequest(detail, field=first["field"] or None, errors=found, **hint)


def _describe(error: Any, body: Any, model: type[BaseModel] | None) -> tuple[dict[str, str], list[str]]:
    """Which field and what is the matter with it; and the nearest names."""
    location = tuple(error["loc"])
    if location and location[0] in _PARTS:
        location = location[1:]
    context = error.get("ctx", {})
    message = error["msg"].removeprefix("Value error, ")
    within = context.get("error")
    if isinstance(within, FieldError):
        location, message = (*location, *within.path.split(".")), within.reason
    kind = "missing" if isinstance(within, FieldError) else error["type"]
    path, sent = [str(part) for part in location], error.get("input")
    if body is not None:
        path, sent = _walk(location, body, kind)
    near: list[str] = []
    match error["type"]:
        case "extra_forbidden":
            known = _fields_at(model, location[:-1]) if model else []
            message, near = _unknown("field", str(location[-1]), known)
        case "union_tag_invalid":
            path.append(context["discriminator"].strip("'"))
            message, near = _unknown(path[-1], context["tag"], _quoted(context["expected_tags"]))
        case "union_tag_not_found":
            path.append(context["discriminator"].strip("'"))
            message = "Field required"
        case "enum" | "literal_error" if isinstance(sent, str):
            message, near = _unknown("value", sent, _quoted(context["expected"]))
        case _ if accepted := ACCEPTED.get(context.get("pattern", "")):
            message = f"accepted are {accepted}"
    return {"field": ".".join(path), "message": message}, near


def _unknown(what: str, name: str, known: Sequence[str]) -> tuple[str, list[str]]:
    """What is said of a name that is not among ``known``, and the nearest that is."""
    name = name[:80]
    message = f"unknown {what} {name!r}"
    if near := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"{message}; did you mean {near[0]!r}?", near
    return (f"{message}; accepted are {', '.join(known)}" if known else message), []


def _quoted(text: str) -> list[str]:
    """``'a', 'b' or 'c'`` as a list."""
    return re.findall(r"'([^']*)'", text)


def _walk(location: Sequence[str | int], body: Any, kind: str) -> tuple[list[str], Any]:
    """``location`` without pydantic's tags of unions (``checker.floats.abs_tol`` -> ``checker.abs_tol``), and what is
    there.
    """
    path: list[str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(body, list) and str(part).isdecimal():
            part = int(part)
            body = body[part] if part < len(body) else None
        elif isinstance(body, dict) and part in body:
            body = body[part]
        elif not (last and kind == "missing"):
            continue
        path.append(str(part))
    return path, body


def _fields_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The names of the fields that are accepted at ``location`` of ``model``."""
    candidates: list[Any] = [model]
    for part in location:
        candidates = [inner for candidate in candidates for inner in _inner(candidate, part)]
    return sorted({name for c in candidates if _is_model(c) for name in c.model_fields})


def _inner(annotation: Any, part: str | int) -> list[Any]:
    if _is_model(annotation):
        field = annotation.model_fields.get(part)
        if field is not None:
            return _flat(field.annotation)
        kind = annotation.model_fields.get("kind")
        return [annotation] if kind is not None and kind.default == part else []
    if isinstance(part, int) and get_args(annotation):
        return _flat(get_args(annotation)[0])
    return []


def _flat(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _flat(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [inner for arg in get_args(annotation) for inner in _flat(arg)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
