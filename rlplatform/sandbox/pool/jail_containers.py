"""Containers of tier *jail*. Each serves the submissions of one tenant one by one, each in a jail of its own.

A container is replaced after a number of submissions or minutes, and at once after any anomaly. The next jail is made
while the host processes the results of the last one. Tenants never share a container.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rlplatform.errors import SandboxFault
from rlplatform.sandbox.pool.container import Container

_OPEN_TIMEOUT_S = 10.0


class _Jailer:
    """One container, its tenant, and the number of submissions that it has served."""

    def __init__(self, container: Container, tenant: str) -> None:
        self.container, self.tenant = container, tenant
        self.submissions = 0
        self._closing = False
        container.channel.send({"op": "open"})

    def open(self) -> None:
        """Wait until the next jail is ready."""
        if self._closing:
            if self.container.channel.expect("closed", _OPEN_TIMEOUT_S) != 0:
                raise SandboxFault("a process was left outside of the jail")
            self._closing = False
        if self.container.channel.expect("opened", _OPEN_TIMEOUT_S) is not True or not self.container.is_quiet():
            raise SandboxFault("the jail is not as it should be")
        self.submissions += 1

    def close(self) -> None:
        """End the jail, and start making the next one."""
        self.container.channel.send({"op": "close"})
        self.container.channel.send({"op": "open"})
        self._closing = True


class JailContainers:
    """Makes containers with ``start_container`` on demand, and keeps up to ``keep`` idle ones. Thread-safe."""

    def __init__(
        self, start_container: Callable[[], Container], keep: int, max_submissions: int, max_age_s: float
    ) -> None:
        self._boot, self._keep = start_container, keep
        self._max_submissions, self._max_age_s = max_submissions, max_age_s
        self._lock = threading.Lock()
        self._idle: list[_Jailer] = []
        self._busy: dict[str, _Jailer] = {}
        self._known: set[str] = set()
        self._closed = False

    def ids(self) -> set[str]:
        """Return the ids of all containers of this source."""
        with self._lock:
            return set(self._known)

    def take(self, tenant: str) -> Container:
        """Return a container of ``tenant`` with a fresh jail.

        Raises:
            SandboxFault: none can be made.
        """
        while jailer := self._take_idle(tenant):
            try:
                jailer.open()
            except SandboxFault:
                self._end(jailer.container, sound=False)
                continue
            return self._note(jailer)
        container = self._boot()
        with self._lock:
            self._known.add(container.id)
        try:
            jailer = _Jailer(container, tenant)
            jailer.open()
        except SandboxFault:
            self._end(container, sound=False)
            raise
        return self._note(jailer)

    def release(self, container: Container, sound: bool) -> None:
        """Take a container back at the end of a submission. ``sound`` is True if no anomaly was seen."""
        with self._lock:
            jailer = self._busy.pop(container.id)
        if not sound or self._is_worn(jailer):
            self._end(container, sound)
            return
        try:
            jailer.close()
        except SandboxFault:
            self._end(container, sound=False)
            return
        with self._lock:
            self._idle.append(jailer)
            surplus = self._idle.pop(0) if self._closed or len(self._idle) > self._keep else None
        if surplus:
            self._end(surplus.container)

    def renew_leases(self) -> None:
        """Renew the leases of idle containers; remove worn and dead ones."""
        with self._lock:
            idle = list(self._idle)
        for jailer in idle:
            worn, sound = self._is_worn(jailer), True
            try:
                jailer.container.ping()
            except SandboxFault:
                sound = False
            if worn or not sound:
                with self._lock:
                    if jailer not in self._idle:
                        continue
                    self._idle.remove(jailer)
                self._end(jailer.container, sound)

    def close(self) -> None:
        """End the idle containers, and keep none any more. Idempotent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for jailer in idle:
            self._end(jailer.container)

    def _end(self, container: Container, sound: bool = True) -> None:
        if sound:
            container.hang_up()
        else:
            container.destroy()
        with self._lock:
            self._known.discard(container.id)

    def _take_idle(self, tenant: str) -> _Jailer | None:
        with self._lock:
            for index in reversed(range(len(self._idle))):
                if self._idle[index].tenant == tenant:
                    return self._idle.pop(index)
        return None

    def _note(self, jailer: _Jailer) -> Container:
        with self._lock:
            self._busy[jailer.container.id] = jailer
        return jailer.container

    def _is_worn(self, jailer: _Jailer) -> bool:
        age_s = time.monotonic() - jailer.container.booted_at
        return jailer.submissions >= self._max_submissions or age_s >= self._max_age_s
