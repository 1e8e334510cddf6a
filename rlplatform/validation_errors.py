"""Validation errors of pydantic in plain words: what is accepted, and what was given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

NOTHING: Any = object()
"""Stands for a value that is not known, or not to be shown."""
_SHOWN = 60
_PREFIXES = ("Value error, ", "Assertion failed, ")
_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "finite_number": "a finite number",
    "none_required": "null",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}
_LENGTHS = {
    "string_too_short": ("min_length", "at least", "character"),
    "string_too_long": ("max_length", "at most", "character"),
    "too_short": ("min_length", "at least", "item"),
    "too_long": ("max_length", "at most", "item"),
}


def describe_error(error: Mapping[str, Any], given: Any = NOTHING) -> str:
    """One error of ``ValidationError.errors()`` as a phrase that follows the field's name.

    Args:
        error: as pydantic describes it.
        given: the value, if it may be shown.
    """
    kind, context = error["type"], error.get("ctx", {})
    got = "" if given is NOTHING else f"; got {shown(given)}"
    if kind == "missing":
        return "is missing"
    if kind in _KINDS:
        return f"must be {_KINDS[kind]}{got}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context[name]
        return f"must be {words} {f'{bound:,.12g}' if isinstance(bound, float) else f'{bound:,}'}{got}"
    if kind in _LENGTHS:
        name, words, what = _LENGTHS[kind]
        count = context[name]
        if count == 1 and words == "at least":
            return "must not be empty"
        many = f"; got {len(given):,}" if isinstance(given, str | list | dict) else ""
        return f"must have {words} {count:,} {what}{'' if count == 1 else 's'}{many}"
    message = str(error["msg"])
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    if message.startswith("Input should be "):
        return f"must be {message.removeprefix('Input should be ')}{got}"
    return message


def shown(value: Any) -> str:
    """``value`` as JSON, its beginning if it is long; of a list or an object only that it is one."""
    if isinstance(value, list | dict):
        return f"{'a list' if isinstance(value, list) else 'an object'} with {len(value):,} items"
    cut = value[:_SHOWN] if isinstance(value, str) else value
    try:
        text = json.dumps(cut, ensure_ascii=False)
    except (TypeError, ValueError):
        text = type(value).__name__
    long = len(text) > 2 * _SHOWN or (isinstance(value, str) and len(value) > _SHOWN)
    return f"{text[: 2 * _SHOWN]}…" if long else text
