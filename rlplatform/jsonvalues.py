"""Text and JSON values that survive being stored: finite numbers, text that UTF-8 can hold, bounded depth.

Python's own ``json`` lets NaN, lone surrogates and any depth through; they would be lost, or refused, when written.
"""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, JsonValue

MAX_DEPTH = 48  # with MAX_INT_BITS: what rlplatform.sandbox.guest.values carries, with room for an argument list
MAX_INT_BITS = 8192


def why_not_json(value: object) -> str | None:
    """Why ``value`` is not a storable JSON value; None if it is one."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, str):
                if not _encodable(item):
                    return "holds a lone surrogate, which UTF-8 cannot encode"
            elif isinstance(item, float):
                if not math.isfinite(item):
                    return f"holds {item}, which is not a JSON number"
            elif isinstance(item, bool) or item is None:
                pass
            elif isinstance(item, int):
                if item.bit_length() > MAX_INT_BITS:
                    return f"holds an integer of more than {MAX_INT_BITS} bits"
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            else:
                return f"holds a {type(item).__name__}, which is not JSON"
        if not below:
            return None
        level = below
    return f"is nested more than {MAX_DEPTH} levels deep"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(value: JsonValue) -> JsonValue:
    if (why := why_not_json(value)) is not None:
        raise ValueError(why)
    return value


def _check_text(text: str) -> str:
    if not _encodable(text):
        raise ValueError("holds a lone surrogate, which UTF-8 cannot encode")
    return text


Json = Annotated[JsonValue, AfterValidator(_check)]
Text = Annotated[str, AfterValidator(_check_text)]


class FieldError(ValueError):
    """What a model finds wrong between its fields, at the dotted ``path`` of one of them (``tests.0.expected``)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
