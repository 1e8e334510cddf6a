"""Users' code of a job: what a worker needs to run it in sandboxes, and making it available there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from rlplatform.environments.sandboxed import registry
from rlplatform.environments.sandboxed.docker_sessions import DockerSessions
from rlplatform.environments.sandboxed.user_code import UserCode
from rlplatform.settings import SandboxSettings

MAX_FAULTS = 100
"""Faults of an environment after which a job fails."""


def in_job(code: UserCode, sandbox: SandboxSettings) -> dict[str, Any]:
    """Return ``code``, and where it runs, as part of a job: JSON."""
    files = {path: base64.b64encode(content).decode() for path, content in code.files.items()}
    return {"code": {**code._asdict(), "files": files}, "sandbox": sandbox.model_dump(mode="json")}


def install(job: Mapping[str, Any]) -> None:
    """Make the code of a job available in this process, if there is any."""
    given = job.get("users_code")
    if given is None:
        return
    files = {path: base64.b64decode(content) for path, content in given["code"]["files"].items()}
    code = UserCode(**{**given["code"], "files": files})
    registry.install([code], DockerSessions(SandboxSettings.model_validate(given["sandbox"])), budget=MAX_FAULTS)
