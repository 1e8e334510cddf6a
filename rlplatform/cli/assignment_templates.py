"""The assignments to start from: complete ones, which ship with this package."""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

TEMPLATES = ("bandit", "value-iteration", "cartpole", "shape-the-reward")


def write_template(name: str, folder: Path) -> None:
    """Copy one of :data:`TEMPLATES` into ``folder``, which is new or empty."""
    with resources.as_file(resources.files("rlplatform.examples") / "assignments" / name) as source:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
