"""Users' code as trainings need it: files, what to call in them, image and limits. It is pinned by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, NamedTuple

from rlplatform.sandbox.models import Program

PACKAGE = "rlp_environment"
ENTRY_FILE = "rlp_entry.py"
_ENTRY = b"""from rlp_environment.contract import check
from rlp_environment.driver import serve

if __name__ == "__main__":
    serve()
"""


def is_user_environment(env: str) -> bool:
    """Return True for the ids of users' environments."""
    return env.startswith("env_")


class UserCode(NamedTuple):
    """An environment or a reward function of a user.

    ``spaces`` describes observation and action of an environment, as its contract found them. ``label`` is its id in
    messages.
    """

    label: str
    kind: Literal["environment", "reward"]
    files: Mapping[str, bytes]
    entry: str
    config: Mapping[str, Any] = {}
    image: str | None = None
    image_digest: str | None = None
    memory_mib: int = 512
    spaces: Mapping[str, Any] | None = None
    max_episode_steps: int | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 over files and entry: equal code has equal hashes."""
        return code_sha256(self.files, self.entry)


def code_sha256(files: Mapping[str, bytes], entry: str) -> str:
    """Return the SHA-256 over paths and contents of ``files``, and ``entry``."""
    listed = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())}
    return hashlib.sha256(json.dumps([listed, entry]).encode()).hexdigest()


def program_of(files: Mapping[str, bytes], plan: Mapping[str, Any] | None = None) -> Program:
    """Return the program that runs ``files`` behind the driver; with ``plan`` it can serve."""
    own = dict(_driver_files())
    if plan is not None:
        own["rlp_plan.json"] = json.dumps(plan).encode()
    return Program({**own, **files}, ENTRY_FILE)


def is_reserved(path: str) -> bool:
    """Return True for the paths of the driver, which users' files must not have."""
    return path.partition("/")[0].removesuffix(".py") in (PACKAGE, "rlp_entry", "rlp_plan.json")


@cache
def _driver_files() -> Mapping[str, bytes]:
    folder = resources.files("rlplatform.environments.sandboxed").joinpath("guest")
    sources = {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.endswith(".py")}
    return {ENTRY_FILE: _ENTRY} | {f"{PACKAGE}/{name}": content for name, content in sorted(sources.items())}
