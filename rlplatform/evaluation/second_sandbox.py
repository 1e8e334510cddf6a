"""Sandbox of a submission's checker: opened when the first answer is checked, replaced after a fault."""

from __future__ import annotations

import logging
import threading

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.models import Execution, Limits, Outcome, OutcomeKind, Program, Tier, Usage
from rlplatform.sandbox.ports import Sandbox, SandboxPool

log = logging.getLogger(__name__)

_MAX_FAULTS = 2


class CheckerSandbox:
    """Runs programs of the checker beside a submission's sandbox, on its core, which is idle meanwhile.

    ``usage`` is that of the last test: all runs since :meth:`start_test`.
    """

    def __init__(self, pool: SandboxPool, tier: Tier, tenant: str, image: str | None = None) -> None:
        """``image``: name of the image to run in, which is the submission's; None: the pool's default."""
        self._pool, self._tier, self._tenant, self._image = pool, tier, tenant, image
        self._lock = threading.Lock()
        self._open: tuple[Program, Limits, Sandbox] | None = None
        self._beside: Sandbox | None = None
        self._cancelled = False
        self.cpu_time_s: float | None = None

    def start_test(self, beside: Sandbox) -> None:
        """Meter from here on; what is opened runs beside ``beside``."""
        self._beside = beside
        self.cpu_time_s = None

    def run(self, program: Program, limits: Limits, execution: Execution) -> Outcome:
        """Run ``program`` once, as the port says."""
        faults = 0
        while True:
            try:
                outcome = self._sandbox(program, limits).run(execution)
                if outcome.kind is OutcomeKind.CANCELLED and not self._cancelled:
                    raise SandboxFault("the checker's sandbox was cancelled, but not by us")
            except SandboxFault as fault:
                self.close()
                faults += 1
                log.warning("fault %d of %d in a checker's sandbox: %s", faults, _MAX_FAULTS + 1, fault)
                if faults > _MAX_FAULTS:
                    raise
            else:
                self._meter(outcome.usage)
                return outcome

    def cancel(self) -> None:
        """From another thread: end what runs, and whatever would be run."""
        with self._lock:
            self._cancelled = True
            if self._open is not None:
                self._open[2].cancel()

    def close(self) -> None:
        """Close the sandbox, if there is one; a further run opens another."""
        with self._lock:
            closing, self._open = self._open, None
        if closing is not None:
            closing[2].close()

    def _meter(self, usage: Usage) -> None:
        self.cpu_time_s = (self.cpu_time_s or 0.0) + usage.cpu_time_s

    def _sandbox(self, program: Program, limits: Limits) -> Sandbox:
        if self._open is not None and self._open[:2] == (program, limits):
            return self._open[2]
        self.close()
        sandbox = self._pool.open(program, limits, self._tier, self._tenant, image=self._image, beside=self._beside)
        with self._lock:
            self._open = (program, limits, sandbox)
            if self._cancelled:
                sandbox.cancel()
        return sandbox
