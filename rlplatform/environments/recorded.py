"""``environments.json``: the environments of Gymnasium and EnvPool as they were found for the versions that it names.

Asking all of them takes minutes; ``python -m rlplatform.training.environment_catalog`` writes the file again.
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
    """Return the installed versions that spaces depend on; None for a package that is not installed."""

    def version(package: str) -> str | None:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return None

    return {package: version(package) for package in _PACKAGES}


@functools.cache
def recorded(file: Path = FILE) -> Mapping[str, dict[str, Any] | str]:
    """Return each environment's fields, or why it cannot be made; nothing at all for other versions."""
    held = json.loads(file.read_text(encoding="utf-8"))
    if held["versions"] != versions():
        return {}
    found: dict[str, dict[str, Any] | str] = held["environments"]
    return found


def impossible() -> frozenset[str]:
    """Return the ids that are registered but cannot be made, and so are never suggested."""
    return frozenset(env for env, fields in recorded().items() if isinstance(fields, str))
