"""Validation errors for people: the dotted path of the field, what is wrong, and the name that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from rlplatform.errors import InvalidRequest
from rlplatform.json_models import FieldError
from rlplatform.patterns import ACCEPTED
from rlplatform.validation_errors import NOTHING, describe_error
from serve_apps.api.http.fields import fields_at

_PARTS = ("body", "query", "path", "header")
MAX_ERRORS = 20
_HINTS = 3  # how many of the errors get a "did you mean": to find the nearest name takes a while
_NAME = 80  # characters of what was sent that are repeated
_PATH = 200
_MESSAGE = 1000
_CONSEQUENCE = "default_factory_not_called"
"""Error of a field whose default depends on others that are wrong: those have errors of their own."""


def invalid_request(
    errors: Sequence[Any],
    *,
    body: Any = None,
    model: type[BaseModel] | None = None,
    max_errors: int = MAX_ERRORS,
    count: int | None = None,
) -> InvalidRequest:
    """Return the errors of pydantic as one exception: the first in ``detail`` and ``field``, the others in ``errors``.

    Args:
        errors: an unknown field comes first: it is often why another is missing.
        body: the parsed JSON that was validated, to tell a field's name from the tag of a union.
        model: what it was validated as, to suggest a field for an unknown one.
        max_errors: how many are described.
        count: how many there are, where ``errors`` are not all.
    """
    real = [error for error in errors if error["type"] != _CONSEQUENCE]
    count = len(real) if count is None else count - len(errors) + len(real)
    errors = sorted(real, key=lambda error: bool(error["type"] != "extra_forbidden"))[:max_errors]
    described = [_describe(error, body, model, hint=index < _HINTS) for index, error in enumerate(errors)]
    found = [row for row, _ in described]
    first, near = described[0]
    detail = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    if count > 1:
        detail += f" (and {count - 1} more)"
    hint = {"did_you_mean": near} if near else {}
    return InvalidRequest(detail, field=first["field"] or None, errors=found, **hint)


def _describe(error: Any, body: Any, model: type[BaseModel] | None, *, hint: bool) -> tuple[dict[str, str], list[str]]:
    """Return the field of an error with an explanation, and the nearest names."""
    location = tuple(error["loc"])
    if location and location[0] in _PARTS:
        location = location[1:]
    context = error.get("ctx", {})
    raised = context.get("error")
    if isinstance(raised, FieldError):
        location = (*location, *raised.path.split("."))
    path, sent = [str(part) for part in location], error.get("input", NOTHING)
    if body is not None:
        left_out = model is not None and bool(location) and location[-1] in fields_at(model, location[:-1])
        is_field = isinstance(raised, FieldError) or error["type"] == "missing" or left_out
        path, sent = _walk(location, body, is_field=is_field)
    message = raised.reason if isinstance(raised, FieldError) else describe_error(error, sent)
    near: list[str] = []
    match error["type"]:
        case "extra_forbidden":
            known = fields_at(model, location[:-1]) if model else []
            message, near = _unknown("field", str(location[-1]), known, hint=hint)
        case "union_tag_invalid":
            path.append(context["discriminator"].strip("'"))
            message, near = _unknown(path[-1], context["tag"], _quoted(context["expected_tags"]), hint=hint)
        case "union_tag_not_found":
            path.append(context["discriminator"].strip("'"))
            message = "is missing"
        case "enum" | "literal_error" if isinstance(sent, str):
            message, near = _unknown("value", sent, _quoted(context["expected"]), hint=hint)
        case _ if accepted := ACCEPTED.get(context.get("pattern", "")):
            message = f"accepted are {accepted}"
    return {"field": ".".join(part[:_NAME] for part in path)[:_PATH], "message": message[:_MESSAGE]}, near


def _unknown(what: str, name: str, known: Sequence[str], *, hint: bool) -> tuple[str, list[str]]:
    """Return an explanation for a name that is not in ``known``, and, with ``hint``, the nearest known names."""
    name = name[:_NAME]
    message = f"unknown {what} {name!r}"
    if hint and (near := difflib.get_close_matches(name, known, n=1, cutoff=0.5)):
        return f"{message}; did you mean {near[0]!r}?", near
    return (f"{message}; accepted are {', '.join(known)}" if known else message), []


def _quoted(text: str) -> list[str]:
    """``'a', 'b' or 'c'`` as a list."""
    return re.findall(r"'([^']*)'", text)


def _walk(location: Sequence[str | int], body: Any, *, is_field: bool) -> tuple[list[str], Any]:
    """``location`` without pydantic's tags of unions (``checker.floats.abs_tol`` -> ``checker.abs_tol``), and what is
    there. With ``is_field`` its last part is no tag, though the body may lack it.
    """
    path: list[str] = []
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if isinstance(body, list) and str(part).isdecimal():
            part = int(part)
            body = body[part] if part < len(body) else None
        elif isinstance(body, dict) and part in body:
            body = body[part]
        elif not (last and is_field):
            continue
        path.append(str(part))
    return path, body
