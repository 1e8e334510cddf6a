"""Seccomp profiles: allow lists of system calls, stored as data files in this folder.

``sandbox`` is the filter of single-use containers and the inner filter of a jail. ``jail-host`` is the outer filter of
a jail container, which may also unshare and mount.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Literal

ProfileName = Literal["sandbox", "jail-host"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile in Docker's format, and the SHA-256 of its text."""

    text: str
    digest: str


def load_profile(name: ProfileName) -> Profile:
    """Return the packaged profile ``name``."""
    source = resources.files("rlplatform.sandbox").joinpath("data", f"seccomp-{name}.json").read_text()
    text = json.dumps(json.loads(source), sort_keys=True, separators=(",", ":"))
    return Profile(text, "sha256:" + hashlib.sha256(text.encode()).hexdigest())
