"""The user's code: how it is found, and how its errors are reported."""

from __future__ import annotations

import importlib
import os
import traceback
from typing import Any

MAX_CHARACTERS = 2000
_OURS = os.path.dirname(os.path.abspath(__file__))


class Malformed(Exception):
    """A method returned something else than Gymnasium's interface says."""


def load(entry: str) -> Any:
    """Import what ``module:Name`` names."""
    module, _, name = entry.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        if not hasattr(found, part):
            raise AttributeError(f"{module} defines no {name}")
        found = getattr(found, part)
    if not callable(found):
        raise TypeError(f"{entry} is a {type(found).__name__}; name a class, or a function that makes an environment")
    return found


def traced(error: BaseException) -> str:
    """Return the error, and the lines of the user's code that led to it."""
    lines = [f"{type(error).__name__}: {error}"]
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith((_OURS, "<frozen")):
            name, code = os.path.basename(frame.filename), f": {frame.line}" if frame.line else ""
            lines.append(f"  {name}, line {frame.lineno}, in {frame.name}{code}")
    return "\n".join(lines)[:MAX_CHARACTERS]
