"""Remove the containers and socket directories of dead owners. Any number of reapers may run at once.

A reaper removes only containers of its own state directory: several platforms may share an engine.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.docker_engine import OWNER_LABEL, STATE_LABEL, Engine
from rlplatform.sandbox.pool.ownership import take_lock


class Reaper:
    """Sweeps one engine and one state directory."""

    def __init__(self, engine: Engine, state_dir: Path) -> None:
        self._engine, self._state_dir = engine, state_dir
        self.removed = 0

    def sweep(self) -> int:
        """Remove everything without a living owner; return the number of removed containers.

        Raises:
            SandboxFault: the engine does not answer.
        """
        removed = 0
        by_owner: dict[str, list[str]] = {}
        for entry in self._engine.list(**{STATE_LABEL: str(self._state_dir)}):
            by_owner.setdefault(entry.labels.get(OWNER_LABEL, ""), []).append(entry.id)
        folders = [folder.name for folder in self._state_dir.iterdir()] if self._state_dir.is_dir() else []
        for owner in {*by_owner, *folders}:
            removed += self._bury(owner, by_owner.get(owner, []))
        self.removed += removed
        return removed

    def _bury(self, owner: str, containers: list[str]) -> int:
        directory = self._state_dir / owner
        lock = None
        try:
            if owner and directory.is_dir():
                lock = take_lock(directory)
                if lock is None:
                    return 0
            for container in containers:
                self._engine.remove(container)
            if lock is not None:
                shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise SandboxFault(f"{directory} cannot be swept: {error}") from error
        finally:
            if lock is not None:
                os.close(lock)
        return len(containers)
