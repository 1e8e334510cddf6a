"""Env runners in separate actors: all are asked for rollouts at once, and waited for with a time limit."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayTaskError
from ray.rllib.env.env_runner_group import EnvRunnerGroup

from actors.rllib.rollout import Rollout
from rlplatform.environments.faults import describe
from rlplatform.environments.pulse import Pulse, silent
from rlplatform.errors import EngineError, PlatformError, Unavailable

log = logging.getLogger(__name__)

_TAG = "rollout"
_PATIENCE = 20.0
"""Longest wait for stragglers after the first answer, as a multiple of the slowest collection so far; at least 5 s."""
FAULTS = 3
"""Number of consecutive errors, of the environment or the platform, after which the engine fails."""


class RemoteRunners:
    """Group of remote env runners. Training continues without those that fail or hang."""

    def __init__(self, group: EnvRunnerGroup, timeout_s: float) -> None:
        """Wrap RLlib's group. ``timeout_s`` is the longest wait for the first answer, in seconds."""
        self._group = group
        self._manager = group._worker_manager
        self.timeout_s = timeout_s
        self._pending: set[int] = set()
        self._slowest = 1.0
        self._faults = 0

    def ask(self, **kwargs: Any) -> None:
        """Ask each healthy, idle env runner for a rollout. Arguments are those of ``VectorEnvRunner.rollout``."""
        idle = [runner for runner in self._manager.healthy_actor_ids() if runner not in self._pending]
        if idle:
            self._manager.foreach_actor_async("rollout", tag=_TAG, remote_actor_ids=idle, kwargs=kwargs)
            self._pending |= set(idle)

    def collect(self, ask: Callable[[], None], pulse: Pulse = silent) -> list[Rollout]:
        """Return the rollouts of all env runners that were asked, at least one.

        Args:
            ask: Called to ask env runners that have been restored.
            pulse: Called about once a second during the wait.

        Raises:
            Unavailable: no env runner has answered in time.
            EngineError: every rollout fails, as with a broken environment.
        """
        began = time.monotonic()
        rollouts: list[Rollout] = []
        while True:
            patience = self.timeout_s if not rollouts else max(5.0, _PATIENCE * self._slowest)
            left = patience - (time.monotonic() - began)
            for answer in self._manager.fetch_ready_async_reqs(tags=_TAG, timeout_seconds=min(1.0, max(0.0, left))):
                self._pending.discard(answer.actor_id)
                self._take(answer, rollouts)
            pulse(0)
            self._pending &= set(self._manager.healthy_actor_ids())
            if rollouts and not self._pending:
                self._slowest = max(time.monotonic() - began, 0.9 * self._slowest)
                return rollouts
            if left <= 0:
                if rollouts:
                    log.warning("going on without env runners %s, which do not answer", sorted(self._pending))
                    return rollouts
                raise Unavailable(f"no env runner has answered for {patience:g} s")
            if not self._pending:
                self.restore()
                ask()
                time.sleep(0.1)

    def _take(self, answer: Any, rollouts: list[Rollout]) -> None:
        found = answer.get()
        if answer.ok:
            self._faults = 0
            rollouts.append(found)
        elif isinstance(found, RayTaskError):
            self._faults += 1
            cause = found.cause if isinstance(found.cause, PlatformError) else describe(found.cause)
            log.warning("env runner %s failed and begins anew: %s", answer.actor_id, cause)
            if self._faults >= FAULTS:
                raise EngineError(f"the env runners fail again and again, last with {cause}")

    def drain(self, ask: Callable[[], None]) -> None:
        """Wait for pending rollouts and drop them."""
        while self._pending:
            self.collect(ask)

    def restore(self) -> list[int]:
        """Put env runners that Ray has restarted back into service; return their ids."""
        return list(self._group.probe_unhealthy_env_runners())
