"""Modules that every child finds imported: a fork is cheap, an import is not."""

from __future__ import annotations

import _random
import importlib
import os
import random
import sys
from contextlib import suppress

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


_PACKAGES = "/usr/lib/rlp"


def preload() -> None:
    """Import the usual modules of the standard library, and those that the image names."""
    for name in _STANDARD:
        importlib.import_module(name)
    if os.path.isdir(_PACKAGES):
        sys.path.append(f"{_PACKAGES}/site-packages")
        with open(f"{_PACKAGES}/preload") as names:
            for name in names.read().split():
                with suppress(Exception):  # it fails where a program imports it, which then sees why
                    importlib.import_module(name)


def reseed() -> None:
    """After a fork, reseed the generators that modules share: each child gets another seed."""
    _random.Random.seed(random._inst)  # no more than random.seed() does, in one call
    if numbers := sys.modules.get("numpy.random"):
        numbers.seed()
