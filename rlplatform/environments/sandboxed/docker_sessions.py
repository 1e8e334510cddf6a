"""Sandboxes for users' code in this process: a pool of its own on the node's Docker engine, made at its first use."""

from __future__ import annotations

import atexit
import os
import secrets
import threading

from rlplatform.sandbox.models import Limits, Program, Tier
from rlplatform.sandbox.pool.docker_pool import DockerPool
from rlplatform.sandbox.pool.docker_sandbox import DockerSandbox
from rlplatform.settings import SandboxSettings

_MAX_OPEN = 256


class DockerSessions:
    """Source of sandboxes for sessions. Containers are made when they are asked for, none in advance.

    A copy in another process makes its own.
    """

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings.model_copy(update={"warm": 0, "slots": _MAX_OPEN})
        self.owner = f"environments-{os.getpid()}-{secrets.token_hex(4)}"
        self._pool: DockerPool | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[DockerSessions], tuple[SandboxSettings]]:
        return DockerSessions, (self.settings,)

    def open(self, program: Program, limits: Limits, image: str | None) -> DockerSandbox:
        """Open a sandbox, as the port says."""
        with self._lock:
            if self._pool is None:
                self._pool = DockerPool(self.settings, self.owner)
                atexit.register(self.close)
            pool = self._pool
        return pool.open(program, limits, Tier.SINGLE_USE, image=image)

    def close(self) -> None:
        """Remove all containers. Idempotent."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            atexit.unregister(self.close)
            pool.close()
