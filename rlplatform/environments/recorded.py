"""Recorded descriptions of Gymnasium's and EnvPool's environments, in ``environments.json``, with their versions.

Making all environments takes minutes; ``python -m rlplatform.training.environment_catalog`` writes the file again.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("environments.json")
_PACKAGES = ("gymnasium", "envpool")


def versions() -> dict[str, str | None]:
    """Return the installed versions of the packages that spaces depend on; None for one that is not installed."""

    def version(package: str) -> str | None:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return None

    return {package: version(package) for package in _PACKAGES}


@functools.cache
def recorded(file: Path = FILE) -> Mapping[str, dict[str, Any] | str]:
    """Return the fields of each environment, or the reason why it cannot be made.

    Empty if the installed versions differ from those of the file.
    """
    held = json.loads(file.read_text(encoding="utf-8"))
    if held["versions"] != versions():
        return {}
    found: dict[str, dict[str, Any] | str] = held["environments"]
    return found


def impossible() -> frozenset[str]:
    """Return the ids that are registered but cannot be made; they are never suggested."""
    return frozenset(env for env, fields in recorded().items() if isinstance(fields, str))
