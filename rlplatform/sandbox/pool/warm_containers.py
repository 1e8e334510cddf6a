"""Warm containers, made in advance by background threads.

Making a container takes more CPU time than most tests, so that threads refill slowly while submissions run.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from rlplatform.errors import SandboxFault, SandboxUnavailable
from rlplatform.sandbox.pool.container import Container

_THREADS = 2
_FAILURES_TO_GIVE_UP = 3
_LONGEST_PAUSE_S = 10.0
_WAIT_S = 60.0


class WarmContainers:
    """Keeps ``target`` containers ready that ``start_container`` makes. Thread-safe.

    While ``busy`` says that submissions run, containers are made only if none is left. After three failures in a row,
    waiting callers are refused with the reason, and the next attempt follows after a pause.
    """

    def __init__(self, start_container: Callable[[], Container], target: int, busy: Callable[[], bool]) -> None:
        self._boot, self._target, self._busy = start_container, target, busy
        self._changed = threading.Condition()
        self._busy_ids: set[str] = set()
        self._ready: deque[Container] = deque()
        self._booting = self._waiting = self._failures = 0
        self._pause_until = 0.0
        self._fault: Exception | None = None
        self._closed = False
        self._threads = [
            threading.Thread(target=self._refill, name=f"sandbox-refill-{number}", daemon=True)
            for number in range(_THREADS)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> int:
        return len(self._ready)

    @property
    def fault(self) -> str | None:
        """Reason why no container can be made, after several failures in a row; else None."""
        if self._fault is None or self._failures < _FAILURES_TO_GIVE_UP:
            return None
        return str(self._fault) or repr(self._fault)

    def ids(self) -> set[str]:
        """Return the ids of all containers of this source."""
        with self._changed:
            return {container.id for container in self._ready} | self._busy_ids

    def take(self, tenant: str = "") -> Container:  # noqa: ARG002 - a container serves one submission, of anyone
        """Return a live container for exclusive use. Waits up to a minute.

        Raises:
            SandboxUnavailable: none can be made, or none was ready in time.
        """
        deadline = time.monotonic() + _WAIT_S
        while True:
            container = self._next(deadline)
            if container.is_alive():
                return container
            self.release(container, sound=False)

    def release(self, container: Container, sound: bool) -> None:
        """End a container after its submission. ``sound`` is True if no anomaly was seen."""
        if sound:
            container.hang_up()
        else:
            container.destroy()
        with self._changed:
            self._busy_ids.discard(container.id)
            self._changed.notify_all()

    def renew_leases(self) -> None:
        """Renew the leases of ready containers, and drop dead ones."""
        with self._changed:
            waiting = list(self._ready)
        for container in waiting:
            try:
                container.ping()
            except SandboxFault:
                with self._changed:
                    if container not in self._ready:
                        continue
                    self._ready.remove(container)
                    self._changed.notify_all()
                container.destroy()

    def close(self) -> None:
        """Destroy all containers, and refuse waiting callers. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        while self._ready:
            self._ready.popleft().hang_up()

    def _next(self, deadline: float) -> Container:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            try:
                while not self._ready:
                    if self._closed:
                        raise SandboxUnavailable("the sandbox pool is closed")
                    if self.fault and time.monotonic() < self._pause_until:
                        raise SandboxUnavailable(f"no sandbox can be made: {self.fault}")
                    if not self._changed.wait(deadline - time.monotonic()):
                        raise SandboxUnavailable("no sandbox became ready in time")
                container = self._ready.popleft()
                self._busy_ids.add(container.id)
                return container
            finally:
                self._waiting -= 1
                self._changed.notify_all()

    def _wanted(self) -> bool:
        coming = len(self._ready) + self._booting
        if self._waiting > coming:
            return True
        return coming < self._target + self._waiting and (coming == 0 or not self._busy())

    def _refill(self) -> None:
        while True:
            with self._changed:
                while not self._closed:
                    pause = self._pause_until - time.monotonic()
                    if pause <= 0 and self._wanted():
                        break
                    self._changed.wait(pause if pause > 0 else None)
                if self._closed:
                    return
                self._booting += 1
            self._boot_one()

    def _boot_one(self) -> None:
        try:
            container = self._boot()
        except Exception as error:  # any exception: the thread has to continue
            with self._changed:
                self._failures += 1
                self._fault = error
                self._pause_until = time.monotonic() + min(_LONGEST_PAUSE_S, 0.1 * 4 ** min(self._failures, 4))
                self._booting -= 1
                self._changed.notify_all()
            return
        with self._changed:
            self._booting -= 1
            self._failures = 0
            self._fault = None
            if not self._closed:
                self._ready.append(container)
                self._changed.notify_all()
                return
        container.hang_up()
