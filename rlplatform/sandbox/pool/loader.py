"""Loads a submission into containers of one source: the first one, and those that replace it."""

from __future__ import annotations

from dataclasses import dataclass

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.models import Limits, Program
from rlplatform.sandbox.pool.container import Container
from rlplatform.sandbox.pool.image_pools import ContainerSource

_ATTEMPTS = 3


@dataclass(frozen=True)
class Loader:
    """Loads ``program`` into containers of ``source``, which run on ``core``."""

    source: ContainerSource
    program: Program
    limits: Limits
    core: int
    tenant: str

    def load(self, tests: int = 0, dirty: int = 0) -> Container:
        """Return a loaded container that continues after ``tests`` tests, ``dirty`` of which left traces.

        Raises:
            SandboxFault: three containers in a row could not be loaded.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            container = self.source.take(self.tenant)
            try:
                container.pin(self.core)
                container.load(self.program, tests, dirty)
                container.apply(self.limits)
                return container
            except BaseException as error:
                self.release(container, sound=False)
                if attempt == _ATTEMPTS or not isinstance(error, SandboxFault):
                    raise
        raise AssertionError("unreachable")

    def replace(self, container: Container, tests: int, dirty: int) -> Container:
        """Return another container, or jail, in place of ``container``, in which ``tests`` tests ran."""
        self.release(container, sound=True)
        return self.load(tests, dirty)

    def release(self, container: Container, sound: bool) -> None:
        """Return a container to its source, without the submission's data."""
        container.data.remove()
        self.source.release(container, sound)
