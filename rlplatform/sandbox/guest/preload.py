"""What every child finds imported already: a fork is cheap, an import is not."""

from __future__ import annotations

import importlib

_STANDARD = [
    "abc",
    "bisect",
    "collections",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "io",
    "itertools",
    "json",
    "math",
    "operator",
    "random",
    "re",
    "statistics",
    "string",
    "struct",
    "sys",
    "threading",
    "time",
    "traceback",
    "typing",
]


def preload() -> None:
    """Import the usual modules of the standard library."""
    for name in _STANDARD:
        importlib.import_module(name)
