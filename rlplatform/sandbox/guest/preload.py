"""What every child finds imported already: a fork is cheap, an import is not."""

from __future__ import annotations

import _random
import importlib
import os
import random
import sys

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


_SITE_PACKAGES = "/usr/lib/rlp/site-packages"
_FLAVOUR = ["numpy", "numpy.random", "gymnasium", "gymnasium.envs.classic_control", "gymnasium.envs.toy_text"]


def preload() -> None:
    """Import the usual modules of the standard library, and in flavour *python-rl* NumPy and Gymnasium."""
    for name in _STANDARD:
        importlib.import_module(name)
    if os.path.isdir(_SITE_PACKAGES):
        sys.path.append(_SITE_PACKAGES)
        for name in _FLAVOUR:
            importlib.import_module(name)


def reseed() -> None:
    """After a fork: the generators that are shared by the modules begin anew, each child's with another seed."""
    _random.Random.seed(random._inst)  # no more than random.seed() does, in one call
    if numbers := sys.modules.get("numpy.random"):
        numbers.seed()
