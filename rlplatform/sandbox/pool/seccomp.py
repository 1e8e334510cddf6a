"""The seccomp profiles: allow lists of system calls, as data files beside this module.

``sandbox`` is the filter of single-use containers and the inner filter of a jail; ``jail-host`` is the outer filter of
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
    """A profile as Docker takes it, and the SHA-256 of that text."""

    text: str
    digest: str


def load_profile(name: ProfileName) -> Profile:
    """The packaged profile ``name``."""
    source = resources.files("rlplatform.sandbox").joinpath("data", f"seccomp-{name}.json").read_text()
    text = json.dumps(json.loads(source), sort_keys=True, separators=(",", ":"))
    return Profile(text, "sha256:" + hashlib.sha256(text.encode()).hexdigest())
