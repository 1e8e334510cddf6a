"""One submission's single-use container, behind the port ``Sandbox``."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rlplatform.errors import SandboxFault
from rlplatform.ports import Interactor
from rlplatform.sandbox.container import Container
from rlplatform.sandbox.execution import Run
from rlplatform.sandbox.models import Execution, Outcome, OutcomeKind, SandboxInfo, Usage
from rlplatform.sandbox.outcomes import decide


class DockerSandbox:
    """A loaded container. ``release`` is called once, when it is closed; it is told whether the container is sound."""

    def __init__(self, container: Container, info: SandboxInfo, release: Callable[[bool], None]) -> None:
        self._container, self._info, self._release = container, info, release
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._cancelled = self._closed = False
        self._fault: str | None = None

    @property
    def info(self) -> SandboxInfo:
        return self._info

    @property
    def container_id(self) -> str:
        """For operators: the container that it is, or was, in."""
        return self._container.id

    def run(
        self,
        execution: Execution,
        interactor: Interactor | None = None,
        on_stdout: Callable[[bytes], None] | None = None,
    ) -> Outcome:
        with self._lock:
            if self._closed:
                raise SandboxFault("the sandbox is closed")
            if self._fault:
                raise SandboxFault(f"the sandbox cannot be used any more: {self._fault}")
            if self._cancelled:
                return Outcome(OutcomeKind.CANCELLED, Usage(0.0, 0.0, 0))
            inside = self._container
            run = self._run = Run(inside.channel, inside.cgroup, inside.user, execution, interactor, on_stdout)
        try:
            self._container.apply(execution.limits)
            evidence = run.evidence()
            if evidence.report is None:
                self._fault = "it died"
            elif not evidence.report.clean or not self._container.is_quiet():
                self._fault = "an execution left something behind"
            return decide(evidence, execution)
        except SandboxFault as fault:
            self._fault = str(fault)
            raise
        except BaseException:
            self._fault = "an execution was abandoned"
            raise
        finally:
            with self._lock:
                self._run = None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._run is not None:
                self._run.cancel()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._release(self._fault is None)
